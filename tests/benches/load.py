"""Load over HTTP: a server on one processor, and wrk on the other."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

SERVER, CLIENT = "0", "1"  # the processors
CONNECTIONS, SECONDS = 32, 1
SHORT = 3  # so many short rounds for each, so that a busy moment of the machine spoils few of them


def pinned(command: list[str], processor: str = SERVER) -> list[str]:
    return ["taskset", "-c", processor, *command]


@contextmanager
def running(command: list[str], processor: str = SERVER, **more: object) -> Iterator[subprocess.Popen[str]]:
    """A server that is ended by its id."""
    child = subprocess.Popen(pinned(command, processor), text=True, **more)  # type: ignore[call-overload]
    try:
        yield child
    finally:
        child.terminate()
        try:
            child.wait(5)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def requests_per_second(url: str, token: str) -> float:
    """What the server answers to as many as can come; every answer must be 200."""
    if not shutil.which("wrk"):
        sys.exit("tests/bench: wrk is missing (Debian has it in the package wrk)")
    load = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "-H", f"Authorization: Bearer {token}", url]
    told = subprocess.run(pinned(load, CLIENT), capture_output=True, text=True, check=True).stdout
    rate = re.search(r"Requests/sec: +([\d.]+)", told)
    if rate is None or "Non-2xx" in told or "Socket errors" in told:
        sys.exit(f"tests/bench: {url} does not answer as it should:\n{told}")
    return float(rate[1])


def in_rounds(urls: dict[str, tuple[str, str]], rounds: int) -> list[dict[str, float]]:
    """What each server, by its address and a token for it, answers a second, in rounds that take turns."""
    for url, token in urls.values():
        wait_for(url, token)
    figures = [
        {name: requests_per_second(url, token) for name, (url, token) in urls.items()}
        for _ in range(SHORT * rounds + 1)
    ]
    return figures[1:]  # the first warms up


def wait_for(url: str, token: str, seconds: float = 10) -> None:
    """Until the server answers 200."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
            urllib.request.urlopen(request, timeout=1).read()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
