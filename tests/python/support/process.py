"""Other people's programs: started, waited for until they answer, and ended by their id."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from support.wire import Address


def free_address() -> Address:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return ("127.0.0.1", int(probe.getsockname()[1]))


def lasting_address() -> Address:
    """A free address for what is away at times: its port is below those that the system gives to clients, who would else meet themselves
    there, or take it."""
    for port in random.sample(range(10_000, 32_000), 100):
        with suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return ("127.0.0.1", port)
    raise AssertionError("no port is free")


@contextmanager
def process(
    *command: str | Path, address: Address, seconds: float = 30.0, folder: Path | None = None, **env: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Runs a program that listens at `address`; it is there when the block begins, and gone when it ends."""
    with tempfile.NamedTemporaryFile(prefix="process-", suffix=".log") as log:
        started = subprocess.Popen(
            list(map(str, command)),
            cwd=folder, env=clean(env), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
        said = Path(log.name)
        try:
            deadline = time.monotonic() + seconds
            while not listens(address):
                assert started.poll() is None, f"{command[0]} ended: {said.read_text(errors='replace')[-2000:]}"
                assert time.monotonic() < deadline, f"{command[0]}: {said.read_text(errors='replace')[-2000:]}"
                time.sleep(0.05)
            yield started
        finally:
            started.terminate()
            try:
                started.wait(5)
            except subprocess.TimeoutExpired:
                started.kill()
                started.wait()


def listens(address: Address) -> bool:
    try:
        socket.create_connection(address, timeout=1).close()
    except OSError:
        return False
    return True


def clean(env: Mapping[str, str]) -> dict[str, str]:
    """The environment without proxies and without what steers the programs under test."""
    steers = ("AUTHGATE_", "CELERY_", "FLOWER_", "RQ_DASHBOARD_", "RQ_", "TRAEFIK_", "CADDY_")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(steers)}
    return {key: value for key, value in kept.items() if not key.lower().endswith("_proxy")} | env
