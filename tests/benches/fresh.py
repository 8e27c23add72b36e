"""What is built anew only when it must be: training takes minutes, and cargo cannot know that it has been done."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from releases.profiles import llvm_profdata, told

from .rows import ROOT


@contextmanager
def stamped(stamp: Path, wanted: str) -> Iterator[bool]:
    """Whether what is wanted is not what is there; once it has been made, the stamp says what it is."""
    is_new = not stamp.exists() or stamp.read_text() != wanted
    if is_new:
        stamp.unlink(missing_ok=True)
    yield is_new
    stamp.write_text(wanted)


def compiler() -> str:
    """What builds, and what reads its counts."""
    return f"{told('rustc', '-vV')}{llvm_profdata()}"


def sources(*more: str) -> list[Path]:
    """What the program is made of, and more."""
    parts = ["Cargo.toml", "Cargo.lock", "core", "adapters", "tests/releases", *more]
    names = told("git", "-C", str(ROOT), "ls-files", "-co", "--exclude-standard", *parts).splitlines()
    return [ROOT / name for name in sorted(set(names)) if (ROOT / name).is_file()]


def hash_of(files: list[Path], beside: str) -> str:
    parts = [part for file in files for part in (str(file.relative_to(ROOT)).encode(), file.read_bytes())]
    return hashlib.sha256(b"\0".join([*parts, beside.encode()])).hexdigest()
