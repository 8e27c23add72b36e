"""Streams hear what has ended at other gates: one question at a time for all streams of a gate, and none waits long for it."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Any

from authgate._asking import Unanswered, ask, ask_now, off_the_loop, threads
from authgate._core import Lease
from authgate._requests import Message, SendMessage
from authgate.sessions import SharedStore

Asked = tuple["str | None", float, float]
"""What `Lease.asks` says."""

DEADLINE = 1.0
"""How long the store may take to tell, in seconds."""
PATIENCE = 0.25
"""How long a message waits for it, in seconds. What is told later counts for the messages after it."""


class Hearing:
    """Asks a gate's store on behalf of its streams. What one of them hears, the gate knows."""

    def __init__(self, store: SharedStore, asynchronous: SharedStore) -> None:
        self._store = store
        self._asynchronous = asynchronous
        self._pending: asyncio.Future[Any] | Future[Any] | None = None
        self._lock = threading.Lock()

    async def hear(self, lease: Lease, asked: Asked) -> None:
        """Asks, unless somebody is asking. Raises nothing: the lease knows how long silence may last."""
        if self._pending is not None and not self._pending.done():
            # What was left behind by an event loop that has ended is never done.
            if not isinstance(self._pending, asyncio.Future) or self._pending.get_loop() is asyncio.get_running_loop():
                return
        pending = self._pending = asyncio.ensure_future(self._ask(lease, asked))
        await asyncio.wait({pending}, timeout=PATIENCE)

    async def _ask(self, lease: Lease, asked: Asked) -> None:
        position, lifetime, moment = asked
        answer = off_the_loop(self._asynchronous.endings, position, lifetime)
        with contextlib.suppress(Unanswered, TypeError, ValueError):
            lease.hear(await ask("the session store", DEADLINE, answer), moment)

    def hear_now(self, lease: Lease, asked: Asked) -> None:
        """The same for whoever waits in a thread of its own."""
        with self._lock:
            if self._pending is not None and not self._pending.done():
                return
            pending = self._pending = threads("streams").submit(lambda: self._ask_now(lease, asked))
        with contextlib.suppress(FutureTimeout):
            pending.result(PATIENCE)

    def _ask_now(self, lease: Lease, asked: Asked) -> None:
        position, lifetime, moment = asked
        with contextlib.suppress(Unanswered, TypeError, ValueError):
            told: Any = ask_now("the session store", DEADLINE, lambda: self._store.endings(position, lifetime))
            lease.hear(told, moment)


async def send_after_hearing(
    hearing: Hearing, lease: Lease, asked: Asked, send: SendMessage, message: Message
) -> None:
    """Sends a message if the admission still holds; raises what a server does whose client has gone."""
    await hearing.hear(lease, asked)
    if not lease.holds():
        raise ConnectionError("the admission of this request has ended")
    await send(message)
