"""A dashboard with a gate of its own, in Python, which shares its sign-ins with gates that stand before others: `uvicorn python_gate:app`.

Its environment says who its users are and what it shares.
"""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

from authgate import AuthGateMiddleware, JWTAuthBackend, Sessions, SimpleUsernamePasswordBackend, User
from authgate.redis import RedisStore

SHARED = json.loads(os.environ["SHARED"])
"""`store` and `prefix` (a Redis, if any), `secret` (what seals sessions, if they are sealed), `using` (more about them), `tokens`."""

# The password of everybody, and what the file of users has for it: once that changes, older sessions end.
PASSWORD, HASH = SHARED["password"], SHARED["hash"]


def look_up(name: str) -> tuple[User, str] | None:
    people = json.loads(Path(SHARED["people"]).read_text())
    return (User(name, people[name], is_admin=False), HASH) if name in people else None


def verify(name: str, password: str) -> tuple[User, str] | None:
    return look_up(name) if password == PASSWORD else None


def sessions() -> Sessions:
    store, sealing = SHARED.get("store"), SHARED.get("secret")
    if store is None:
        return Sessions.sealed(sealing)
    shared = RedisStore(store, prefix=SHARED["prefix"]) if "prefix" in SHARED else store
    kept = Sessions.sealed(sealing).sharing(shared) if sealing else Sessions.records(shared)
    return kept.using(**SHARED.get("using", {}))


def tokens() -> list[JWTAuthBackend]:
    return [JWTAuthBackend(**SHARED["tokens"])] if "tokens" in SHARED else []


async def dashboard(scope: Any, receive: Any, send: Any) -> None:
    """Says who asks and which process answers; `/events` goes on and on, and `/sign-out-everywhere` does that to a user."""
    assert scope["type"] == "http", scope["type"]
    user = scope["state"].get("user")
    told = f"python {os.getpid()} {getattr(user, 'id', '-')}".encode()
    path, _, target = scope["path"].partition("/of/")
    is_stream = path == "/events"
    kind = b"text/event-stream" if is_stream else b"text/plain"
    if path == "/sign-out-everywhere":
        await asyncio.to_thread(app.sign_out_everywhere, target)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", kind)]})
    try:
        while is_stream:
            await send({"type": "http.response.body", "body": b"data: hello\n\n", "more_body": True})
            await asyncio.sleep(0.1)
        await send({"type": "http.response.body", "body": told})
    except ConnectionError:
        pass  # the user has signed out, or left


app = AuthGateMiddleware(
    dashboard,
    backend=[SimpleUsernamePasswordBackend(verify, look_up=look_up), *tokens()],
    session=sessions(),
    allowlist=["/public"],
    trusted_proxies=["127.0.0.1"],
    allowed_hosts=SHARED.get("allowed_hosts", []),
)
