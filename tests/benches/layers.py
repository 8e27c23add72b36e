"""A small axum server, alone and behind layers that check a token: `tests/examples/load.rs` under wrk."""

from __future__ import annotations

import subprocess
from contextlib import ExitStack

from .load import in_rounds, running
from .rows import TARGET, Row, cargo, median, of_rounds

PROGRAM = TARGET / "release" / "examples" / "load"
LAYERS = ("ungated", "floor", "authgate", "jsonwebtoken")
AIMS = {"floor": "", "authgate": ">= 0.83", "jsonwebtoken": ""}


def build() -> None:
    cargo("build", "-q", "--release", "--locked", "-p", "authgate-tests", "--example", "load")


def measure(rounds: int) -> list[Row]:
    with ExitStack() as stack:
        servers = {}
        for layer in LAYERS:
            child = stack.enter_context(running([str(PROGRAM), layer], stdout=subprocess.PIPE))
            assert child.stdout is not None
            servers[layer] = child.stdout.readline().split()
        urls = {layer: (f"http://{address}/queues", token) for layer, (address, token) in servers.items()}
        figures = in_rounds(urls, rounds)
    return [
        Row(
            f"axum, {layer} / ungated, requests a second",
            of_rounds(figures, layer, "ungated"),
            aim,
            f"{median(figures, layer):,.0f} / {median(figures, 'ungated'):,.0f}",
        )
        for layer, aim in AIMS.items()
    ]
