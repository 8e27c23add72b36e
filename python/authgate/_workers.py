"""Whether this process is one of several that serve the same application.

Sessions in one process's memory mean nothing to the next: people would be signed in by chance.
"""

from __future__ import annotations

import multiprocessing
import os
import shlex
import sys

from authgate.errors import ConfigError

REMEDY = (
    "session: there are several worker processes, and none knows the others' sessions; "
    "give all of them session=Sessions.sealed(secret), or a store that they share"
)


def refuse_several() -> None:
    """Raises `ConfigError` if there are several workers."""
    if several():
        raise ConfigError("session", REMEDY)


def several() -> bool:
    """Whether a server says that it runs several workers: on its command line, in the environment, or as our parent."""
    return _more_than_one(os.environ.get("WEB_CONCURRENCY")) or _asked_for() or _parent_has_several()


def _asked_for() -> bool:
    arguments = shlex.split(os.environ.get("GUNICORN_CMD_ARGS", "")) + sys.argv[1:]
    for index, argument in enumerate(arguments):
        name, _, value = argument.partition("=")
        if name in ("--workers", "-w"):
            following = arguments[index + 1] if index + 1 < len(arguments) else ""
            if _more_than_one(value or following):
                return True
        elif argument.startswith("-w") and _more_than_one(argument[2:]):
            return True
    return False


def _parent_has_several() -> bool:
    """uvicorn and hypercorn hand their settings to each worker that they start."""
    if multiprocessing.parent_process() is None:
        return False
    process = multiprocessing.current_process()
    given = [*getattr(process, "_args", ()), *getattr(process, "_kwargs", {}).values()]
    return any(_more_than_one(getattr(config, "workers", None)) for config in given)


def _more_than_one(value: object) -> bool:
    try:
        return int(value) > 1  # type: ignore[call-overload, no-any-return]
    except (TypeError, ValueError):
        return False
