"""What the package offers is what public-api.txt says, so that a break stands in the diff."""

from __future__ import annotations

import importlib
import inspect
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

KEPT = Path(__file__).with_name("public-api.txt")
DOORS = {"authgate": None, "authgate.asyncmq": None, "authgate.redis": ["RedisStore"], "authgate.wsgi": ["AuthGate"]}
"""The modules that people import from, and what of it; without a list, what `__all__` names."""


def test_the_package_offers_what_it_is_known_to_offer() -> None:
    offered = "".join(f"{line}\n" for line in sorted({line for door in DOORS for line in lines_of(door)}))
    if os.environ.get("AUTHGATE_BLESS"):
        KEPT.write_text(offered)
    assert offered == KEPT.read_text(), "if that is wanted, run this test with AUTHGATE_BLESS=1"


def lines_of(door: str) -> Iterator[str]:
    module = importlib.import_module(door)
    for name in DOORS[door] or module.__all__:
        found = getattr(module, name)
        yield f"{door}.{name}{shape_of(found)}"
        if inspect.isclass(found):
            for member in dir(found):
                if not member.startswith("_") and is_ours(found, member):
                    yield f"{door}.{name}.{member}{shape_of(inspect.getattr_static(found, member))}"


def is_ours(found: type, member: str) -> bool:
    """Whether a member comes from a class of this package; others' change as they like."""
    return next(base for base in found.__mro__ if member in vars(base)).__module__.startswith("authgate")


def shape_of(found: Any) -> str:
    """How it is called, or of what kind it is."""
    function = getattr(found, "__func__", found)
    if not callable(function):
        return f": {type(found).__name__}"
    if inspect.isclass(found) and not (is_ours(found, "__init__") or is_ours(found, "__new__")):
        return ": class"
    return re.sub(r" at 0x[0-9a-f]+", "", str(inspect.signature(function)))
