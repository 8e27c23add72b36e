"""What stands beside the gate in AsyncMQ's dashboard."""

from __future__ import annotations

from typing import Any

from authgate._requests import Message, Receive, Scope, SendMessage

POLICY = b"content-security-policy"


class NoStore:
    """Marks answers to signed-in users `no-store`, so that the back button shows nothing once they have left.

    It stands inside a gate, which says who is signed in. What is public stays as cacheable as it was.
    """

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: SendMessage) -> None:
        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                fields = [
                    field for field in message.get("headers", ()) if field[0].lower() != b"cache-control"
                ]
                fields += [(b"cache-control", b"no-store"), (b"vary", b"Cookie")]
                message = {**message, "headers": fields}
            await send(message)

        signed_in = scope["type"] == "http" and "user" in (scope.get("state") or {})
        await self.app(scope, receive, marked if signed_in else send)


class OnePolicy:
    """Leaves an answer the policy that it brought, where a second one was added on the way out.

    The gate's own pages allow nothing but their one style sheet; AsyncMQ's policy on top forbids it as well.
    """

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: SendMessage) -> None:
        async def with_one(message: Message) -> None:
            if message["type"] == "http.response.start":
                fields = list(message.get("headers", ()))
                added = [place for place, field in enumerate(fields) if field[0].lower() == POLICY][1:]
                if added:
                    fields = [field for place, field in enumerate(fields) if place not in added]
                    message = {**message, "headers": fields}
            await send(message)

        await self.app(scope, receive, with_one)
