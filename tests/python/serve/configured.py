"""Configurations: files in a folder of their own, what the commands say about them, and gates that run by them."""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from support import tokens
from support.checks import until
from support.people import ada_and_bob
from support.program import PROGRAM, Site, authgate, environment, serving
from support.wire import Reply

NOWHERE = 'upstream = "http://127.0.0.1:9"\n'

# One that nothing is wrong with, once Ada and Bob are in the folder.
GOOD = NOWHERE + 'users_file = "users.toml"\n'

HANDSHAKE = [
    ("Upgrade", "websocket"),
    ("Connection", "Upgrade"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
]


@dataclass(frozen=True)
class Configuration:
    """A folder with `authgate.toml`, Ada and Bob, and whatever else is put there."""

    folder: Path

    @classmethod
    def of(cls, folder: Path, text: str) -> Configuration:
        ada_and_bob(folder).chmod(0o600)
        made = cls(folder)
        made.write(text)
        return made

    @property
    def file(self) -> Path:
        return self.folder / "authgate.toml"

    def write(self, text: str) -> None:
        self.file.write_text(text, encoding="utf-8")

    def secret(self, name: str) -> str:
        """A fresh secret in a file of its owner's alone."""
        path, text = self.folder / name, secrets.token_urlsafe(48)
        path.touch(0o600)
        path.write_text(text + "\n")
        return text

    def check(self, **env: str) -> subprocess.CompletedProcess[str]:
        return authgate("check", "--config", self.file, env=env)

    def problems(self, **env: str) -> list[str]:
        """What `authgate check` says is wrong, a line each; without the file's own name, where it begins with that."""
        ended = self.check(**env)
        assert (ended.returncode, ended.stdout) == (1, ""), ended
        return [line.removeprefix(f"{self.file}: ") for line in told(ended.stderr)]

    def must_be_good(self) -> None:
        ended = self.check()
        assert (ended.returncode, ended.stderr) == (0, ""), ended.stderr


def told(stderr: str) -> list[str]:
    """The lines that the program said, each of which is one of its own."""
    lines = stderr.splitlines()
    for line in lines:
        assert line.startswith("authgate: ") and len(line) < 500, line
        for ugly in ("panicked", "RUST_", ".rs:", "Os {", "Some(", "invalid type", "\x1b"):
            assert ugly not in line, line
    return [line.removeprefix("authgate: ") for line in lines]


@dataclass(frozen=True)
class Who:
    """Somebody with a token, or nobody."""

    id: str = ""
    roles: tuple[str, ...] = ()
    is_admin: bool = False

    def headers(self, site: Site) -> list[tuple[str, str]]:
        if not self.id:
            return []
        claims = {"sub": self.id, "roles": list(self.roles), "is_admin": self.is_admin}
        return [tokens.bearer(site.mint(**claims))]

    def flags(self) -> list[str]:
        """The same for `authgate explain`."""
        user = ["--user", self.id] if self.id else []
        roles = [flag for role in self.roles for flag in ("--role", role)]
        return [*user, *roles, *(["--admin"] if self.is_admin else [])]


NOBODY = Who()


def ask(site: Site, method: str, path: str, who: Who = NOBODY, source: str = "", *headers: tuple[str, str]) -> Reply:
    """A program's request from a page of the dashboard's own; WEBSOCKET is a websocket's handshake."""
    handshake = HANDSHAKE if method == "WEBSOCKET" else []
    given = [("Accept", "application/json"), ("Origin", site.origin), *handshake, *who.headers(site), *headers]
    if method in ("POST", "PUT", "PATCH"):
        given.append(("Content-Length", "0"))
    return site.request("GET" if handshake else method, path, *given, source=source)


@contextmanager
def configured(
    runtime: str, configuration: Configuration, *flags: str | Path, secret: str | None = None
) -> Iterator[Site]:
    """A gate that runs by a configuration."""
    with serving(runtime, "--config", configuration.file, *flags, secret=secret) as site:
        yield site


@contextmanager
def starting(*arguments: str | Path) -> Iterator[subprocess.Popen[bytes]]:
    """The program before it is ready; it is gone when the block ends."""
    command = [str(PROGRAM), *map(str, arguments)]
    process = subprocess.Popen(
        command, env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def writing_end(pipe: Path) -> int:
    """Waits until somebody reads a named pipe."""
    opened: list[int] = []

    def is_read() -> bool:
        with suppress(OSError):
            opened.append(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))
        return bool(opened)

    until(is_read, f"somebody reads {pipe.name}")
    os.set_blocking(opened[0], True)
    return opened[0]


def pass_through(pipe: int, text: str) -> None:
    with os.fdopen(pipe, "w") as end:
        end.write(text)
