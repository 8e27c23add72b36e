"""A Redis of our own that can be frozen, killed and started again."""

from __future__ import annotations

import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis as client

from support.checks import until
from support.needed import found
from support.process import lasting_address
from support.wire import Address, authority

# What survives `kill -9`, and what does not.
LASTING = ["--appendonly", "yes", "--appendfsync", "always"]
FLEETING = ["--appendonly", "no"]


class Redis:
    """Where gates meet. It stays at its port and in its folder, however often it is started."""

    def __init__(self, folder: Path, flags: list[str], address: Address) -> None:
        self.folder, self.flags, self.address = folder, flags, address
        self.process: subprocess.Popen[bytes] | None = None
        self.tls: str | None = None  # whom to trust, once it speaks TLS

    @property
    def url(self) -> str:
        return self.named("")

    def named(self, userinfo: str) -> str:
        """Its address with a name and a password in it, as `user:password@`."""
        return f"redis://{userinfo}{authority(self.address)}/0"

    def start(self) -> None:
        """Starts it, and waits until it serves."""
        assert self.process is None
        listening = ["--bind", self.address[0], "--port", str(self.address[1]), "--save", ""]
        with (self.folder / "redis.log").open("ab") as log:
            command = [found("redis-server"), *listening, "--dir", str(self.folder), *self.flags]
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        until(self.answers, "Redis answers")

    def answers(self) -> bool:
        try:
            with self.client(socket_timeout=1) as asked:
                return bool(asked.ping())
        except client.AuthenticationError:
            return True
        except client.RedisError:
            return False

    def client(self, **settings: object) -> client.Redis:
        host, port = self.address
        if self.tls:
            host, settings = "localhost", {"ssl": True, "ssl_ca_certs": self.tls, **settings}
        return client.Redis(host=host, port=port, decode_responses=True, retry=None, **settings)  # type: ignore[arg-type]

    def freeze(self) -> None:
        """It takes connections (the kernel does), and says nothing."""
        assert self.process
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self.process
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """Ends it as a failing machine would; what it has not written is lost."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def lose_everything(self) -> None:
        """Kills it and starts it without its data."""
        self.kill()
        assert not list(self.folder.glob("appendonlydir/*")), "this one keeps its data"
        self.start()


@contextmanager
def redis(*flags: str) -> Iterator[Redis]:
    with tempfile.TemporaryDirectory(prefix="redis-") as folder:
        started = Redis(Path(folder), list(flags or FLEETING), lasting_address())
        try:
            started.start()
            yield started
        finally:
            started.kill()
