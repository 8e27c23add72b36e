"""Requests as browsers and programs send them to an ASGI application: for benches, and for the training of a release."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

App = Callable[[Any, Any, Any], Awaitable[None]]
Fields = list[tuple[bytes, bytes]]

BROWSER: Fields = [
    (b"host", b"dash.example"),
    (b"user-agent", b"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
    (b"accept", b"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
    (b"accept-language", b"en-GB,en;q=0.5"),
    (b"accept-encoding", b"gzip, deflate, br"),
    (b"connection", b"keep-alive"),
]


async def sign_in(app: App) -> bytes:
    form = [(b"content-type", b"application/x-www-form-urlencoded"), (b"sec-fetch-site", b"same-origin")]
    sent = await ask(app, scope("/login", [*BROWSER, *form], "POST"), b"username=ada&password=right")
    cookies = [value for name, value in sent[0]["headers"] if name == b"set-cookie"]
    return bytes(cookies[0].split(b";")[0])


async def ask(app: App, asked: dict[str, Any], body: bytes = b"") -> list[Any]:
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(asked, receive, send)
    return sent


async def receive() -> dict[str, Any]:
    return {"type": "http.request", "body": b"", "more_body": False}


async def send(message: Any) -> None:
    pass


def scope(path: str, headers: Fields, method: str = "GET") -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 50_000),
        "scheme": "http",
        "method": method,
        "root_path": "",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"page=2",
        "headers": headers,
        "state": {},
    }
