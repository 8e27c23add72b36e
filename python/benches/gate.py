"""What a gate adds to a request, in one run: authgate's beside AsyncMQ's. Prints µs a request and ratios.

    python benches/gate.py

Needs asyncmq and PyJWT. All cases are interleaved, and the fastest of many rounds counts, so that a busy machine slows all
of them or none. Run it on a machine with nothing else to do.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

import jwt
from asyncmq.contrib.dashboard.admin import AuthGateMiddleware as AsyncMQGate
from asyncmq.contrib.dashboard.admin.backends.jwt import JWTAuthBackend as AsyncMQBackend

import authgate

SECRET = "a secret of at least thirty-two bytes, for benches"
CLAIMS = {
    "sub": "ada-lovelace",
    "name": "Ada Lovelace",
    "is_admin": True,
    "roles": ["operator", "oncall"],
    "iat": int(time.time()) - 60,
    "exp": int(time.time()) + 86_400,
    "aud": "dashboard",
    "iss": "https://issuer.example",
}
TOKEN = jwt.encode(CLAIMS, SECRET, algorithm="HS256")
OPTIONS: dict[str, Any] = {"secret": SECRET, "audience": "dashboard", "issuer": "https://issuer.example"}
BROWSER = [
    (b"host", b"dash.example"),
    (b"user-agent", b"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
    (b"accept", b"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
    (b"accept-language", b"en-GB,en;q=0.5"),
    (b"accept-encoding", b"gzip, deflate, br"),
    (b"connection", b"keep-alive"),
]
BEARER = [*BROWSER, (b"authorization", f"Bearer {TOKEN}".encode())]
CASES = {
    "forward, valid HS256": ("/queues", BEARER),
    "303 for anonymous": ("/queues", BROWSER),
    "401 HTMX": ("/queues", [*BROWSER, (b"hx-request", b"true")]),
    "public path": ("/static/app.css", BROWSER),
}
START = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]}
BODY = {"type": "http.response.body", "body": b"ok"}

App = Callable[[Any, Any, Any], Awaitable[None]]


async def bare(scope: Any, receive: Any, send: Any) -> None:
    await send(START)
    await send(BODY)


async def receive() -> dict[str, Any]:
    return {"type": "http.request", "body": b"", "more_body": False}


async def send(message: Any) -> None:
    pass


def scope(path: str, headers: list[tuple[bytes, bytes]]) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 50_000),
        "scheme": "http",
        "method": "GET",
        "root_path": "",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"page=2",
        "headers": headers,
        "state": {},
    }


async def measure(app: App, path: str, headers: list[tuple[bytes, bytes]], requests: int) -> float:
    """µs a request, the making of the scopes left out."""
    scopes = [scope(path, list(headers)) for _ in range(requests)]
    start = time.perf_counter()
    for one in scopes:
        await app(one, receive, send)
    return (time.perf_counter() - start) / requests * 1e6


async def main(rounds: int = 60, requests: int = 500) -> None:
    native = authgate.JWTAuthBackend(**OPTIONS)
    apps: dict[str, App] = {
        "bare": bare,
        "authgate, backend=": authgate.AuthGateMiddleware(bare, backend=native, allowlist=["/static"]),
        "authgate, authenticate=": authgate.AuthGateMiddleware(bare, authenticate=native.authenticate),
        "asyncmq": AsyncMQGate(bare, authenticate=AsyncMQBackend(**OPTIONS).authenticate),
    }
    best: dict[tuple[str, str], float] = {}
    for _ in range(rounds):
        for case, (path, headers) in CASES.items():
            for name, app in apps.items():
                took = await measure(app, path, headers, requests)
                best[case, name] = min(took, best.get((case, name), took))
    print(f"{'µs over the bare app':24}" + "".join(f"{name:>26}" for name in list(apps)[1:]) + f"{'ratio':>16}")
    for case in CASES:
        over = {name: best[case, name] - best[case, "bare"] for name in list(apps)[1:]}
        ratios = " / ".join(f"{over['asyncmq'] / over[name]:.1f}" for name in list(apps)[1:3])
        print(f"{case:24}" + "".join(f"{value:26.2f}" for value in over.values()) + f"{ratios:>16}")


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
