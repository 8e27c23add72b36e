"""A gigabyte passes either way, at the pace of whoever is slower, and the gate's memory stays as it was."""

from __future__ import annotations

import select
import socket
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache
from itertools import chain
from random import Random
from threading import Event, Semaphore

import pytest

from serve.upstreams import PATIENCE, Peer, Seen, Upstream, answer
from support import tokens
from support.checks import until
from support.program import Site, serving
from support.wire import Reply, head_of, parse_head

MIB = 1 << 20
BLOCK = Random(1).randbytes(MIB)
GIGABYTE = 1024  # blocks
SLOW = 48  # blocks: more than the system's own buffers take
CROWD = 6  # clients
GROWTH = 8 * MIB  # the most that the gate may need beyond what it had

each_framing = pytest.mark.parametrize("framing", ["length", "chunks"])


@cache
def checksum(blocks: int) -> int:
    so_far = 0
    for _ in range(blocks):
        so_far = zlib.crc32(BLOCK, so_far)
    return so_far


def sum_of(pieces: Iterator[bytes]) -> tuple[int, int]:
    """How many bytes there are, and their checksum; none of them is kept."""
    size = so_far = 0
    for piece in pieces:
        size, so_far = size + len(piece), zlib.crc32(piece, so_far)
    return size, so_far


def framing_of(framing: str, blocks: int) -> tuple[str, str]:
    return ("Content-Length", str(blocks * MIB)) if framing == "length" else ("Transfer-Encoding", "chunked")


def body_of(framing: str, blocks: int) -> Iterator[bytes]:
    """A body as it goes over the wire, block by block."""
    for _ in range(blocks):
        yield BLOCK if framing == "length" else b"%x\r\n" % MIB + BLOCK + b"\r\n"
    if framing == "chunks":
        yield b"0\r\n\r\n"


def fill(peer: Peer, parts: Iterator[bytes]) -> Iterator[bytes]:
    """Sends until nobody takes more, and returns what is left."""
    for part in parts:
        left = memoryview(part)
        while left:
            if not select.select([], [peer.socket], [], 0.5)[1]:
                return chain([bytes(left)], parts)
            left = left[peer.socket.send(left) :]
    raise AssertionError("somebody has all of it in memory")


@dataclass
class Stage:
    """A gate before an upstream that tells what has come, or sends as much as it is asked for."""

    site: Site
    upstream: Upstream
    go: Event = field(default_factory=Event)
    full: Semaphore = field(default_factory=lambda: Semaphore(0))

    def receives(self, peer: Peer, seen: Seen) -> None:
        """Begins to read when it is told to."""
        assert self.go.wait(PATIENCE)
        answer(peer, seen, b"%d %d" % sum_of(seen.pieces(peer)))

    def sends(self, peer: Peer, seen: Seen) -> None:
        """Tells when nobody takes more, if that is what is asked for."""
        framing, blocks, pace = seen.target.partition("?")[2].split(",")
        name, value = framing_of(framing, int(blocks))
        peer.send(f"HTTP/1.1 200 OK\r\n{name}: {value}\r\n\r\n".encode())
        parts = body_of(framing, int(blocks))
        if pace == "slow":
            parts = fill(peer, parts)
            self.full.release()
        for part in parts:
            peer.send(part)

    def opened(self, method: str, target: str, *headers: tuple[str, str]) -> Peer:
        """A client that has sent its head."""
        client = Peer(socket.create_connection(self.site.address, timeout=PATIENCE))
        client.send(head_of(method, target, [("Host", "dash.example"), tokens.bearer(self.site.mint()), *headers]))
        return client

    def uploads(self, framing: str, blocks: int) -> Peer:
        return self.opened("POST", "/receives", framing_of(framing, blocks))

    def downloads(self, framing: str, blocks: int, pace: str = "fast") -> Peer:
        return self.opened("GET", f"/sends?{framing},{blocks},{pace}")

    def memory(self, what: str) -> int:
        """What the gate has in memory: VmRSS is now, VmHWM the most so far."""
        with open(f"/proc/{self.site.process.pid}/status") as lines:
            return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{what}:"))

    @contextmanager
    def stays_flat(self) -> Iterator[None]:
        before = self.memory("VmRSS")
        yield
        grown = self.memory("VmHWM") - before
        print(f"{self.site.runtime}: {before / MIB:.1f} MiB, and at most {grown / MIB:.1f} MiB more")
        assert grown < GROWTH


def head_from(client: Peer) -> Reply:
    lines = []
    while (line := client.line()) != b"\r\n":
        assert line, "no answer"
        lines.append(line.removesuffix(b"\r\n"))
    return parse_head(b"\r\n".join(lines))


def assert_arrived(client: Peer, blocks: int) -> None:
    """The upstream says that it has all of an upload."""
    reply = head_from(client)
    assert reply.status == 200, reply
    assert client.take(int(reply.header("Content-Length") or "")) == b"%d %d" % (blocks * MIB, checksum(blocks))
    client.close()


def assert_comes(client: Peer, blocks: int) -> None:
    """The client gets all of a download."""
    reply = head_from(client)
    assert reply.status == 200, reply
    assert sum_of(Seen("", "", reply.headers).pieces(client)) == (blocks * MIB, checksum(blocks))
    client.close()


@contextmanager
def stage_of(runtime: str, secret: str, *flags: str) -> Iterator[Stage]:
    with ExitStack() as opened:
        upstream = opened.enter_context(Upstream())
        site = opened.enter_context(serving(runtime, "--upstream", upstream.url, *flags, secret=secret))
        stage = Stage(site, upstream)
        upstream.routes |= {"/receives": stage.receives, "/sends": stage.sends}
        yield stage


@pytest.fixture
def stage(runtime: str, secret: str) -> Iterator[Stage]:
    """A gate of its own, which has done next to nothing yet."""
    with stage_of(runtime, secret) as stage:
        assert_comes(stage.downloads("length", 1), 1)
        yield stage


@pytest.fixture(scope="module")
def strict(runtime: str, secret: str) -> Iterator[Stage]:
    """A gate that takes a block at most, and waits for a second."""
    with stage_of(runtime, secret, "--max-body", str(MIB), "--upstream-timeout", "1s") as stage:
        stage.go.set()
        yield stage


@each_framing
def test_a_gigabyte_goes_up(stage: Stage, framing: str) -> None:
    stage.go.set()
    with stage.stays_flat():
        client = stage.uploads(framing, GIGABYTE)
        for part in body_of(framing, GIGABYTE):
            client.send(part)
        assert_arrived(client, GIGABYTE)


def test_a_gigabyte_comes_down(stage: Stage) -> None:
    with stage.stays_flat():
        assert_comes(stage.downloads("length", GIGABYTE), GIGABYTE)


def test_uploads_wait_for_a_slow_upstream_and_not_in_memory(stage: Stage) -> None:
    with stage.stays_flat(), ThreadPoolExecutor(CROWD) as pool:
        clients = [stage.uploads("chunks", SLOW) for _ in range(CROWD)]
        rests = list(pool.map(lambda client: fill(client, body_of("chunks", SLOW)), clients))
        stage.go.set()
        for client, rest in zip(clients, rests, strict=True):
            for part in rest:
                client.send(part)
            assert_arrived(client, SLOW)


def test_downloads_wait_for_a_slow_client_and_not_in_memory(stage: Stage) -> None:
    with stage.stays_flat():
        clients = [stage.downloads("length", SLOW, "slow") for _ in range(CROWD)]
        assert all(stage.full.acquire(timeout=PATIENCE) for _ in clients), "nobody waits"
        for client in clients:
            assert_comes(client, SLOW)


@each_framing
@pytest.mark.parametrize(("accepts", "media"), [("text/html", "text/html"), ("application/json", "text/plain")])
def test_a_body_that_is_too_long_is_413_and_never_arrives_whole(
    strict: Stage, framing: str, accepts: str, media: str
) -> None:
    before = strict.site.metric("authgate_upstream_failures_total", reason="body-too-large")
    target = f"/receives?{framing},{accepts}"
    client = strict.opened("POST", target, framing_of(framing, 2), ("Accept", accepts), ("Connection", "close"))
    if framing == "chunks":
        client.send(b"%x\r\n" % (MIB + 1) + BLOCK + b"x\r\n")
    reply = head_from(client)
    assert reply.status == 413 and (reply.header("Content-Type") or "").startswith(media)
    client.close()
    assert strict.site.metric("authgate_upstream_failures_total", reason="body-too-large") == before + 1
    assert_arrived(strict.uploads("length", 0), 0)  # on a connection of its own: what went before has arrived, too
    strict.upstream.rests()
    arrived = [request.is_whole for request in strict.upstream.seen if request.target == target]
    assert arrived in ([], [False]) if framing == "chunks" else arrived == [], "a length is judged before all"


@each_framing
def test_a_body_that_is_just_short_enough_arrives(strict: Stage, framing: str) -> None:
    client = strict.uploads(framing, 1)
    for part in body_of(framing, 1):
        client.send(part)
    assert_arrived(client, 1)


@pytest.mark.parametrize(("framing", "leaves"), [("chunks", False), ("chunks", True), ("length", True)])
def test_a_client_that_stops_is_408_and_an_upload_that_breaks_off_is_not_whole(
    strict: Stage, framing: str, leaves: bool
) -> None:
    seen = len(strict.upstream.seen)
    before = strict.site.metric("authgate_upstream_failures_total", reason="body-stalled")
    client = strict.uploads(framing, 1)
    client.send({"length": BLOCK[:9], "chunks": b"9\r\n" + BLOCK[:9] + b"\r\n"}[framing])
    until(lambda: len(strict.upstream.seen) > seen, "the upload has begun")
    if not leaves:
        assert head_from(client).status == 408
        assert strict.site.metric("authgate_upstream_failures_total", reason="body-stalled") == before + 1
    client.close()
    strict.upstream.rests()
    assert [request.is_whole for request in strict.upstream.seen[seen:]] == [False]
