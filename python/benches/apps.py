"""One small application, bare and behind gates: for `gate.py`, and for a server under load. Run alone, it prints a token."""

from __future__ import annotations

import time
from typing import Any

import jwt
from asyncmq.contrib.dashboard.admin import AuthGateMiddleware as AsyncMQGate
from asyncmq.contrib.dashboard.admin.backends.jwt import JWTAuthBackend as AsyncMQBackend

from authgate import AuthGateMiddleware, JWTAuthBackend

SECRET = "a secret of at least thirty-two bytes, for benches"
OPTIONS: dict[str, Any] = {"secret": SECRET, "audience": "dashboard", "issuer": "https://issuer.example"}
START = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]}
BODY = {"type": "http.response.body", "body": b"ok"}


def token() -> str:
    now = int(time.time())
    claims = {
        "sub": "ada-lovelace",
        "name": "Ada Lovelace",
        "is_admin": True,
        "roles": ["operator", "oncall"],
        "iat": now - 60,
        "exp": now + 86_400,
        "aud": "dashboard",
        "iss": "https://issuer.example",
    }
    return jwt.encode(claims, SECRET, algorithm="HS256")


async def bare(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        raise RuntimeError(f"this serves no {scope['type']}")
    await send(START)
    await send(BODY)


native = JWTAuthBackend(**OPTIONS)
gated = AuthGateMiddleware(bare, backend=native, allowlist=["/static"])
gated_by_asyncmq = AsyncMQGate(bare, authenticate=AsyncMQBackend(**OPTIONS).authenticate)

if __name__ == "__main__":
    print(token())
