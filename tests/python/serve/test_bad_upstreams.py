"""Upstreams that are down, slow or lying: their clients are told so and no more, and nobody else notices."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from itertools import count
from threading import Event

import pytest

from serve.upstreams import PATIENCE, Peer, Route, Seen, Upstream, answer
from support import tokens
from support.program import Site, serving
from support.wire import HungUp, Reply, Stream, take_body

OK = b"HTTP/1.1 200 OK\r\n"
UNREACHABLE, SILENT = "The dashboard cannot be reached", "The dashboard does not answer"
KINDS = {
    "page": [("Accept", "text/html")],
    "htmx": [("HX-Request", "true")],
    "api": [("Accept", "application/json")],
}


def says(*parts: bytes, then: Callable[[Peer], object] = Peer.close) -> Route:
    """Answers with these bytes, whatever they are."""

    def route(peer: Peer, seen: Seen) -> None:
        with suppress(OSError):  # the gate may have heard enough
            for part in parts:
                peer.send(part)
        then(peer)

    return route


def on_and_on(part: bytes) -> Route:
    """Says the same until nobody listens."""

    def route(peer: Peer, seen: Seen) -> None:
        while True:
            peer.send(part)

    return route


BROKEN: dict[str, Route] = {
    "/hangs-up": says(),
    "/resets": says(then=Peer.reset),
    "/garbage": says(b"once upon a time\r\n\r\n", then=Peer.is_left),
    "/tls": says(b"\x15\x03\x01\x00\x02\x02\x46", then=Peer.is_left),
    "/half-a-line": says(b"HTTP/1.1 200 O"),
    "/half-a-head": says(OK + b"Content-Length: 2\r\nX-Secret: 4"),
    "/half-a-head-reset": says(OK + b"Content-Length: 2\r\n", then=Peer.reset),
    "/long-field": says(OK + b"X-Long: " + b"x" * 100_000 + b"\r\n\r\n", then=Peer.is_left),
    "/many-fields": says(OK + b"X-A: b\r\n" * 1000 + b"\r\n", then=Peer.is_left),
    "/endless-head": on_and_on(b"x" * 65_536),
    "/two-lengths": says(OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nabc", then=Peer.is_left),
    "/no-length": says(OK + b"Content-Length: -1\r\n\r\n", then=Peer.is_left),
    "/line-feed": says(OK + b"X-A: b\r\n c\r\nContent-Length: 0\r\n\r\n", then=Peer.is_left),
    "/switches": says(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", then=Peer.is_left),
}

STALLED: dict[str, Route] = {
    "/silent": says(then=Peer.is_left),
    "/half-a-head-and-silent": says(OK + b"Content-Length: 2\r\n", then=Peer.is_left),
    "/never-gets-there": on_and_on(b"HTTP/1.1 100 Continue\r\n\r\n"),
}

LENGTH, CHUNKS, TO_THE_END = b"Content-Length: 9\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n4\r\n", b"\r\n"

# What comes of an answer that says "half", and what happens then.
CUT: dict[str, tuple[bytes, bytes, Callable[[Peer], object]]] = {
    "a length, dies": (LENGTH, b"", Peer.close),
    "a length, resets": (LENGTH, b"", Peer.reset),
    "a length, stalls": (LENGTH, b"", Peer.is_left),
    "chunks, dies": (CHUNKS, b"\r\n", Peer.close),
    "chunks, dies within one": (CHUNKS, b"\r\n4\r\nha", Peer.close),
    "chunks, dies before the last": (CHUNKS, b"\r\n0\r\n", Peer.close),
    "chunks, resets": (CHUNKS, b"\r\n", Peer.reset),
    "chunks, stalls": (CHUNKS, b"\r\n", Peer.is_left),
    "chunks, garbage": (CHUNKS, b"\r\nonce upon a time\r\n\r\n", Peer.is_left),
    "chunks, longer than it says": (CHUNKS, b"and more\r\n0\r\n\r\n", Peer.is_left),
    "to the end, resets": (TO_THE_END, b"", Peer.reset),
}


@dataclass
class Stage:
    """A gate before an upstream that does whatever its paths say."""

    site: Site
    upstream: Upstream
    numbers: Iterator[int] = field(default_factory=count)

    def failures(self, reason: str) -> float:
        return self.site.metric("authgate_upstream_failures_total", reason=reason)

    def ask(self, path: str, kind: str) -> Reply:
        return self.site.get(f"{path}?token=hush", *KINDS[kind], token=self.site.mint())

    def is_well(self) -> bool:
        """Whether an honest request gets its own answer."""
        target = f"/honest/{next(self.numbers)}"
        return self.site.get(target, token=self.site.mint()).text == f"GET {target}"


def beats(peer: Peer, seen: Seen) -> None:
    """An event stream that counts for as long as somebody listens."""
    peer.send(OK + b"Content-Type: text/event-stream\r\n\r\n")
    for number in count():
        peer.send(b"data: %d\n\n" % number)
        time.sleep(0.02)


@pytest.fixture(scope="module")
def stage(runtime: str, secret: str) -> Iterator[Stage]:
    """With a client that listens to a healthy stream all the while, and must not miss anything of it."""
    with ExitStack() as opened:
        upstream = opened.enter_context(Upstream(BROKEN | STALLED | {"/beats": beats}))
        flags = ["--upstream", upstream.url, "--upstream-timeout", "1s"]
        site = opened.enter_context(serving(runtime, *flags, secret=secret))
        stream = opened.enter_context(Stream(site.address, "/beats", [tokens.bearer(site.mint())]))
        yield Stage(site, upstream)
        stream.wait_for(b"data: 100\n")
        told = [int(number) for number in re.findall(rb"data: (\d+)\n\n", stream.received)]
        assert told == list(range(len(told)))


def assert_says_no_more(stage: Stage, kind: str, reply: Reply, text: str, reason: str) -> None:
    """As its client can read it, and without a word on why."""
    media, shown = reply.header("Content-Type") or "", reply.text + str(reply.headers)
    assert media.startswith("text/html" if kind == "page" else "text/plain"), media
    assert (text in reply.text) if kind == "page" else reply.text.strip() == text
    for secret in (str(stage.upstream.port), "127.0.0.1", "refused", "os error", "hyper", "hush", "X-Secret", reason):
        assert secret not in shown, shown
    assert reply.header("Cache-Control") == "no-store"


def fails(stage: Stage, path: str, status: int, text: str, reason: str) -> None:
    """Asks as every kind of client at once, while somebody else is served."""
    before = stage.failures(reason)
    with ThreadPoolExecutor(len(KINDS)) as pool:
        asked = {kind: pool.submit(stage.ask, path, kind) for kind in KINDS}
        assert all(stage.is_well() for _ in range(5))
        replies = {kind: reply.result() for kind, reply in asked.items()}
    for kind, reply in replies.items():
        assert reply.status == status, reply
        assert_says_no_more(stage, kind, reply, text, reason)
    assert stage.failures(reason) == before + len(KINDS)
    assert stage.is_well()


@pytest.mark.parametrize("path", BROKEN)
def test_an_answer_that_is_none_is_502(stage: Stage, path: str) -> None:
    fails(stage, path, 502, UNREACHABLE, "upstream-broken")


@pytest.mark.parametrize("path", STALLED)
def test_no_answer_in_time_is_504(stage: Stage, path: str) -> None:
    fails(stage, path, 504, SILENT, "upstream-timed-out")


def test_nobody_there_is_502(stage: Stage, runtime: str, secret: str) -> None:
    with Upstream() as gone:
        pass
    with serving(runtime, "--upstream", gone.url, secret=secret) as site:
        lonely = Stage(site, gone)
        for kind in KINDS:
            reply = lonely.ask("/", kind)
            assert reply.status == 502
            assert_says_no_more(lonely, kind, reply, UNREACHABLE, "upstream-unreachable")
        assert lonely.failures("upstream-unreachable") == len(KINDS)
        assert site.get("/").status == 303, "the gate itself is there"


def test_others_do_not_wait_for_whoever_waits(stage: Stage) -> None:
    with ThreadPoolExecutor(20) as pool:
        waiting = [pool.submit(stage.ask, "/silent", "page") for _ in range(20)]
        while len(stage.upstream.at("/silent")) < 20:
            assert stage.is_well()
        assert not any(reply.done() for reply in waiting)
        assert {reply.result().status for reply in waiting} == {504}


@pytest.mark.parametrize("path", ["/hangs-up", "/resets", "/half-a-head"])
def test_what_may_have_been_done_is_not_done_twice(stage: Stage, path: str) -> None:
    before = len(stage.upstream.at(path))
    for times in (1, 2, 3):
        reply = stage.site.post(path, token=stage.site.mint(), body=b"once")
        assert reply.status == 502
        assert len(stage.upstream.at(path)) == before + times


@pytest.mark.parametrize("how", CUT)
def test_half_an_answer_never_looks_whole(stage: Stage, how: str) -> None:
    framing, rest, then = CUT[how]
    is_there, path = Event(), f"/cut/{next(stage.numbers)}"

    def half(peer: Peer, seen: Seen) -> None:
        peer.send(OK + framing + b"half")
        assert is_there.wait(PATIENCE)
        says(rest, then=then)(peer, seen)

    stage.upstream.routes[path] = half
    with Stream(stage.site.address, path, [tokens.bearer(stage.site.mint())]) as stream:
        assert stream.reply.status == 200
        if framing != CHUNKS:
            stream.wait_for(b"half")
        is_there.set()
        assert stage.is_well()
        assert stream.ended_by(time.time() + PATIENCE)
        with pytest.raises(HungUp):
            take_body(stream.reply, stream.received)
        assert b"upon a time" not in stream.received and b"and more" not in stream.received
    assert stage.is_well()


@pytest.mark.parametrize("waits", [False, True])
def test_an_answer_too_many_is_nobodys(stage: Stage, waits: bool) -> None:
    is_there, is_said, path = Event(), Event(), f"/twice/{next(stage.numbers)}"

    def twice(peer: Peer, seen: Seen) -> None:
        stray = OK + b"Content-Length: 6\r\n\r\nstolen"
        if waits:
            answer(peer, seen, b"own")
            assert is_there.wait(PATIENCE)
            peer.send(stray)
        else:
            peer.send(OK + b"Content-Length: 3\r\n\r\nown" + stray)
        is_said.set()

    stage.upstream.routes[path] = twice
    assert stage.ask(path, "page").text == "own"
    is_there.set()
    assert is_said.wait(PATIENCE)
    assert all(stage.is_well() for _ in range(20))
