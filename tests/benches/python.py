"""The wheel beside PyJWT, oxyjwt and AsyncMQ's own gate: `python/benches`, alone and under uvicorn."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from releases.profiles import training_of_wheels

from .fresh import compiler, hash_of, sources, stamped
from .load import in_rounds, running
from .program import free_port
from .rows import ROOT, TARGET, Row, median, of_rounds

VENV = TARGET / "bench-venv"
PYTHON = VENV / "bin" / "python"
BENCHES = ROOT / "python" / "benches"
REQUIREMENTS = [BENCHES / "requirements.txt", ROOT / "python" / "tests" / "requirements.txt"]
WHEELS = TARGET / "bench-wheels"
APPS = {"bare": "bare", "authgate": "gated", "asyncmq": "gated_by_asyncmq"}


def build() -> None:
    """An environment of its own with the peers, and the wheel as it is published."""
    with stamped(VENV / "requirements.sha256", hash_of(REQUIREMENTS, sys.version)) as is_new:
        if is_new:
            run(sys.executable, "-m", "venv", "--clear", str(VENV))
            run(str(PYTHON), "-m", "pip", "install", "-q", "--disable-pip-version-check", "-r", str(REQUIREMENTS[0]))
    with stamped(VENV / "wheel.sha256", hash_of(sources("python"), compiler())) as is_new:
        if is_new or not wheels():
            run("sh", str(ROOT / "python" / "tests" / "install.sh"), str(PYTHON), str(WHEELS), **training_of_wheels())


def wheels() -> list[Path]:
    return list(WHEELS.glob("authgate-*.whl"))


def measure(rounds: int) -> list[Row]:
    [wheel] = wheels()
    return [
        *tokens(bench("tokens.py")),
        *requests(bench("gate.py")),
        *under_uvicorn(rounds),
        Row("the wheel's size, MB", wheel.stat().st_size / 1e6),
    ]


def bench(name: str) -> dict[str, dict[str, float]]:
    """What a bench prints as JSON: µs by the column and the case."""
    told = subprocess.run([str(PYTHON), str(BENCHES / name), "--json"], capture_output=True, text=True, check=True)
    found: dict[str, dict[str, float]] = json.loads(told.stdout)
    return found


def tokens(figures: dict[str, dict[str, float]]) -> list[Row]:
    rows = []
    for algorithm, took in figures.items():
        ours = took["authgate, verify"]
        for peer, aims in [
            ("PyJWT, decode", {"HS256": ">= 32"}),
            ("oxyjwt, prepared key", {"HS256": ">= 2.5", "RS256": ">= 1.0", "ES256": ">= 1.0", "EdDSA": ">= 1.0"}),
            ("joserfc", {}),
            ("AsyncMQ, authenticate", {}),
        ]:
            ratio, told = took[peer] / ours, f"{took[peer]:.2f} / {ours:.2f} µs"
            name = f"{algorithm} token that comes again, to a user: {peer} / authgate"
            rows.append(Row(name, ratio, aims.get(algorithm, ""), told))
    return rows


def requests(figures: dict[str, dict[str, float]]) -> list[Row]:
    """What is added to the bare application."""
    rows = []
    for case, peer, aim in [
        ("forward, valid HS256", "asyncmq", ">= 35"),
        ("303 for anonymous", "asyncmq", ">= 9"),
        ("401 HTMX", "asyncmq", ">= 9"),
        ("public path", "asyncmq", ">= 5"),
        ("signed-in session", "asyncmq and starlette", ">= 6.67"),
    ]:
        took = {name: value - figures[case]["bare"] for name, value in figures[case].items()}
        told = f"{took[peer]:.2f} / {took['authgate']:.2f} µs"
        rows.append(Row(f"ASGI, {case}: {peer} / authgate", took[peer] / took["authgate"], aim, told))
    return rows


def under_uvicorn(rounds: int) -> list[Row]:
    token = subprocess.run([str(PYTHON), str(BENCHES / "apps.py")], capture_output=True, text=True, check=True).stdout
    with ExitStack() as stack:
        urls = {}
        for name, app in APPS.items():
            port = free_port()
            options = ["--port", str(port), "--loop", "uvloop", "--http", "httptools", "--no-access-log"]
            command = [str(PYTHON), "-m", "uvicorn", f"apps:{app}", "--log-level", "warning", *options]
            stack.enter_context(running([*command, "--app-dir", str(BENCHES)]))
            urls[name] = (f"http://127.0.0.1:{port}/queues", token.strip())
        figures = in_rounds(urls, rounds)
    return [
        Row(
            f"uvicorn, {name} / ungated, requests a second",
            of_rounds(figures, name, "bare"),
            aim,
            f"{median(figures, name):,.0f} / {median(figures, 'bare'):,.0f}",
        )
        for name, aim in [("authgate", ">= 0.91"), ("asyncmq", "")]
    ]


def run(*command: str, **environment: str) -> None:
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL, env=os.environ | environment)
