"""Many hostile clients at once, and what they cost: the gate's memory at its peak, and how long others wait meanwhile."""

from __future__ import annotations

import os
import resource
import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from support.program import Site

# `AUTHGATE_LONG=1` asks for ten thousand connections, as many as the gate takes by default; else a few hundred.
LONG = bool(os.environ.get("AUTHGATE_LONG"))
CROWD = 10_000 if LONG else 300
GROUP = 200
BATCH = 50  # what waits at one time: the queues of the system and of the gate are not what is tested
KIB = 1024
MIB = 1024 * KIB
RESET = struct.pack("ii", 1, 0)  # leaves nothing behind in the system when it is closed
HEAD_TIMEOUT = 10.0  # seconds; the gate's default
SLACK = 10.0  # seconds that a machine which has other things to do may be late


@dataclass
class Gate:
    """A gate from outside: what the system says about its process."""

    site: Site
    has_upstream: bool = True

    @property
    def folder(self) -> Path:
        return Path(f"/proc/{self.site.process.pid}")

    def status(self, what: str) -> int:
        lines = (self.folder / "status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(f"{what}:"))

    def memory(self) -> int:
        return self.status("VmRSS") * KIB

    def peak(self) -> int:
        """The most memory since `forget_peak`."""
        return self.status("VmHWM") * KIB

    def forget_peak(self) -> None:
        (self.folder / "clear_refs").write_text("5")

    def files(self) -> int:
        return len(os.listdir(self.folder / "fd"))

    def cpu(self) -> float:
        """Seconds of processor time that it has taken."""
        user, system = (self.folder / "stat").read_text().rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def answers_at_once(self, seconds: float = 1.0) -> None:
        start = time.monotonic()
        if self.has_upstream:
            assert self.site.get("/public/newcomer").text == "GET /public/newcomer"
        assert self.site.get("/login").status == 200
        assert time.monotonic() - start < seconds


@contextmanager
def enough_files(wanted: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if 0 <= soft < wanted:  # a negative one is none
        assert hard < 0 or hard >= wanted, f"this test needs {wanted} open files: ulimit -Hn {wanted}"
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@contextmanager
def under_pressure(gate: Gate, what: str, connections: int, each: int) -> Iterator[None]:
    """Demands that the memory at its peak stays below `each` for every connection, and that others are served meanwhile, who
    ask all the time."""
    gate.answers_at_once(SLACK)
    before, over = gate.memory(), threading.Event()
    waits: list[float] = []
    faults: list[BaseException] = []

    def others() -> None:
        while not waits or not over.wait(0.1):
            start = time.monotonic()
            try:
                gate.answers_at_once(SLACK)
            except BaseException as fault:
                faults.append(fault)
                return
            waits.append(time.monotonic() - start)

    asking = threading.Thread(target=others)
    gate.forget_peak()
    asking.start()
    try:
        yield
    finally:
        over.set()
        asking.join()
    if faults:
        raise faults[0]
    grown = gate.peak() - before
    told = f"{grown / MIB:.1f} MiB in all, {grown / connections / KIB:.1f} KiB each; others waited {max(waits):.2f} s"
    print(f"{gate.site.runtime}, {what}: {connections} connections took {told}")
    assert grown < each * connections, told


class Client:
    """A connection that says what it likes, in as many pieces as the gate takes, and notes when it is cut off."""

    def __init__(self, gate: Gate, number: int, room: int = 0) -> None:
        """From one of several addresses, because one has not ports enough for all; with so little room for answers."""
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        if room:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
        self.socket.settimeout(SLACK)
        self.socket.bind((f"127.0.3.{1 + number % 5}", 0))
        self.socket.connect(gate.site.address)
        self.socket.setblocking(False)
        self.begun = time.monotonic()
        self.cut_after: float | None = None
        self.received = b""

    @property
    def is_cut(self) -> bool:
        return self.cut_after is not None

    def send(self, data: bytes) -> int:
        """As much of it as is taken at once."""
        if self.is_cut:
            return 0
        try:
            return self.socket.send(data)
        except BlockingIOError:
            return 0
        except OSError:
            self.cut()
            return 0

    def read(self) -> None:
        """Whatever has come."""
        try:
            while data := self.socket.recv(65536):
                self.received += data
        except BlockingIOError:
            return
        except OSError:
            pass
        self.cut()

    def cut(self) -> None:
        if self.cut_after is None:
            self.cut_after = time.monotonic() - self.begun


@contextmanager
def clients(gate: Gate, number: int, *, room: int = 0, greeting: bytes = b"") -> Iterator[list[Client]]:
    """So many of them, each of which has said its greeting. They end with a reset."""
    made: list[Client] = []
    try:
        for at in range(number):
            made.append(Client(gate, at, room))
            made[-1].send(greeting)
            if len(made) % BATCH == 0:
                gate.site.get("/login")  # whoever came before has been accepted, too
        yield made
    finally:
        for client in made:
            client.socket.close()


def each_sends(gate: Gate, made: list[Client], payload: bytes) -> None:
    """Each sends all of it, as far as it is taken. Some at a time: how long a processor is busy with all of them is not what is
    tested."""
    for start in range(0, len(made), GROUP):
        together(made[start : start + GROUP], payload)
        gate.site.get("/login")


def together(made: list[Client], payload: bytes, seconds: float = 60.0) -> None:
    """Until nobody has anything left to send, or nothing has been taken for a second."""
    left = {client.socket.fileno(): (client, memoryview(payload)) for client in made if not client.is_cut}
    waiting = select.poll()
    for number in left:
        waiting.register(number, select.POLLOUT)
    deadline = time.monotonic() + seconds
    while left and (ready := waiting.poll(1000)):
        assert time.monotonic() < deadline, f"{len(left)} are still sending"
        for number, _ in ready:
            client, rest = left[number]
            rest = rest[client.send(rest[:65536]) :]
            left[number] = (client, rest)
            if client.is_cut or not rest:
                waiting.unregister(number)
                del left[number]


def until_cut(
    made: list[Client], seconds: float, meanwhile: Callable[[Client], object] | None = None
) -> None:
    """Reads what comes until each has been cut off, and does something with those that have not, once a second."""
    open_ones = {client.socket.fileno(): client for client in made if not client.is_cut}
    waiting = select.poll()
    for number in open_ones:
        waiting.register(number, select.POLLIN)
    deadline, again = time.monotonic() + seconds, time.monotonic()
    while open_ones:
        assert time.monotonic() < deadline, f"{len(open_ones)} of {len(made)} were not cut off within {seconds} s"
        for number, _ in waiting.poll(200):
            open_ones[number].read()
        if meanwhile and time.monotonic() >= again:
            again = time.monotonic() + 1.0
            for client in open_ones.values():
                meanwhile(client)
        for number in [number for number, client in open_ones.items() if client.is_cut]:
            with suppress(KeyError):
                waiting.unregister(number)
            del open_ones[number]
