"""Gates that share a Redis: on tokio, on smol, and in Python under uvicorn. Each stands before something that says whose it is."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from serve.upstreams import Peer, Seen, Upstream, answer
from support.checks import until
from support.people import ENIGMA, Person
from support.process import clean, lasting_address
from support.program import Running, serving
from support.wire import Address, Headers, Reply, authority

HERE = Path(__file__).resolve().parent
EVENTS = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
HELLO = b"d\r\ndata: hello\n\n\r\n"
KINDS = ["tokio", "smol", "python"]

USERS = 40
IDS = ["ada", "bob", *(f"user-{number}" for number in range(USERS))]


@dataclass
class Crowd:
    """Who may sign in, as a file for the program and another for Python. All have the password "enigma"."""

    folder: Path
    ids: list[str] = field(default_factory=lambda: list(IDS))

    def __post_init__(self) -> None:
        self.write()

    @property
    def file(self) -> Path:
        return self.folder / "users.toml"

    @property
    def for_python(self) -> Path:
        return self.folder / "people.json"

    def write(self, disabled: tuple[str, ...] = ()) -> None:
        """Writes both anew, as editors do: under another name first."""
        entry = '[[user]]\nid = "{}"\npassword = "{}"\n{}'
        text = "".join(entry.format(id, ENIGMA, "disabled = true\n" if id in disabled else "") for id in self.ids)
        people = json.dumps({id: id.title() for id in self.ids if id not in disabled})
        for path, content in ((self.file, text), (self.for_python, people)):
            fresh = path.with_suffix(".new")
            fresh.touch(0o600)
            fresh.write_text(content)
            fresh.replace(path)


@dataclass(frozen=True)
class Sharing:
    """What gates share, and how: records in Redis, or sealed cookies and word of what has ended."""

    url: str
    secret_file: Path | None = None
    delay: str = "500ms"
    prefix: str = ""

    @property
    def name(self) -> str:
        return "sealed" if self.secret_file else "records"

    @property
    def flags(self) -> list[str | Path]:
        more = ["--revocation-delay", self.delay, *(["--redis-prefix", self.prefix] if self.prefix else [])]
        if self.secret_file:
            sealed: list[str | Path] = ["--session-store", "cookie", "--session-secret-file", self.secret_file]
            return [*sealed, "--revocation-store", self.url, *more]
        return ["--session-store", self.url, *more]

    @property
    def for_python(self) -> dict[str, Any]:
        seconds = float(self.delay.removesuffix("ms")) / 1000 if "ms" in self.delay else float(self.delay.rstrip("s"))
        sealed = {"secret": self.secret_file.read_text().strip()} if self.secret_file else {}
        prefix = {"prefix": self.prefix} if self.prefix else {}
        return {"store": self.url, **sealed, **prefix, "using": {"stale": seconds}}


def dashboard(name: str) -> Upstream:
    """What stands behind the gate of this name, and says so."""

    def says(peer: Peer, seen: Seen) -> None:
        seen.read(peer)
        answer(peer, seen, f"{name} {''.join(seen.all('X-Auth-User')) or '-'}".encode())

    def waits(peer: Peer, seen: Seen) -> None:
        peer.send(EVENTS + HELLO)
        peer.is_left(120)

    return Upstream({"/": says, "/queues": says, "/public/page": says, "/events": waits})


@contextmanager
def gate(
    kind: str,
    crowd: Crowd,
    sharing: Sharing,
    *flags: str | Path,
    name: str = "",
    listen: Address | None = None,
    secret: str | None = None,
    **more: Any,
) -> Iterator[Running]:
    """A gate of one of the KINDS, with tokens by a secret unless flags say otherwise."""
    if kind == "python":
        tokens = {"tokens": {"secret": secret}} if secret else {}
        with python_gate(crowd, sharing.for_python | tokens | more, listen=listen, secret=secret) as started:
            yield started
        return
    given: list[str | Path] = [
        "--users-file",
        crowd.file,
        "--public-prefix",
        "/public",
        "--trusted-proxy",
        "127.0.0.1",
        *sharing.flags,
    ]
    with dashboard(name or kind) as upstream:
        at = authority(listen) if listen else "127.0.0.1:0"
        with serving(kind, "--upstream", upstream.url, *given, *flags, secret=secret, listen=at) as site:
            yield site
            upstream.hang_up()


@contextmanager
def python_gate(
    crowd: Crowd,
    shared: Mapping[str, Any],
    *,
    listen: Address | None = None,
    secret: str | None = None,
    workers: int = 2,
) -> Iterator[Running]:
    """`python_gate.py` under uvicorn, with two workers."""
    address = listen or lasting_address()
    told = {"password": "enigma", "hash": ENIGMA, "people": str(crowd.for_python), **shared}
    flags = ["--host", address[0], "--port", str(address[1]), "--workers", str(workers), "--no-access-log"]
    flags += ["--app-dir", str(HERE), "--timeout-graceful-shutdown", "1", "--no-proxy-headers"]
    with tempfile.NamedTemporaryFile(prefix="python-gate-", suffix=".log") as log:
        env = clean({"SHARED": json.dumps(told), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"})
        process = subprocess.Popen(
            [sys.executable, "-m", "uvicorn", "python_gate:app", *flags],
            env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=HERE, start_new_session=True,
        )  # fmt: skip
        started = Running(process, "python", secret, Path(log.name), address)
        started.hidden |= {secret} if secret else set()

        def is_up() -> bool:
            assert process.poll() is None and "Traceback" not in started.log(), started.log()[:3000]
            return started.log().count("startup complete") >= workers

        try:
            until(is_up, "the gate in Python is up", 30)
            yield started
            process.terminate()
            process.wait(10)
            text = started.log()
            leaked = [hidden for hidden in started.hidden if hidden in text]
            assert not leaked, f"a secret is in the log: {leaked[0][:12]}…"
            assert "in ASGI application" not in text, text[text.index("in ASGI application") :][:3000]
        finally:
            with suppress(ProcessLookupError):  # its workers would outlive it
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def workers_asked(address: Address, target: str, headers: Headers, seconds: float) -> dict[int, int]:
    """Asks both workers of a gate in Python, and returns what status each gave: what comes first on a connection says whose it is."""
    statuses: dict[int, int] = {}
    deadline = time.monotonic() + seconds
    while len(statuses) < 2:
        assert time.monotonic() < deadline, f"only {list(statuses)} answered"
        connection = http.client.HTTPConnection(*address, timeout=10)
        try:
            connection.request("GET", "/public/page", headers=dict(headers))
            worker = int(connection.getresponse().read().split()[1])
            connection.request("GET", target, headers=dict(headers))
            answered = connection.getresponse()
            answered.read()
            statuses[worker] = answered.status
        finally:
            connection.close()
    return statuses


@contextmanager
def several(crowd: Crowd, sharing: Sharing, *kinds: str, secret: str | None = None) -> Iterator[list[Running]]:
    """A gate of each of these kinds on one store."""
    with ExitStack() as stack:
        yield [stack.enter_context(gate(kind, crowd, sharing, secret=secret)) for kind in kinds]


def at(person: Person, other: Running) -> Person:
    """The same browser at another gate."""
    if person.cookie:
        other.hide(person.cookie.partition("=")[2])
    return Person(other, person.username, person.password, person.source, person.cookie)


def signed_in(gate: Running, username: str = "ada", source: str = "") -> Person:
    person = Person(gate, username, "enigma", source)
    person.sign_in()
    return person


def is_refused(person: Person) -> bool:
    """Whether the cookie leads to the login page. A 503 is no refusal: somebody could not be asked."""
    return not person.is_in()


def timed(ask: Any) -> tuple[Reply, float]:
    start = time.monotonic()
    reply: Reply = ask()
    return reply, time.monotonic() - start
