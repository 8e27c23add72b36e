"""The program itself: where it is, a clean environment, one-shot commands, and a running demo."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from support import tokens
from support.wire import Address, Headers, Reply, authority, exchange

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = Path(os.environ.get("AUTHGATE_PROGRAM", ROOT / "target" / "release" / "authgate"))


def environment(**changes: str) -> dict[str, str]:
    """The environment without anything that could steer the program, talking as much as it can."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("AUTHGATE_", "RUST_"))}
    return kept | {"AUTHGATE_LOG": "debug", "RUST_BACKTRACE": "1"} | changes


def authgate(
    *arguments: str | Path, env: dict[str, str] | None = None, stdin: bytes = b""
) -> subprocess.CompletedProcess[str]:
    """Runs a command that ends by itself."""
    command = [str(PROGRAM), *map(str, arguments)]
    ended = subprocess.run(command, env=environment(**(env or {})), input=stdin, capture_output=True, timeout=20)
    return subprocess.CompletedProcess(command, ended.returncode, ended.stdout.decode(), ended.stderr.decode())


@dataclass
class Demo:
    """A running `authgate demo` and how to speak with it."""

    process: subprocess.Popen[bytes]
    runtime: str
    secret: str | None
    errors: Path
    address: Address = ("", 0)
    mount: str = ""
    token: str | None = None
    username: str | None = None
    password: str | None = None
    hidden: set[str] = field(default_factory=set)
    newcomers: Iterator[int] = field(default_factory=count)

    @property
    def origin(self) -> str:
        return f"http://{authority(self.address)}"

    def request(
        self, method: str, target: str, *headers: tuple[str, str], body: bytes = b"", source: str = ""
    ) -> Reply:
        return exchange(self.address, method, target, headers, body, source)

    def get(self, target: str, *headers: tuple[str, str], token: str | None = None) -> Reply:
        return self.request("GET", target, *self.with_token(headers, token))

    def post(self, target: str, *headers: tuple[str, str], token: str | None = None, body: bytes = b"") -> Reply:
        given = self.with_token(headers, token)
        return self.request("POST", target, *given, *([] if body else [("Content-Length", "0")]), body=body)

    def with_token(self, headers: Headers, token: str | None) -> list[tuple[str, str]]:
        return [*headers, *([tokens.bearer(self.hide(token))] if token else [])]

    def mint(self, **claims: Any) -> str:
        """A token that this demo accepts, made by PyJWT; it must never be seen in the log."""
        assert self.secret, "this demo was started without a known secret"
        return self.hide(tokens.honest(self.secret, **claims))

    def hide(self, token: str) -> str:
        """Notes a token (or a password, or a cookie) that the log may never show; of a token, its signature neither."""
        self.hidden.add(token)
        signature = token.rpartition(".")[2]
        if len(signature) >= 20:
            self.hidden.add(signature)
        return token

    def log(self) -> str:
        return self.errors.read_text(errors="replace")

    def end(self, how: signal.Signals = signal.SIGTERM, seconds: float = 5.0) -> float:
        """Asks it to end, demands exit code 0 in time, and returns how long it took."""
        start = time.monotonic()
        self.process.send_signal(how)
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running {seconds} s after {how.name}") from None
        assert code == 0, f"exit code {code} after {how.name}: {self.log()[-2000:]}"
        return time.monotonic() - start

    def must_have_kept_quiet(self) -> None:
        """Neither a panic nor a secret in its log (t33), and nothing on stdout after the first line."""
        log = self.log()
        assert "panicked" not in log, log[log.index("panicked") - 200 :][:2000]
        for secret in self.hidden:
            assert secret not in log, f"a secret is in the log: {secret[:12]}…"
        assert self.process.stdout is not None
        assert self.process.stdout.read() == b"", "more than one line on stdout"


@contextmanager
def running(
    runtime: str,
    *flags: str | Path,
    secret: str | None = None,
    mount: str = "/ops",
    listen: str = "127.0.0.1:0",
    log: str = "debug",
) -> Iterator[Demo]:
    """Starts `authgate demo` on a free port; at the end it must go gracefully and have kept its secrets."""
    env = environment(AUTHGATE_LOG=log, **({"AUTHGATE_JWT_SECRET": secret} if secret else {}))
    command = [str(PROGRAM), "demo", "--listen", listen, "--mount", mount, "--runtime", runtime, "--json"]
    with tempfile.NamedTemporaryFile(prefix="authgate-demo-", suffix=".log") as errors:
        process = subprocess.Popen(
            [*command, *map(str, flags)], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors
        )
        assert process.stdout is not None
        demo = Demo(process, runtime, secret, Path(errors.name), mount=mount)
        try:
            line = first_line(process.stdout, 10)
            assert line, f"no line on stdout; exit code {process.poll()}: {demo.log()[-2000:]}"
            announced = json.loads(line)
            url = urlsplit(announced["url"])
            demo.address, demo.token = (url.hostname or "", url.port or 0), announced.get("token")
            assert url.path.rstrip("/") == announced["mount"].rstrip("/"), announced
            demo.username, demo.password = announced["username"], announced["password"]
            demo.hidden |= {value for value in (secret, demo.token, demo.password) if value}
            yield demo
            if process.poll() is None:
                demo.end()
            assert process.returncode == 0, f"it ended by itself with {process.returncode}: {demo.log()[-2000:]}"
            demo.must_have_kept_quiet()
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            process.stdout.close()


def first_line(pipe: IO[bytes], seconds: float) -> bytes:
    """The first line of a pipe, or whatever came before it closed or time ran out."""
    line, deadline = b"", time.monotonic() + seconds
    while not line.endswith(b"\n"):
        if not select.select([pipe], [], [], max(0.0, deadline - time.monotonic()))[0]:
            break
        if not (byte := os.read(pipe.fileno(), 1)):
            break
        line += byte
    return line
