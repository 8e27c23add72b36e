"""Events and websockets pass as they come, both ways, and end with the admission that let them in."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from queue import Queue
from random import Random
from threading import Thread

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.sync.server import ServerConnection, serve

from serve.upstreams import PATIENCE, Peer, Seen, Upstream
from support import tokens
from support.checks import until
from support.people import Crowd, Person, newcomer
from support.program import Site, serving
from support.wire import HungUp, Stream, take_chunks

EVENTS = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
HELLO = b"d\r\ndata: hello\n\n\r\n"
PATHS = ("/waits", "/chatters")
QUIET = 1.5  # longer than the upstream may be silent where an answer is due: here it is a second
SOON = 2.5  # the gate looks once a second
AT_ONCE = 1.0  # far more than what is passed on at once takes


@dataclass
class Behind:
    """Event streams and a websocket, which tell what has been opened and what has ended."""

    said: Queue[bytes] = field(default_factory=Queue)
    opened: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)

    def says(self, peer: Peer, seen: Seen) -> None:
        """Says what the test says, until that is nothing."""
        peer.send(EVENTS)
        while event := self.said.get(timeout=60):
            peer.send(b"%x\r\n%b\r\n" % (len(event), event))
        peer.send(b"0\r\n\r\n")

    def waits(self, peer: Peer, seen: Seen) -> None:
        """Says one thing, and waits until it is left."""
        peer.send(EVENTS + HELLO)
        if peer.is_left():
            self.ended.append(seen.target)

    def chatters(self, peer: Peer, seen: Seen) -> None:
        """Says the same on and on, as events or as a download."""
        with suppress(OSError):
            peer.send(EVENTS if seen.path == "/chatters" else EVENTS.replace(b"event-stream", b"csv"))
            while True:
                peer.send(HELLO)
                time.sleep(0.05)
        self.ended.append(seen.target)

    def talks(self, connection: ServerConnection) -> None:
        """Speaks first, and repeats whatever it hears."""
        assert connection.request is not None
        path = connection.request.path
        self.opened.append(path)
        with suppress(ConnectionClosed):
            connection.send("welcome")
            for message in connection:
                if message == "close":
                    connection.close(4321, "as you wish")
                else:
                    connection.send(message)
        self.ended.append(path)

    def has_ended(self, target: str, seconds: float = PATIENCE) -> None:
        until(lambda: target in self.ended, f"the upstream knows that {target} has ended", seconds)


@dataclass
class Stage:
    """A gate before the event streams, and one before the websocket."""

    behind: Behind
    events: Site
    sockets: Site
    numbers: Iterator[int] = field(default_factory=count)

    @contextmanager
    def listen(self, path: str, *proof: tuple[str, str]) -> Iterator[tuple[Stream, str]]:
        """An event stream on which something has come, and its target."""
        target = f"{path}?{next(self.numbers)}"
        with Stream(self.events.address, target, [("Accept", "text/event-stream"), *proof]) as stream:
            stream.wait_for(b"data: hello")
            yield stream, target

    @contextmanager
    def dial(self, *proof: tuple[str, str]) -> Iterator[tuple[ClientConnection, str]]:
        """A websocket on which something has come, and its target."""
        target = f"/ws?{next(self.numbers)}"
        url = f"ws://{self.sockets.address[0]}:{self.sockets.address[1]}{target}"
        with connect(url, additional_headers=proof, proxy=None, compression=None, open_timeout=PATIENCE) as socket:
            assert socket.recv(timeout=PATIENCE) == "welcome"
            yield socket, target


@pytest.fixture(scope="module")
def stage(runtime: str, secret: str, crowd: Crowd) -> Iterator[Stage]:
    with ExitStack() as opened:
        behind = Behind()
        routes = {"/says": behind.says, "/waits": behind.waits, "/chatters": behind.chatters, "/csv": behind.chatters}
        upstream = opened.enter_context(Upstream(routes))
        server = opened.enter_context(serve(behind.talks, "127.0.0.1", 0, compression=None))
        thread = Thread(target=server.serve_forever)
        thread.start()
        opened.callback(thread.join, PATIENCE)
        opened.callback(server.shutdown)

        def gate(url: str) -> Site:
            flags: list[str | Path] = ["--upstream-timeout", "1s", "--users-file", crowd.path]
            return opened.enter_context(serving(runtime, "--upstream", url, *flags, secret=secret))

        yield Stage(behind, gate(upstream.url), gate(f"http://127.0.0.1:{server.socket.getsockname()[1]}"))
        upstream.hang_up()  # what still goes on would hold up the gate's end


@pytest.fixture
def proof(stage: Stage) -> tuple[str, str]:
    return tokens.bearer(stage.events.mint())


def says(socket: ClientConnection, message: str | bytes) -> None:
    start = time.monotonic()
    socket.send(message)
    assert socket.recv(timeout=PATIENCE) == message
    assert time.monotonic() - start < AT_ONCE


def test_every_event_comes_alone_and_at_once(stage: Stage, proof: tuple[str, str]) -> None:
    """The next is not sent until the one before has come."""
    with Stream(stage.events.address, "/says", [("Accept", "text/event-stream"), proof]) as stream:
        assert stream.reply.status == 200 and stream.reply.header("Content-Type") == "text/event-stream"
        for number in range(30):
            event = b"data: %d\n\n" % number
            start, stream.received = time.monotonic(), b""
            stage.behind.said.put(event)
            stream.wait_for(event)
            assert time.monotonic() - start < AT_ONCE
            assert stream.received.startswith(b"%X\r\n" % len(event)), "it waited for company"
        large = Random(1).randbytes(1 << 20).hex().encode()
        stage.behind.said.put(large + b"data: end\n\n")
        stream.wait_for(b"data: end\n\n")
        stage.behind.said.put(b"")
        stream.wait_for(b"0\r\n\r\n")
        assert stream.ended_by(time.time() + PATIENCE)


def test_events_and_messages_may_pause(stage: Stage, proof: tuple[str, str]) -> None:
    listening = Stream(stage.events.address, "/says", [("Accept", "text/event-stream"), proof])
    with listening as stream, stage.dial(proof) as (socket, _):
        assert not stream.ended_by(time.time() + QUIET)
        says(socket, "still here")
        stage.behind.said.put(b"data: still here\n\n")
        stream.wait_for(b"data: still here")
        stage.behind.said.put(b"")
        stream.wait_for(b"0\r\n\r\n")


def test_an_upstream_learns_that_a_client_has_left(stage: Stage, proof: tuple[str, str]) -> None:
    with stage.listen("/chatters", proof) as (_, target):
        pass
    stage.behind.has_ended(target)
    with stage.dial(proof) as (socket, target):
        socket.socket.close()
        stage.behind.has_ended(target)


def test_t13_a_stream_ends_when_its_token_expires_and_a_download_does_not_look_whole(
    stage: Stage, proof: tuple[str, str]
) -> None:
    end = int(time.time()) + 2
    dies = tokens.bearer(stage.events.mint(exp=end))
    with ExitStack() as opened:
        lasting = [opened.enter_context(stage.listen(path, proof)) for path in PATHS]
        brief = [opened.enter_context(stage.listen(path, dies)) for path in (*PATHS, "/csv")]
        for stream, target in brief:
            assert stream.ended_by(end + SOON), "the stream outlives its token"
            assert time.time() >= end - 0.1, "ended too early"
            stage.behind.has_ended(target)
        for stream, _ in lasting:
            assert not stream.ended_by(time.time() + 0.2), "a stream ended that is none of this token's business"
        with pytest.raises(HungUp):
            take_chunks(brief[-1][0].received)


def test_t13_an_event_stream_ends_with_its_session(stage: Stage, crowd: Crowd) -> None:
    one, other = signed_in(stage.events, crowd), signed_in(stage.events, crowd)
    with ExitStack() as opened:
        stay = [opened.enter_context(stage.listen(path, *other.cookies())) for path in PATHS]
        end = [opened.enter_context(stage.listen(path, *one.cookies())) for path in PATHS]
        assert one.sign_out().status == 303
        deadline = time.time() + SOON
        for stream, target in end:
            assert stream.ended_by(deadline), "the stream outlives its session"
            stage.behind.has_ended(target)
        for stream, _ in stay:
            assert not stream.ended_by(time.time() + 0.2)


def test_a_websocket_passes_both_ways(stage: Stage, proof: tuple[str, str]) -> None:
    with stage.dial(proof) as (socket, _):
        for message in ("hello", "", "Grüße 🚀", b"\x00\xff bytes", "x" * 70_000, Random(1).randbytes(900_000)):
            says(socket, message)
        for number in range(30):
            socket.send(f"{number}")
        assert [socket.recv(timeout=PATIENCE) for _ in range(30)] == [f"{number}" for number in range(30)]
        assert socket.ping().wait(PATIENCE), "nobody has answered the ping"


def test_the_end_of_a_websocket_passes_both_ways(stage: Stage, proof: tuple[str, str]) -> None:
    with stage.dial(proof) as (socket, target):
        socket.send("close")
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=PATIENCE)
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4321, "as you wish")
        stage.behind.has_ended(target)
    with stage.dial(proof) as (socket, target):
        socket.close()
        stage.behind.has_ended(target)
        assert socket.close_code == 1000


def test_t08_nobody_opens_a_websocket_without_proof(stage: Stage, crowd: Crowd) -> None:
    person, before = signed_in(stage.sockets, crowd), len(stage.behind.opened)
    foreign = [*person.cookies(), ("Origin", "https://evil.example")]
    expired = tokens.bearer(stage.sockets.mint(exp=1))
    for proof, status in [([], 401), ([expired], 401), (foreign, 403), (person.cookies(), 403)]:
        with pytest.raises(InvalidStatus) as refused, stage.dial(*proof):
            pass
        assert refused.value.response.status_code == status
    assert len(stage.behind.opened) == before


def test_t13_a_websocket_ends_when_its_token_expires(stage: Stage, proof: tuple[str, str]) -> None:
    end = int(time.time()) + 2
    dies = tokens.bearer(stage.sockets.mint(exp=end))
    with stage.dial(proof) as (lasting, _), stage.dial(dies) as (brief, target):
        with pytest.raises(ConnectionClosed):
            while time.time() < end + SOON:  # talking does not keep it open
                says(brief, "in time")
        assert end - 0.1 <= time.time() < end + SOON
        stage.behind.has_ended(target)
        says(lasting, "not mine")


def test_t13_a_websocket_ends_with_its_session(stage: Stage, crowd: Crowd) -> None:
    one, other = signed_in(stage.sockets, crowd), signed_in(stage.sockets, crowd)
    origin = ("Origin", stage.sockets.origin)
    with stage.dial(*other.cookies(), origin) as (stays, _), stage.dial(*one.cookies(), origin) as (ends, target):
        assert one.sign_out().status == 303
        deadline = time.monotonic() + SOON
        with pytest.raises(ConnectionClosed):
            ends.recv(timeout=SOON)
        assert time.monotonic() < deadline
        stage.behind.has_ended(target)
        says(stays, "not mine")


def signed_in(site: Site, crowd: Crowd) -> Person:
    site.hide(crowd.password)
    person = newcomer(site, crowd)
    person.sign_in()
    return person
