"""Asking other people's code, which may be slow, raise, or answer with rubbish."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import os
import traceback
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, TypeVar

from authgate.events import logger

T = TypeVar("T")


class Unanswered(Exception):
    """Somebody could not be asked. The text is for the log."""


@cache
def pool() -> ThreadPoolExecutor:
    """Threads for what blocks, apart from the event loop's own, which are the application's."""
    return ThreadPoolExecutor(max_workers=min(32, (os.cpu_count() or 1) + 4), thread_name_prefix="authgate")


async def in_thread(function: Callable[..., T], *arguments: Any) -> T:
    """Calls what blocks, off the event loop, in the caller's context."""
    context = contextvars.copy_context()
    return await asyncio.get_running_loop().run_in_executor(pool(), lambda: context.run(function, *arguments))


async def ask(whom: str, deadline: float, answer: Awaitable[T], *, secret: str = "") -> T:
    """An answer within the deadline, in seconds. `secret` never appears in what is raised or logged."""
    try:
        return await asyncio.wait_for(answer, deadline)
    except asyncio.TimeoutError:
        raise Unanswered(f"{whom} gave no answer within {deadline:g} s") from None
    except Exception as error:
        raise failure(whom, error, secret) from None


def ask_now(whom: str, deadline: float, function: Callable[[], T | Awaitable[T]], *, secret: str = "") -> T:
    """The same for whoever waits in a thread of its own. What is asynchronous runs in a loop of its own."""
    try:
        answer = function()
        if not inspect.isawaitable(answer):
            return answer

        async def wait() -> T:
            return await asyncio.wait_for(answer, deadline)

        return pool().submit(asyncio.run, wait()).result()
    except asyncio.TimeoutError:
        raise Unanswered(f"{whom} gave no answer within {deadline:g} s") from None
    except Exception as error:
        raise failure(whom, error, secret) from None


def failure(whom: str, error: BaseException, secret: str = "") -> Unanswered:
    """Logs what was raised, and says it in a line."""

    def safe(text: str) -> str:
        return text.replace(secret, "•••") if secret else text

    logger.error("%s raised:\n%s", whom, safe("".join(traceback.format_exception(error))))
    return Unanswered(safe(f"{whom} raised {type(error).__name__}: {error}"))
