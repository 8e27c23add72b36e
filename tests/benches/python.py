"""The wheel beside PyJWT, oxyjwt and AsyncMQ's own gate: `python/benches`, alone and under uvicorn."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from .load import in_rounds, running
from .program import free_port
from .rows import ROOT, TARGET, Row, median, of_rounds

VENV = TARGET / "bench-venv"
PYTHON = VENV / "bin" / "python"
BENCHES = ROOT / "python" / "benches"
REQUIREMENTS = [BENCHES / "requirements.txt", ROOT / "python" / "tests" / "requirements.txt"]
WHEELS = TARGET / "bench-wheels"
OLDEST_LLVM = 19
APPS = {"bare": "bare", "authgate": "gated", "asyncmq": "gated_by_asyncmq"}


def build() -> None:
    """An environment of its own with the peers, and the wheel as it is published."""
    with stamped(VENV / "requirements.sha256", hash_of(REQUIREMENTS, sys.version)) as is_new:
        if is_new:
            run(sys.executable, "-m", "venv", "--clear", str(VENV))
            run(str(PYTHON), "-m", "pip", "install", "-q", "--disable-pip-version-check", "-r", str(REQUIREMENTS[0]))
    # Training takes minutes, and cargo cannot know that it has been done.
    profdata = llvm_profdata()
    with stamped(VENV / "wheel.sha256", hash_of(sources(), told("rustc", "-vV") + str(profdata))) as is_new:
        if is_new or not wheels():
            run("sh", str(ROOT / "python" / "tests" / "install.sh"), str(PYTHON), str(WHEELS), **trained(profdata))


@contextmanager
def stamped(stamp: Path, wanted: str) -> Iterator[bool]:
    """Whether what is wanted is not what is there; once it has been made, the stamp says what it is."""
    is_new = not stamp.exists() or stamp.read_text() != wanted
    if is_new:
        stamp.unlink(missing_ok=True)
    yield is_new
    stamp.write_text(wanted)


def trained(profdata: Path | None) -> dict[str, str]:
    """The environment in which pip builds a wheel once more for the ways that requests took in training."""
    if profdata is None:
        missing = f"no llvm-profdata of LLVM {OLDEST_LLVM} or later (Debian has it in the package llvm-{OLDEST_LLVM})"
        print(f"python: {missing}: the wheel is not trained, and slower", file=sys.stderr)
        return {}
    return {"MATURIN_PGO": "1", "PATH": f"{profdata.parent}:{os.environ['PATH']}"}


def llvm_profdata() -> Path | None:
    """Rustup's, which maturin takes first; else one that is new enough: Debian has a folder for each version."""
    ours = Path(told("rustc", "--print", "sysroot").strip()).glob("lib/rustlib/*/bin")
    folders = [*ours, *sorted(Path("/usr/lib").glob("llvm-*/bin")), *map(Path, os.get_exec_path())]
    programs = (folder / "llvm-profdata" for folder in folders)
    return next((program for program in programs if program.exists() and llvm_version(program) >= OLDEST_LLVM), None)


def llvm_version(program: Path) -> int:
    # Old ones know no `--version`, and fail.
    answer = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"LLVM version (\d+)", answer)
    return int(found[1]) if found else 0


def sources() -> list[Path]:
    """What a wheel is made of."""
    parts = ["Cargo.toml", "Cargo.lock", "core", "adapters", "python"]
    names = told("git", "ls-files", "-co", "--exclude-standard", *parts).splitlines()
    return [ROOT / name for name in sorted(set(names)) if (ROOT / name).is_file()]


def hash_of(files: list[Path], beside: str) -> str:
    parts = [part for file in files for part in (str(file.relative_to(ROOT)).encode(), file.read_bytes())]
    return hashlib.sha256(b"\0".join([*parts, beside.encode()])).hexdigest()


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
            rows.append(Row(f"{algorithm} token to a user: {peer} / authgate", ratio, aims.get(algorithm, ""), told))
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


def told(*command: str) -> str:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def run(*command: str, **environment: str) -> None:
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL, env=os.environ | environment)
