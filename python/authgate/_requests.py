"""The request that somebody's backend is handed: of the framework that is in use, or a small one of ours."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
SendMessage = Callable[[Message], Awaitable[None]]


class Headers(Mapping[str, str]):
    """Header fields, found whatever their case; of several, the first."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self._pairs = [(name.lower(), value) for name, value in pairs]

    def __getitem__(self, name: str) -> str:
        for key, value in self._pairs:
            if key == name.lower():
                return value
        raise KeyError(name)

    def getlist(self, name: str) -> list[str]:
        """All values of a field, in order."""
        return [value for key, value in self._pairs if key == name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(dict(self._pairs))

    def __len__(self) -> int:
        return len(dict(self._pairs))


class Request:
    """A request as a backend reads it where no web framework is in use.

    `scope` is the ASGI scope or the WSGI environ.
    """

    def __init__(self, scope: Scope, receive: Receive | None = None) -> None:
        self.scope = scope
        self._receive = receive

    @property
    def method(self) -> str:
        return str(self.scope.get("method") or self.scope.get("REQUEST_METHOD") or "GET")

    @property
    def path(self) -> str:
        return str(self.scope.get("path") or self.scope.get("PATH_INFO") or "/")

    @property
    def headers(self) -> Headers:
        if "headers" in self.scope:
            pairs = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in self.scope["headers"]]
            return Headers(pairs)
        fields = [(key[5:] if key.startswith("HTTP_") else key, value) for key, value in self.scope.items()]
        known = [(key.replace("_", "-"), value) for key, value in fields if isinstance(value, str)]
        return Headers(known)

    @property
    def cookies(self) -> dict[str, str]:
        """The request's cookies; none if they cannot be read."""
        try:
            jar = SimpleCookie("; ".join(self.headers.getlist("cookie")))
        except CookieError:
            return {}
        return {name: morsel.value for name, morsel in jar.items()}

    @property
    def session(self) -> Any:
        """The host's session, where some middleware keeps one in the scope."""
        return self.scope["session"]

    async def receive(self) -> Message:
        """The next message of the body (ASGI)."""
        if self._receive is None:
            raise RuntimeError("this request has nothing to receive")
        return await self._receive()


def request_of(scope: Scope, receive: Receive) -> Any:
    """A request of Lilya's if Lilya is loaded, else of Starlette's, else ours.

    Their classes refuse websockets, so for those it is one of a GET with the same headers, state and session.
    """
    if scope["type"] == "websocket":
        scope.setdefault("state", {})
        scope = {**scope, "type": "http", "method": "GET"}
    for module in ("lilya.requests", "starlette.requests"):
        if module in sys.modules:
            return sys.modules[module].Request(scope, receive)
    return Request(scope, receive)
