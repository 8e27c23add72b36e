"""The gate's replies as responses of the framework that is in use."""

from __future__ import annotations

import sys
from typing import Any

from authgate._core import Reply
from authgate._requests import Receive, Scope, SendMessage


class Response:
    """A response as ASGI applications are called: `await response(scope, receive, send)`."""

    def __init__(self, status_code: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        self.status_code = status_code
        self.raw_headers = headers
        self.body = body

    async def __call__(self, scope: Scope, receive: Receive, send: SendMessage) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body})


def made_by(request: Any) -> str | None:
    """The framework that a request is of, subclasses included; `None` for any other."""
    for framework in ("lilya", "starlette"):
        module = sys.modules.get(f"{framework}.requests")
        if module is not None and isinstance(request, module.Request):
            return framework
    return None


def response_of(request: Any, reply: Reply) -> Any:
    """A response of the framework that the request is of."""
    framework = made_by(request)
    if framework is None:
        return Response(reply.status, reply.headers, reply.body)
    response = sys.modules[f"{framework}.responses"].Response(reply.body, status_code=reply.status)
    add = response.headers.add if framework == "lilya" else response.headers.append
    for name, value in reply.headers:
        # The framework counts the bytes itself; a field may come twice.
        if name != b"content-length":
            add(name.decode("latin-1"), value.decode("latin-1"))
    return response
