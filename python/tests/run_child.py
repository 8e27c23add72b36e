"""A program that makes a gate in a child of its own, as a job of `multiprocessing` does."""

from __future__ import annotations

import multiprocessing
from typing import Any


class Settings:
    """What a child may be given: it has workers, and one of them."""

    workers = 1


def work(settings: Settings, result: Any) -> None:
    import apps

    result.put(type(apps.wsgi).__name__)


if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    result = context.Queue()
    child = context.Process(target=work, args=(Settings(), result))
    child.start()
    print(result.get(timeout=20))
    child.join()
