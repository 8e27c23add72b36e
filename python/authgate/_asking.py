"""Asking other people's code, which may be slow, raise, or answer with rubbish."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import inspect
import json
import os
import threading
import traceback
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from functools import cache
from typing import Any, TypeVar
from urllib.parse import quote, quote_plus

from authgate.events import logger

T = TypeVar("T")


class Unanswered(Exception):
    """Somebody could not be asked. The text is for the log."""


MOST_CHECKS = 128
"""The most passwords that are checked or wait for it at once: beyond that nobody would be answered in time."""


class Threads:
    """Threads for what blocks, apart from the event loop's own, which are the application's."""

    def __init__(self, name: str, most: int | None = None) -> None:
        self._pool = ThreadPoolExecutor(max_workers=min(32, (os.cpu_count() or 1) + 4), thread_name_prefix=name)
        self._most = most
        self._busy = 0
        self._lock = threading.Lock()

    def submit(self, function: Callable[[], T]) -> Future[T]:
        """Calls it in a thread; raises `Unanswered` if too many wait already."""
        with self._lock:
            if self._most is not None and self._busy >= self._most:
                raise Unanswered("too many passwords are being checked at the moment")
            self._busy += 1
        future = self._pool.submit(function)
        future.add_done_callback(self._done)
        return future

    def _done(self, _: Future[Any]) -> None:
        with self._lock:
            self._busy -= 1


@cache
def _threads(what: str, _process: int) -> Threads:
    return Threads(f"authgate-{what}", MOST_CHECKS if what == "passwords" else None)


def threads(what: str) -> Threads:
    """The threads for one purpose. Those for passwords are apart, so that no flood of them delays who is signed in."""
    return _threads(what, os.getpid())


async def in_thread(function: Callable[..., T], *arguments: Any, what: str = "stores") -> T:
    """Calls what blocks, off the event loop, in the caller's context."""
    context = contextvars.copy_context()

    def call() -> T:
        try:
            return context.run(function, *arguments)
        except StopIteration as error:
            # A future cannot hold it, so nobody would learn of it. `next(…)` without a default raises it.
            raise RuntimeError("StopIteration was raised") from error

    return await asyncio.wrap_future(threads(what).submit(call))


def off_the_loop(function: Callable[..., Any], *arguments: Any) -> Awaitable[Any]:
    """What somebody's function answers, be it `def` or `async def`, without blocking the event loop."""
    if inspect.iscoroutinefunction(function):
        answer: Awaitable[Any] = function(*arguments)
        return answer
    return _awaited(in_thread(function, *arguments))


async def _awaited(answer: Awaitable[Any]) -> Any:
    answer = await answer
    return await answer if inspect.isawaitable(answer) else answer


async def ask(whom: str, deadline: float, answer: Awaitable[T], *, secret: str = "") -> T:
    """An answer within the deadline, in seconds. `secret` never appears in what is raised or logged."""
    task = asyncio.ensure_future(_staying(answer))
    try:
        # Unlike `wait_for`, this does not wait for somebody who will not be cancelled, and tells a deadline of ours from
        # a `TimeoutError` of theirs.
        done, _ = await asyncio.wait({task}, timeout=deadline)
    finally:
        if not task.done():
            task.add_done_callback(_unheard)
            task.cancel()
    if not done:
        raise Unanswered(f"{whom} gave no answer within {deadline:g} s")
    if task.cancelled():
        # By somebody else: we have not been.
        raise Unanswered(f"{whom} was cancelled")
    try:
        return task.result()
    except Unanswered:
        raise
    except Exception as error:
        raise failure(whom, error, secret) from None


async def _staying(answer: Awaitable[T]) -> T:
    """What `sys.exit` raises would end the event loop, and the server with it."""
    try:
        return await answer
    except SystemExit as error:
        raise RuntimeError("SystemExit was raised") from error


def _unheard(task: asyncio.Future[Any]) -> None:
    """Takes what is raised after the deadline, which asyncio would log as nobody's, secrets and all."""
    if not task.cancelled():
        task.exception()


def ask_now(whom: str, deadline: float, function: Callable[[], T | Awaitable[T]], *, secret: str = "") -> T:
    """The same for whoever waits in a thread of its own. What is asynchronous runs in an event loop of ours."""
    try:
        answer = function()
        if not inspect.isawaitable(answer):
            return answer
    except (Exception, SystemExit, asyncio.CancelledError) as error:
        raise failure(whom, error, secret) from None
    # Its task begins in this thread's context: asyncio copies it.
    future = asyncio.run_coroutine_threadsafe(ask(whom, deadline, answer, secret=secret), _loop(os.getpid()))
    try:
        # The loop itself may be blocked by somebody who should not.
        told: T = future.result(deadline + 1)
        return told
    except FutureTimeout:
        future.cancel()
        raise Unanswered(f"{whom} gave no answer within {deadline:g} s") from None


@cache
def _loop(_process: int) -> asyncio.AbstractEventLoop:
    """One event loop for all that is asynchronous under WSGI, so that connections to a directory can be kept."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="authgate-loop", daemon=True).start()
    return loop


def failure(whom: str, error: BaseException, secret: str = "") -> Unanswered:
    """Logs what was raised, and says it in a line."""
    forms = {secret, repr(secret)[1:-1], json.dumps(secret)[1:-1], quote(secret), quote_plus(secret)}

    def safe(text: str) -> str:
        # The longest first: a form may be a part of another.
        for form in sorted(forms, key=len, reverse=True) if secret else ():
            text = text.replace(form, "•••")
        return text

    # A filter of the log's may raise. That must not decide how this ends.
    with contextlib.suppress(Exception):
        logger.error("%s raised:\n%s", whom, safe("".join(traceback.format_exception(error))))
    try:
        text = str(error)
    except Exception:
        text = "what it says about itself cannot be read"
    return Unanswered(safe(f"{whom} raised {type(error).__name__}: {text}"))
