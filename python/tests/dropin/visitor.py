"""Somebody with a cookie jar who asks an ASGI application, and everything that came back."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode

OURS = {"sec-fetch-site": "same-origin"}
FORM = "application/x-www-form-urlencoded"


@dataclass
class Answer:
    status: int
    fields: list[tuple[str, str]]
    body: bytes

    def __getitem__(self, name: str) -> str:
        return ", ".join(value for key, value in self.fields if key == name)

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass
class Visitor:
    app: Any
    client: tuple[str, int] | None = ("127.0.0.1", 4000)
    root: str = ""
    cookies: dict[str, str] = field(default_factory=dict)

    def get(self, target: str, **fields: str) -> Answer:
        return self.ask("GET", target, fields)

    def post(self, target: str, form: Any = (), fields: dict[str, str] | None = None) -> Answer:
        """Posts a form from the dashboard's own page, unless `fields` say otherwise."""
        body = form if isinstance(form, bytes) else urlencode(form).encode()
        return self.ask("POST", target, {"content-type": FORM, **(OURS if fields is None else fields)}, body)

    def sign_in(self, username: str, password: str, target: str = "/login", **more: str) -> Answer:
        return self.post(target, {"username": username, "password": password, **more})

    def ask(self, method: str, target: str, fields: dict[str, str], body: bytes = b"") -> Answer:
        return asyncio.run(self._ask(method, target, fields, body))

    async def _ask(self, method: str, target: str, fields: dict[str, str], body: bytes) -> Answer:
        path, _, query = target.partition("?")
        given = {"host": "dash.example", "content-length": str(len(body)), **fields}
        if self.cookies:
            given["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": self.root + path,
            "raw_path": (self.root + path).encode(),
            "root_path": self.root,
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in given.items()],
            "client": self.client,
            "server": ("dash.example", 80),
        }
        # In pieces, as servers give it.
        pieces = [body[at : at + 65_536] for at in range(0, len(body), 65_536)] or [b""]
        sent: list[Any] = []

        async def receive() -> Any:
            if not pieces:
                return {"type": "http.disconnect"}
            piece = pieces.pop(0)
            return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

        async def send(message: Any) -> None:
            sent.append(message)

        await self.app(scope, receive, send)
        fields_back = [(name.decode().lower(), value.decode()) for name, value in sent[0]["headers"]]
        for name, value in fields_back:
            if name == "set-cookie":
                self._keep(value)
        return Answer(
            sent[0]["status"], fields_back, b"".join(message.get("body", b"") for message in sent[1:])
        )

    def _keep(self, field: str) -> None:
        for name, morsel in SimpleCookie(field).items():
            if morsel["expires"].startswith("Thu, 01 Jan 1970") or morsel["max-age"] == "0":
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = morsel.value


async def handshake(app: Any, path: str, *fields: tuple[str, str], root: str = "") -> list[Any]:
    """What a websocket's handshake was answered."""
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"host", b"dash.example"), *((name.encode(), value.encode()) for name, value in fields)]
    scope = {
        "type": "websocket",
        "asgi": {"version": "3.0"},
        "scheme": "ws",
        "path": root + path,
        "root_path": root,
        "query_string": b"",
        "headers": headers,
        "client": ("127.0.0.1", 4000),
        "server": ("dash.example", 80),
        "subprotocols": [],
    }
    await app(scope, receive, send)
    return sent
