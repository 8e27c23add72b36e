"""Floods that only HTTP/2 knows, on tokio (smol speaks HTTP/1.1 only): a connection costs a bounded amount of memory,
whatever its frames are, and others are served meanwhile.

`AUTHGATE_LONG=1` makes it a thousand connections of each kind."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count, islice

import hpack
import pytest
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    Frame,
    HeadersFrame,
    PingFrame,
    PriorityFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

from serve.pressure import KIB, LONG, MIB, SLACK, Gate, clients, each_sends, enough_files, under_pressure
from serve.upstreams import Peer, Seen, Upstream
from support.checks import until
from support.program import serving

pytestmark = pytest.mark.parametrize("runtime", ["tokio"], indirect=True, scope="session")

NUMBER = 1000 if LONG else 50
FEW = 50 if LONG else 4
# About twice what one connection was measured to cost, at its peak.
EACH = 3 * MIB // 2
# The same where it has all its hundred streams full, and nobody takes what is in them.
FULL = 48 * MIB
MOST = 256 * KIB  # bytes that one connection sends of what may be endless
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
STREAMS = range(1, 2**31, 2)
FRAME = 16_384  # bytes; as large as one may be


@pytest.fixture(scope="module")
def many_files() -> Iterator[None]:
    with enough_files(NUMBER + 1000):
        yield


@pytest.fixture
def silence() -> Iterator[str]:
    """An upstream that never answers: the system takes its connections, and nobody else does."""
    with socket.create_server(("127.0.0.1", 0), backlog=4096) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@contextmanager
def gate_before(runtime: str, url: str, secret: str, number: int) -> Iterator[Gate]:
    flags = ["--upstream", url, "--public-prefix", "/public", "--max-connections", str(number + 100)]
    with serving(runtime, *flags, secret=secret, log="error") as site:
        yield Gate(site, has_upstream=False)


@pytest.fixture
def gate(runtime: str, silence: str, secret: str, many_files: None) -> Iterator[Gate]:
    with gate_before(runtime, silence, secret, NUMBER) as started:
        yield started


def hello(**settings: int) -> bytes:
    """The preface, with settings by their names."""
    known = {"window": SettingsFrame.INITIAL_WINDOW_SIZE, "table": SettingsFrame.HEADER_TABLE_SIZE}
    wanted = {known[name]: value for name, value in settings.items()}
    return PREFACE + SettingsFrame(0, settings=wanted).serialize()


def head(path: str = "/login", method: str = "GET", *fields: tuple[str, str]) -> bytes:
    """A header block that needs nothing of the blocks before it."""
    pseudo = [(":method", method), (":scheme", "http"), (":authority", "dash.example"), (":path", path)]
    return hpack.Encoder().encode([hpack.NeverIndexedHeaderTuple(*pair) for pair in (*pseudo, *fields)], huffman=False)


def request(stream: int, block: bytes, *flags: str) -> bytes:
    """Its head, in as many frames as it takes."""
    pieces = [block[start : start + FRAME] for start in range(0, len(block), FRAME)]
    frames: list[Frame] = [HeadersFrame(stream, pieces[0], flags=list(flags))]
    frames += [ContinuationFrame(stream, piece) for piece in pieces[1:]]
    frames[-1].flags.add("END_HEADERS")
    return b"".join(frame.serialize() for frame in frames)


def up_to(frames: Iterator[bytes], most: int = MOST) -> bytes:
    sent = bytearray()
    for frame in frames:
        sent += frame
        if len(sent) >= most:
            return bytes(sent)
    return bytes(sent)


def continuations() -> bytes:
    """A head that goes on and on."""
    junk = b"\x00\x01x\x7f\x81\x7f" + b"y" * 256  # a literal field, a piece at a time
    first = HeadersFrame(1, head()).serialize()
    return hello() + first + up_to(ContinuationFrame(1, junk).serialize() for _ in count())


def empty_continuations() -> bytes:
    """The same, of nothing."""
    first = HeadersFrame(1, head()).serialize()
    return hello() + first + up_to(ContinuationFrame(1, b"").serialize() for _ in count())


def bombs(times: int = 800) -> bytes:
    """A field of four KiB that is told once, and then named by one byte each time: 3 MB on each of a hundred streams."""
    told = hpack.Encoder().encode([("x-bomb", "b" * 4000)], huffman=False)
    again = b"\xbe" * times  # the newest entry of the dynamic table
    block = head("/public/never")
    frames = [request(1, block + told, "END_STREAM")]
    frames += [request(stream, block + again, "END_STREAM") for stream in islice(STREAMS, 1, 100)]
    return hello() + b"".join(frames)


def bombs_within_the_limit() -> bytes:
    """The same, of 60 KB each."""
    return bombs(15)


def large_heads_on_all_streams() -> bytes:
    """A hundred heads of 60 KiB that have to be kept: the upstream does not answer."""
    block = head("/public/never", "GET", ("x-large", "x" * 60 * KIB))
    return hello() + b"".join(request(stream, block, "END_STREAM") for stream in islice(STREAMS, 100))


def too_many_streams() -> bytes:
    return hello() + up_to(request(stream, head("/public/never"), "END_STREAM") for stream in STREAMS)


def bodies_that_never_end() -> bytes:
    """A hundred posts whose bodies have begun."""
    block = head("/login", "POST", ("content-type", "application/x-www-form-urlencoded"), ("sec-fetch-site", "none"))
    piece = b"u" * 600
    frames = (request(stream, block) + DataFrame(stream, piece).serialize() for stream in islice(STREAMS, 100))
    return hello() + b"".join(frames)


def bodies_that_nobody_takes() -> bytes:
    """A hundred uploads, as much of each as the gate has room for."""
    block, piece = head("/public/never", "POST"), b"u" * 10 * KIB
    frames = (request(stream, block) + DataFrame(stream, piece).serialize() for stream in islice(STREAMS, 100))
    return hello() + b"".join(frames)


def rapid_resets() -> bytes:
    """Each request is taken back at once (CVE-2023-44487)."""
    def frames() -> Iterator[bytes]:
        for stream in STREAMS:
            yield request(stream, head("/public/never"), "END_STREAM")
            yield RstStreamFrame(stream, 8).serialize()

    return hello() + up_to(frames())


def made_resets() -> bytes:
    """The gate is made to reset each stream itself (CVE-2025-8671): a window that overflows."""
    def frames() -> Iterator[bytes]:
        for stream in STREAMS:
            yield request(stream, head("/public/never"), "END_STREAM")
            yield b"\x00\x00\x04\x08\x00" + struct.pack(">II", stream, 0)  # an increment of nothing

    return hello() + up_to(frames())


def settings() -> bytes:
    return hello() + up_to(SettingsFrame(0, settings={4: 65_535 + n % 2}).serialize() for n in count())


def pings() -> bytes:
    return hello() + up_to(PingFrame(0, b"authgate").serialize() for _ in count())


def priorities() -> bytes:
    return hello() + up_to(PriorityFrame(stream, depends_on=0, stream_weight=1).serialize() for stream in STREAMS)


def empty_data() -> bytes:
    block = head("/login", "POST", ("content-type", "application/x-www-form-urlencoded"), ("sec-fetch-site", "none"))
    return hello() + request(1, block) + up_to(DataFrame(1, b"").serialize() for _ in count())


def answers_without_a_window() -> bytes:
    """A hundred pages are asked for, and there is no room for one byte of them."""
    return hello(window=0) + b"".join(request(stream, head(), "END_STREAM") for stream in islice(STREAMS, 100))


def large_answers_that_nobody_reads() -> bytes:
    """All the room that there can be, for a hundred large answers, and nobody who takes them from the connection."""
    room: Frame = WindowUpdateFrame(0, 2**31 - 1 - 65_535)
    asked = (request(stream, head("/public/large"), "END_STREAM") for stream in islice(STREAMS, 100))
    return hello(window=2**31 - 1) + room.serialize() + b"".join(asked)


FLOODS: list[Callable[[], bytes]] = [
    continuations, empty_continuations, bombs, too_many_streams, bodies_that_never_end, rapid_resets, made_resets,
    settings, pings, priorities, empty_data, answers_without_a_window,
]  # fmt: skip


@pytest.mark.parametrize("flood", FLOODS, ids=lambda flood: flood.__name__.replace("_", " "))
def test_a_flood_is_bounded(gate: Gate, flood: Callable[[], bytes]) -> None:
    withstands(gate, flood, NUMBER, EACH)


FULL_STREAMS = [large_heads_on_all_streams, bombs_within_the_limit, bodies_that_nobody_takes]


@pytest.mark.parametrize("flood", FULL_STREAMS, ids=lambda flood: flood.__name__.replace("_", " "))
def test_a_hundred_full_streams_are_bounded(gate: Gate, flood: Callable[[], bytes]) -> None:
    withstands(gate, flood, FEW, FULL)


def withstands(gate: Gate, flood: Callable[[], bytes], number: int, each: int) -> None:
    payload = flood()
    with under_pressure(gate, f"http/2, {flood.__name__}", number, each), clients(gate, number, room=4 * KIB) as made:
        each_sends(gate, made, payload)
        settled(gate)
    gate.answers_at_once(SLACK)


def test_large_answers_that_nobody_reads_are_bounded(runtime: str, secret: str) -> None:
    def large(peer: Peer, seen: Seen) -> None:
        with suppress(OSError):
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4194304\r\n\r\n" + bytes(4 * MIB))

    number = 4  # connections; each answer has a thread of the upstream's
    with Upstream({"/public/large": large}) as upstream, gate_before(runtime, upstream.url, secret, number) as gate:
        with under_pressure(gate, "http/2, large_answers_that_nobody_reads", number, FULL):
            with clients(gate, number, room=4 * KIB) as made:
                each_sends(gate, made, large_answers_that_nobody_reads())
                until(lambda: len(upstream.at("/public/large")) == 100 * number, "all have been asked for", 30)
                settled(gate)
        upstream.hang_up()


def settled(gate: Gate) -> None:
    """Waits until the gate takes no more memory."""
    before, still, end = gate.memory(), 0, time.monotonic() + 60
    while still < 5:
        assert time.monotonic() < end, f"it grows and grows: {before / MIB:.0f} MiB after a minute"
        gate.answers_at_once(SLACK)
        time.sleep(0.1)
        now = gate.memory()
        still = still + 1 if now <= before else 0
        before = max(before, now)


DISHONEST = [continuations, empty_continuations, too_many_streams, rapid_resets, made_resets, empty_data]


@pytest.mark.parametrize("flood", DISHONEST, ids=lambda flood: flood.__name__.replace("_", " "))
def test_a_flood_that_no_honest_client_sends_ends_the_connection(gate: Gate, flood: Callable[[], bytes]) -> None:
    with clients(gate, 1) as made:
        each_sends(gate, made, flood())
        for _ in range(100):
            made[0].read()
            if made[0].is_cut:
                return
            gate.answers_at_once(SLACK)
    raise AssertionError(f"still open; it said {made[0].received[:200]!r}")
