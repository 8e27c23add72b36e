"""The core alone: `core/benches/decisions`, whose cases take turns of a millisecond."""

from __future__ import annotations

import json

from .rows import Row, cargo, median, of_rounds

BENCH = ("bench", "-q", "--locked", "-p", "authgate-core", "--bench", "decisions")
TURNS = 100  # so many short rounds for each: where things lie in memory is another matter in each process

# what is measured, for one of what, what is aimed at, and how it is called
ROWS = [
    ("hs256/forward", "hs256/floor", "<= 1.1", "HS256 token that comes again, forward / floor"),
    ("hs256/new", "hs256/floor, new", "<= 1.1", "HS256 token that comes for the first time, forward / floor"),
    ("hs256/verify", "hs256/floor", "", "HS256 token that comes again, without a request, verify / floor"),
    ("hs256/jsonwebtoken, new", "hs256/new", ">= 2.6", "jsonwebtoken::decode, HS256 / forward for the first time"),
    ("hs256/jsonwebtoken", "hs256/verify", "", "jsonwebtoken::decode, HS256 / verify of one that comes again"),
    ("hs256/jsonwebtoken", "hs256/forward", ">= 2.6", "jsonwebtoken::decode, HS256 / forward of one that comes again"),
    *(
        row
        for name in ("rs256", "es256", "eddsa")
        for row in (
            (f"{name}/forward", f"{name}/verify alone", "<= 1.05", f"{name.upper()} token again, forward / aws-lc verify"),
            (f"{name}/jsonwebtoken", f"{name}/forward", "", f"jsonwebtoken::decode, {name.upper()} / forward"),
        )
    ),
    ("sealed/forward", "sealed/floor", "<= 1.2", "sealed session that comes again, forward / AEAD open and decode"),
    ("sealed/new", "sealed/floor, new", "<= 1.2", "sealed session that comes for the first time, forward / AEAD open and decode"),
    ("nobody/public path", "hs256/floor", "<= 0.25", "public path / HS256 floor"),
    ("nobody/303", "hs256/floor", "<= 0.65", "303 to the login page / HS256 floor"),
    ("nobody/401", "hs256/floor", "<= 0.65", "401 for a program / HS256 floor"),
    *(
        (f"growth/{what}/{size}", f"growth/{what}/1", "", f"{size:,} {what} / one")
        for what in ("keys", "tokens", "public paths", "rules", "sessions")
        for size in (100, 10_000)
    ),
]


def build() -> None:
    cargo(*BENCH, "--no-run")


def measure(rounds: int) -> list[Row]:
    runs = [cargo(*BENCH, "--", "--turns", str(TURNS)) for _ in range(rounds)]
    figures = [json.loads(line) for told in runs for line in told.splitlines()]
    return [
        Row(told, of_rounds(figures, one, other), aim, f"{median(figures, one):.0f} / {median(figures, other):.0f} ns")
        for one, other, aim, told in ROWS
    ]
