"""Applications that servers are told to serve: `apps:asgi` and the like."""

from __future__ import annotations

import os
from typing import Any

from authgate import AuthGateMiddleware, JWTAuthBackend, Sessions
from authgate.wsgi import AuthGate

from world import SECRET, asgi_dashboard, password, wsgi_dashboard

LIFESPAN = {"began": False}


async def _dashboard(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        assert (await receive())["type"] == "lifespan.startup"
        LIFESPAN["began"] = True
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
    elif scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] != "websocket.disconnect":
            await send({"type": "websocket.send", "text": f"{scope['state']['user'].id}: {message['text']}"})
    elif scope["path"] == "/healthz":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"began" if LIFESPAN["began"] else b""})
    else:
        await asgi_dashboard(scope, receive, send)


def _session() -> Sessions:
    kind, _, shared = os.environ.get("SESSIONS", "").partition("+")
    if kind == "sealed":
        sealed = Sessions.sealed(SECRET)
        return sealed.sharing(os.environ["REDIS"]) if shared else sealed
    return Sessions.records(os.environ["REDIS"] if kind == "redis" else None)


def _settings() -> dict[str, Any]:
    backend = [password(), JWTAuthBackend(secret=SECRET)]
    return {"backend": backend, "session": _session(), "public_paths": ["/healthz"]}


asgi = AuthGateMiddleware(_dashboard, **_settings())
wsgi = AuthGate(wsgi_dashboard, **_settings())


def _tokens() -> JWTAuthBackend:
    return JWTAuthBackend(jwks_url=os.environ.get("JWKS", "https://id.example/"), algorithms=["RS256"])


tokens = AuthGateMiddleware(_dashboard, backend=_tokens(), public_paths=["/healthz"])
wsgi_tokens = AuthGate(wsgi_dashboard, backend=_tokens(), public_paths=["/healthz"])
