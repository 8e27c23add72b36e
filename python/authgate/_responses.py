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


def response_of(request: Any, reply: Reply) -> Any:
    """A response of the framework that the request is of."""
    framework = type(request).__module__.partition(".")[0]
    if framework not in ("lilya", "starlette"):
        return Response(reply.status, reply.headers, reply.body)
    fields = {name.decode("latin-1"): value.decode("latin-1") for name, value in reply.headers}
    kind = sys.modules[f"{framework}.responses"].Response
    media_type = fields.pop("content-type", None)
    fields.pop("content-length", None)
    return kind(reply.body, status_code=reply.status, headers=fields, media_type=media_type)
