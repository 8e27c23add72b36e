"""Types of arguments, judged where they are given: each error names the argument, and says what is wanted."""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterable, Iterator

from authgate.errors import ConfigError


def texts(argument: str, given: Iterable[str]) -> list[str]:
    """A list of texts. A lone text is one somebody forgot the brackets around."""
    if isinstance(given, str | bytes):
        raise TypeError(f"{argument}: it is a list of texts; write ({given!r},)")
    if not isinstance(given, Iterable):
        raise TypeError(f"{argument}: a {type(given).__name__} is no list of texts")
    if isinstance(given, Iterator):
        # Whoever reads it again, as frameworks do that make a middleware twice, would find nothing in it.
        raise TypeError(f"{argument}: a {type(given).__name__} can be read once; give a list")
    found = list(given)
    for text in found:
        if not isinstance(text, str):
            raise TypeError(f"{argument}: {text!r} is no text")
    return found


def paths(argument: str, given: Iterable[str]) -> list[str]:
    """A list of paths, which are compared as they stand."""
    found = texts(argument, given)
    for path in found:
        if "*" in path:
            plain = path.partition("*")[0].rstrip("/") or "/static"
            text = f"{argument}: {path!r} is a pattern, and there are none; write {plain!r}"
            raise ConfigError(argument, text)
    return found


def seconds(argument: str, given: object, *, positive: bool = False) -> float:
    """A span of time in seconds."""
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise TypeError(f"{argument}: a {type(given).__name__} is no number of seconds; write for example 5")
    if math.isnan(given) or math.isinf(given) or given < 0 or (positive and given == 0):
        raise ConfigError(argument.partition(":")[0], f"{argument}: {given!r} is no time; give seconds, such as 5")
    return float(given)


def callables(**given: object) -> None:
    """Raises `TypeError` for what is there and cannot be called at once; only the application must be there."""
    for argument, value in given.items():
        if not callable(value) and (value is not None or argument == "app"):
            raise TypeError(f"{argument}: a {type(value).__name__} cannot be called")
        if argument != "app" and inspect.iscoroutinefunction(value):
            raise TypeError(f"{argument}: it is `async def`; give a `def`, which is called at once")
