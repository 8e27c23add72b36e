"""A row of the table, and what the parts share."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target").resolve()


@dataclass(frozen=True)
class Row:
    """One comparison: what, how much of it for one of that, and what is aimed at (`<= 1.1`, or nothing)."""

    what: str
    ratio: float
    aim: str = ""
    figures: str = ""

    def is_reached(self) -> bool:
        sign, limit = self.aim.split()
        return self.ratio <= float(limit) if sign == "<=" else self.ratio >= float(limit)

    def __str__(self) -> str:
        word = ("reached" if self.is_reached() else "MISSED") if self.aim else ""
        return f"{self.what:58} {self.ratio:8.3f}  {self.aim:9} {word:8} {self.figures}".rstrip()


def of_rounds(rounds: list[dict[str, float]], one: str, other: str) -> float:
    """The median over rounds of what `one` takes for one of `other`."""
    return statistics.median(round_[one] / round_[other] for round_ in rounds)


def median(rounds: list[dict[str, float]], name: str) -> float:
    return statistics.median(round_[name] for round_ in rounds)


def cargo(*arguments: str) -> str:
    """What it prints. What it says beside that is shown only if it fails."""
    told = subprocess.run(["cargo", *arguments], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if told.returncode:
        sys.exit(f"tests/bench: cargo {' '.join(arguments)} failed:\n{told.stderr}")
    return told.stdout
