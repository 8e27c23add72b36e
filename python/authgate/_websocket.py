"""Websockets end when the admission does."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

from authgate._core import Lease
from authgate._requests import Message, Receive, Scope, SendMessage

LONGEST_LOOK = 1.0
"""A session may end early, because its user signs out: websockets learn of it within this time, in seconds."""
LONGEST_SLEEP = 30.0
"""A timer counts seconds, but it is the clock that decides, and a clock may be set: so it is looked at again."""
POLICY_VIOLATION = 1008
UNAUTHORIZED = 3000
"""What is registered for applications to say the same (RFC 6455 §11.7)."""


async def guarded(
    app: Callable[..., Awaitable[None]], scope: Scope, receive: Receive, send: SendMessage, lease: Lease
) -> None:
    """Runs the application until it ends, or until nothing may pass any more in either direction."""
    guard = _Guard(receive, send, lease)
    try:
        await app(scope, guard.receive, guard.send)
    finally:
        guard.end()


class _Guard:
    def __init__(self, receive: Receive, send: SendMessage, lease: Lease) -> None:
        self._receive = receive
        self._send = send
        self._lease = lease
        self._hearing = lease.hearing
        self._pending: asyncio.Future[Message] | None = None
        self._closed = False

    async def receive(self) -> Message:
        """The next message, or that the client has gone as soon as the admission has ended."""
        while await self._holds():
            # Several of the application's tasks may wait at once: each message is for one of them.
            pending = self._pending = self._pending or asyncio.ensure_future(self._receive())
            await asyncio.wait({pending}, timeout=self._until_the_next_look())
            holds = await self._holds()
            if pending.done() and pending is self._pending and holds:
                self._pending = None
                message = pending.result()
                self._closed |= message["type"] == "websocket.disconnect"
                return message
        await self._close()
        return {"type": "websocket.disconnect", "code": POLICY_VIOLATION, "reason": ""}

    async def send(self, message: Message) -> None:
        """Passes a message on; once the admission has ended, a close in the place of all others."""
        if await self._holds():
            self._closed |= message["type"] not in ("websocket.accept", "websocket.send")
            await self._send(message)
        else:
            await self._close()

    def end(self) -> None:
        """The application has ended, so nobody waits for the next message."""
        if self._pending is not None:
            self._pending.cancel()

    async def _close(self) -> None:
        if not self._closed:
            self._closed = True
            try:
                await self._send({"type": "websocket.close", "code": POLICY_VIOLATION})
            except Exception:
                # Some servers send no code below 3000, and some raise once the client has gone.
                with contextlib.suppress(Exception):
                    await self._send({"type": "websocket.close", "code": UNAUTHORIZED})

    async def _holds(self) -> bool:
        """Whether the admission holds, as far as is known here; where others may have ended it, they are heard first."""
        if self._hearing is not None and (asked := self._lease.asks()) is not None:
            await self._hearing.hear(self._lease, asked)
        return self._lease.holds()

    def _until_the_next_look(self) -> float:
        longest = LONGEST_LOOK if self._lease.is_revocable else LONGEST_SLEEP
        left: Any = self._lease.left()
        return longest if left is None else max(0.001, min(left, longest))
