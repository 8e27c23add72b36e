"""The program itself: where it is, a clean environment, one-shot commands, and one that runs: a demo or a gate before a
dashboard."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import IO, Any, TypeVar
from urllib.parse import urlsplit

from support import tokens
from support.wire import Address, Headers, Reply, authority, exchange

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = Path(os.environ.get("AUTHGATE_PROGRAM", ROOT / "target" / "release" / "authgate"))


Kind = TypeVar("Kind", bound="Running")


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
class Running:
    """The program while it runs, and how to speak with it."""

    process: subprocess.Popen[bytes]
    runtime: str
    secret: str | None
    errors: Path
    address: Address = ("", 0)
    mount: str = ""
    hidden: set[str] = field(default_factory=set)
    newcomers: Iterator[int] = field(default_factory=count)
    before_end: list[Callable[[], None]] = field(default_factory=list)

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


@dataclass
class Demo(Running):
    """A running `authgate demo`."""

    token: str | None = None
    username: str | None = None
    password: str | None = None


@dataclass
class Site(Running):
    """A running `authgate serve`."""

    admin: Address = ("", 0)

    def metric(self, name: str, **labels: str) -> float:
        """One number of /-/metrics; zero if it is not there."""
        told = ",".join(f'{label}="{value}"' for label, value in sorted(labels.items()))
        series = f"{name}{{{told}}} " if told else f"{name} "
        lines = exchange(self.admin, "GET", "/-/metrics").text.splitlines()
        found = [line.removeprefix(series) for line in lines if line.startswith(series)]
        return float(found[0]) if found else 0.0

    def reload(self) -> None:
        """Sends SIGHUP, and waits until it has been heeded."""
        before = self.reloads()
        self.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 10
        while self.reloads() == before:
            assert time.monotonic() < deadline, f"no word about SIGHUP: {self.log()[-2000:]}"
            time.sleep(0.02)

    def reloads(self) -> int:
        log = self.log()
        return log.count("reloaded: the new configuration is in force") + log.count("the configuration stays as it was")


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
    command = ["demo", "--listen", listen, "--mount", mount, "--runtime", runtime, "--json", *flags]
    with started(Demo, runtime, command, secret, log) as (demo, announced):
        demo.token, demo.username, demo.password = (announced.get(key) for key in ("token", "username", "password"))
        demo.hidden |= {value for value in (secret, demo.token, demo.password) if value}
        yield demo


@contextmanager
def serving(
    runtime: str,
    *flags: str | Path,
    secret: str | None = None,
    listen: str = "127.0.0.1:0",
    log: str = "debug",
    **env: str,
) -> Iterator[Site]:
    """Starts `authgate serve` on free ports; at the end it must go gracefully and have kept its secrets."""
    ours = ["--listen", listen, "--admin-listen", "127.0.0.1:0", "--runtime", runtime, "--json"]
    with started(Site, runtime, ["serve", *ours, *flags], secret, log, **env) as (site, announced):
        admin = urlsplit(announced["admin"])
        site.admin = (admin.hostname or "", admin.port or 0)
        yield site


@contextmanager
def started(
    kind: type[Kind], runtime: str, command: list[str | Path], secret: str | None, log: str, **env: str
) -> Iterator[tuple[Kind, dict[str, Any]]]:
    """Starts a command that tells in one line of JSON where it is."""
    env = environment(AUTHGATE_LOG=log, **({"AUTHGATE_JWT_SECRET": secret} if secret else {}), **env)
    with tempfile.NamedTemporaryFile(prefix="authgate-", suffix=".log") as errors:
        process = subprocess.Popen(
            [str(PROGRAM), *map(str, command)],
            env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors,
        )  # fmt: skip
        assert process.stdout is not None
        program = kind(process, runtime, secret, Path(errors.name))
        program.hidden |= {secret} if secret else set()
        try:
            line = first_line(process.stdout, 10)
            assert line, f"no line on stdout; exit code {process.poll()}: {program.log()[-2000:]}"
            announced = json.loads(line)
            url = urlsplit(announced["url"])
            program.address, program.mount = (url.hostname or "", url.port or 0), announced["mount"]
            assert url.path.rstrip("/") == announced["mount"].rstrip("/"), announced
            yield program, announced
            for leave in program.before_end:
                leave()
            if process.poll() is None:
                program.end()
            assert process.returncode == 0, f"it ended by itself with {process.returncode}: {program.log()[-2000:]}"
            program.must_have_kept_quiet()
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
