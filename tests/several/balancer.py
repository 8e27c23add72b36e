"""nginx in front of four gates, as the page "Several machines" has it, and how to ask one of them past it."""

from __future__ import annotations

import http.client
import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from gates import Crowd, Sharing, gate
from serve.certificate import Certificate
from serve.operators import block, flags, replaced
from support.needed import found
from support.process import lasting_address, process
from support.program import ROOT, Running
from support.wire import Address, Headers, Reply, authority, exchange

HOST = "dash.example"
PAGE = ROOT / "adapters" / "redis" / "README.md"
PORTS = [8081, 8082, 8083, 8084]


class Secure(http.client.HTTPSConnection):
    """A connection to the balancer, wherever its name leads, that may be used again."""

    def __init__(self, address: Address, certificate: Certificate, source: str = "") -> None:
        super().__init__(HOST, address[1], timeout=10)
        self.to, self.tls, self.source = address, certificate.context(), source

    def connect(self) -> None:
        raw = socket.create_connection(self.to, timeout=10, source_address=(self.source, 0))
        self.sock = self.tls.wrap_socket(raw, server_hostname=HOST)

    def ask(self, method: str, target: str, headers: Headers = (), body: bytes = b"") -> Reply:
        self.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        given = [("Host", f"{HOST}:{self.to[1]}"), *headers]
        if body:
            given.append(("Content-Length", str(len(body))))
        for name, value in given:
            self.putheader(name, value)
        self.endheaders(body or None)
        answered = self.getresponse()
        return Reply(answered.status, answered.getheaders(), answered.read())


@dataclass
class Proxied(Running):
    """A gate of the four, asked in the words of the balancer."""

    name: str = ""
    front: str = ""

    @property
    def origin(self) -> str:
        return f"https://{self.front}"

    def forwarded(self, source: str) -> list[tuple[str, str]]:
        return [("Host", self.front), ("X-Forwarded-For", source or "127.0.0.1"), ("X-Forwarded-Proto", "https")]

    def request(
        self, method: str, target: str, *headers: tuple[str, str], body: bytes = b"", source: str = ""
    ) -> Reply:
        return exchange(self.address, method, target, [*self.forwarded(source), *headers], body)


@dataclass
class Four(Running):
    """The four gates as the world sees them: https://dash.example:PORT."""

    certificate: Certificate | None = None
    gates: dict[str, Proxied] | None = None
    stacks: dict[str, ExitStack] | None = None
    starts: dict[str, Any] | None = None

    @property
    def front(self) -> str:
        return f"{HOST}:{self.address[1]}"

    @property
    def origin(self) -> str:
        return f"https://{self.front}"

    def connection(self, source: str = "") -> Secure:
        assert self.certificate
        return Secure(self.address, self.certificate, source)

    def request(
        self, method: str, target: str, *headers: tuple[str, str], body: bytes = b"", source: str = ""
    ) -> Reply:
        connection = self.connection(source)
        try:
            return connection.ask(method, target, [("Connection", "close"), *headers], body)
        finally:
            connection.close()

    def each(self) -> dict[str, Proxied]:
        assert self.gates
        return self.gates

    def start(self, name: str) -> None:
        """Starts one of the gates, at its own port."""
        assert self.gates is not None and self.stacks is not None and self.starts is not None
        stack = self.stacks[name] = ExitStack()
        started = stack.enter_context(self.starts[name]())
        self.hidden |= started.hidden
        started.hidden = self.hidden
        own = {field.name: getattr(started, field.name) for field in fields(Running)}
        self.gates[name] = Proxied(**own, name=name, front=self.front)

    def stop(self, name: str) -> None:
        """Asks one of the gates to end; it must have kept its secrets."""
        assert self.stacks is not None
        self.stacks.pop(name).close()

    def restart(self, name: str) -> None:
        self.stop(name)
        self.start(name)


# Two on tokio, one on smol, one in Python.
NAMES = {"first on tokio": "tokio", "second on tokio": "tokio", "on smol": "smol", "in Python": "python"}


def flags_of_the_page(text: str) -> list[str | Path]:
    """What the page starts a gate with, but for what `gate` sets itself."""
    told = flags(text)
    for flag in ("--upstream", "--users-file", "--listen", "--session-store", "--trusted-proxy"):
        position = told.index(flag)
        del told[position : position + 2]
    assert told == ["--allowed-host", HOST], f"the page has flags that these gates lack: {told}"
    return list(told)


@contextmanager
def four_gates(crowd: Crowd, sharing: Sharing, certificate: Certificate, secret: str | None = None) -> Iterator[Four]:
    """Two gates on tokio, one on smol and one in Python (two workers) on one store, behind nginx."""
    server, text = found("nginx"), PAGE.read_text()
    given = flags_of_the_page(text)
    addresses = {name: lasting_address() for name in NAMES}
    front = lasting_address()

    def starting(name: str) -> Any:
        if (kind := NAMES[name]) == "python":
            hosts: dict[str, Any] = {"allowed_hosts": [HOST, "127.0.0.1"]}
            return lambda: gate(kind, crowd, sharing, listen=addresses[name], secret=secret, **hosts)
        return lambda: gate(kind, crowd, sharing, *given, name=name, listen=addresses[name], secret=secret)

    with tempfile.TemporaryDirectory(prefix="nginx-") as place:
        folder = Path(place)
        changes = {
            "listen 443 ssl": f"listen {authority(front)} ssl",
            "/etc/ssl/dash.example.pem": str(certificate.chain),
            "/etc/ssl/dash.example.key": str(certificate.key),
            **{f"127.0.0.1:{port}": authority(addresses[name]) for port, name in zip(PORTS, NAMES, strict=True)},
        }
        file = folder / "nginx.conf"
        file.write_text(replaced(block(text, "nginx"), changes))
        ours = f"daemon off; pid {folder}/nginx.pid; error_log stderr info;"
        with process(server, "-p", folder, "-c", file, "-g", ours, address=front) as nginx:
            four = Four(
                nginx, "behind nginx", secret, folder, front, "/",
                certificate=certificate, gates={}, stacks={}, starts={name: starting(name) for name in NAMES},
            )  # fmt: skip
            try:
                for name in NAMES:
                    four.start(name)
                yield four
                for leave in four.before_end:
                    leave()
                for name in NAMES:
                    four.stop(name)
            finally:
                for stack in (four.stacks or {}).values():
                    stack.close()
