"""Dashboards that never heard of a gate: real ones, and a small one of ours that has everything a browser can ask for."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from support.needed import found
from support.process import free_address, process
from support.program import ROOT
from support.wire import Address, authority

HERE = Path(__file__).resolve().parent
BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Dashboard:
    """Where it is, where the gate must be mounted, and what only somebody inside can read."""

    address: Address
    mount: str = "/"
    inside: str = ""

    @property
    def url(self) -> str:
        return f"http://{authority(self.address)}"


@contextmanager
def redis() -> Iterator[str]:
    """A Redis of our own, for those who keep their jobs there."""
    server = found("redis-server")
    address = free_address()
    with tempfile.TemporaryDirectory() as folder:
        flags = ["--port", str(address[1]), "--bind", "127.0.0.1", "--save", "", "--dir", folder]
        with process(server, *flags, address=address):
            yield f"redis://{authority(address)}"


@contextmanager
def flower(redis_url: str) -> Iterator[Dashboard]:
    address = free_address()
    flags = [f"--address={address[0]}", f"--port={address[1]}", "--url_prefix=flower"]
    with process(BIN / "celery", "-b", f"{redis_url}/0", "flower", *flags, address=address):
        yield Dashboard(address, "/flower", "<title>Workers · Flower")


@contextmanager
def rq_dashboard(redis_url: str) -> Iterator[Dashboard]:
    address = free_address()
    flags = ["--bind", address[0], "--port", str(address[1]), "--redis-url", f"{redis_url}/1"]
    with process(BIN / "rq-dashboard", *flags, address=address):
        yield Dashboard(address, "/", "<title>RQ dashboard")


@contextmanager
def folder_of_files() -> Iterator[Dashboard]:
    address = free_address()
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "report.txt").write_text("42 jobs\n")
        command = [sys.executable, "-m", "http.server", "--bind", address[0], str(address[1])]
        with process(*command, address=address, folder=Path(folder)):
            yield Dashboard(address, "/", "report.txt")


@contextmanager
def starlette() -> Iterator[Dashboard]:
    """`app.py` under uvicorn."""
    address = free_address()
    flags = ["--host", address[0], "--port", str(address[1]), "--app-dir", str(HERE), "--log-level", "warning"]
    env = {"PYTHONDONTWRITEBYTECODE": "1"}
    with process(BIN / "uvicorn", "app:app", *flags, address=address, folder=ROOT, **env):
        yield Dashboard(address, "/", "<title>Jobs")
