"""Servers as processes of their own, on free ports of the loopback."""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from world import Answer

HERE = Path(__file__).resolve().parent


def until(happened: Callable[[], object], seconds: float = 20.0) -> None:
    """Waits for something to come true, and fails if it does not."""
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, f"it did not come true within {seconds} s"
        time.sleep(0.01)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Server:
    """A process that serves at `port`, or is about to, or has refused to."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
        self.process = process
        self.port = port
        self._log = log

    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def ask(self, path: str = "/", method: str = "GET", body: str | None = None, **headers: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            fields = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, {"Connection": "close", **fields})
            response = connection.getresponse()
            return Answer(response.status, response.getheaders(), response.read())
        finally:
            connection.close()

    def is_up(self) -> bool:
        try:
            self.ask("/healthz")
        except (OSError, http.client.HTTPException):
            assert self.process.poll() is None, self.log()
            return False
        return True


@contextlib.contextmanager
def serving(*command: str, wait: bool = True, **env: str) -> Iterator[Server]:
    """Runs `python -m command`, with `{port}` for the port, and ends it."""
    port = free_port()
    paths = os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")])
    env = {**os.environ, "PYTHONPATH": paths, "PYTHONUNBUFFERED": "1", **env}
    arguments = [part.replace("{port}", str(port)) for part in command]
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=HERE,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        server = Server(process, port, log)
        try:
            if wait:
                until(server.is_up)
            yield server
        finally:
            end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """Ends a process and all that it started."""
    import signal

    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=5)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
