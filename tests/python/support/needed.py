"""Programs of the system that these tests start. Where one cannot be had, what needs it is skipped, and says so."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

PACKAGES = {"redis-server": "redis-server", "nginx": "nginx-light", "chromium": "chromium"}


def found(program: str) -> str:
    path = shutil.which(program) or shutil.which(program, path="/usr/sbin")
    if path is None:
        pytest.skip(f"{program} is missing: Debian has it in the package {PACKAGES[program]}")
    return path


def faketime() -> Path:
    """The library that tells programs another time of day."""
    for path in Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"):
        return path
    pytest.skip("libfaketime is missing: Debian has it in the package faketime")
