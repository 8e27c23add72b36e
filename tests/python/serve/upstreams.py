"""Servers behind the gate, as bytes: they read no more leniently than the worst of them, and note all that comes."""

from __future__ import annotations

import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

REQUEST_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([\x21-\x7e]+) HTTP/1\.1\r\n")
FIELD_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+): ([^\r\n\0]*)\r\n")
FRAMING = re.compile("content-length|transfer-encoding")
PATIENCE = 10.0  # seconds: longer than anything here may take


class Unclear(AssertionError):
    """What two servers might read as two different requests."""


class Gone(ConnectionError):
    """The gate left in the middle of a request."""


class Peer:
    """A connection from the gate."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self.buffer = b""
        self.is_resting = False  # whether nothing of a request is here that has no answer yet

    def fill(self) -> bool:
        """Waits for more; false at the end."""
        data = self.socket.recv(1 << 18)
        self.buffer += data
        return bool(data)

    def line(self) -> bytes:
        """The next line with its end, or nothing if there is no more."""
        while b"\n" not in self.buffer:
            if not self.fill():
                if self.buffer:
                    raise Gone("within a line")
                return b""
        line, feed, self.buffer = self.buffer.partition(b"\n")
        return line + feed

    def take(self, count: int) -> bytes:
        while len(self.buffer) < count:
            if not self.fill():
                raise Gone("within a body")
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def pieces(self, count: int) -> Iterator[bytes]:
        """The next `count` bytes as they come, and none of them kept."""
        while count > 0:
            if not self.buffer and not self.fill():
                raise Gone("within a body")
            piece, self.buffer = self.buffer[:count], self.buffer[count:]
            count -= len(piece)
            yield piece

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def reset(self) -> None:
        """Ends the connection with a RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def close(self) -> None:
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()

    def is_left(self, seconds: float = PATIENCE) -> bool:
        """Waits until the gate has left, whatever it still sends."""
        self.socket.settimeout(seconds)
        try:
            while self.socket.recv(65536):
                pass
        except TimeoutError:
            return False
        except OSError:
            pass
        return True


@dataclass
class Seen:
    """A request as it arrived."""

    method: str
    target: str
    fields: list[tuple[str, str]]
    body: bytes = field(default=b"", repr=False)
    is_whole: bool = False

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.fields if key.lower() == name.lower()]

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def length(self) -> int | None:
        """How long the body is; none if it is chunked."""
        lengths, codings = self.all("content-length"), self.all("transfer-encoding")
        if len(lengths) + len(codings) > 1 or codings not in ([], ["chunked"]):
            raise Unclear(f"framed by {lengths} and {codings}")
        if codings:
            return None
        if not re.fullmatch("[0-9]{1,20}", length := lengths[0] if lengths else "0"):
            raise Unclear(f"a length of {length!r}")
        return int(length)

    def pieces(self, peer: Peer) -> Iterator[bytes]:
        """The body as it comes; it is whole only if it is read to its end."""
        if (length := self.length) is not None:
            yield from peer.pieces(length)
        else:
            while size := chunk_size(peer):
                yield from peer.pieces(size)
                end_of_line(peer)
            end_of_line(peer)  # a trailer would stand here
        self.is_whole = True

    def read(self, peer: Peer) -> None:
        for piece in self.pieces(peer):
            self.body += piece


def chunk_size(peer: Peer) -> int:
    if not (line := peer.line()):
        raise Gone("between chunks")
    if not re.fullmatch(rb"[0-9A-Fa-f]{1,16}\r\n", line):
        raise Unclear(f"a chunk of {line!r}")
    return int(line, 16)


def end_of_line(peer: Peer) -> None:
    if not (line := peer.line()):
        raise Gone("after a chunk")
    if line != b"\r\n":
        raise Unclear(f"{line!r} at the end of a chunk")


def next_head(peer: Peer) -> Seen | None:
    """The next request's head, or nothing if the gate has left."""
    if not (line := peer.line()):
        return None
    if not (first := REQUEST_LINE.fullmatch(line)):
        raise Unclear(f"no request line: {line!r}")
    fields: list[tuple[str, str]] = []
    while (line := peer.line()) != b"\r\n":
        if not (match := FIELD_LINE.fullmatch(line)):
            raise Unclear(f"no field: {line!r}")
        fields.append((match[1].decode(), match[2].decode("latin-1")))
        if FRAMING.fullmatch(folded := re.sub("[^a-z0-9]", "-", name := fields[-1][0].lower())) and name != folded:
            raise Unclear(f"some servers fold {name} into {folded}")
    return Seen(first[1].decode(), first[2].decode(), fields)


Route = Callable[[Peer, Seen], None]


def echo(peer: Peer, seen: Seen) -> None:
    """Answers with the request line, so that everybody can tell whose answer it is."""
    seen.read(peer)
    answer(peer, seen, f"{seen.method} {seen.target}".encode())


def answer(peer: Peer, seen: Seen, body: bytes, *headers: str) -> None:
    lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *headers]
    peer.send("\r\n".join(lines).encode() + b"\r\n\r\n" + (b"" if seen.method == "HEAD" else body))


class Upstream:
    """A server on a free port, with a thread for each connection. What has no route goes `otherwise`, and is echoed. A route
    is called when the head has come."""

    def __init__(self, routes: Mapping[str, Route] | None = None, otherwise: Route = echo) -> None:
        self.routes = dict(routes or {})
        self.otherwise = otherwise
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port = self.listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.seen: list[Seen] = []
        self.faults: list[str] = []
        self.peers: list[Peer] = []
        self.threads: list[threading.Thread] = []
        self.rest = threading.Condition()

    def __enter__(self) -> Upstream:
        self.acceptor = threading.Thread(target=self.accept)
        self.acceptor.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.acceptor.join(PATIENCE)
        self.listener.close()
        self.hang_up()
        for thread in self.threads:
            thread.join(PATIENCE)
            assert not thread.is_alive(), "an upstream's connection goes on"
        assert not self.faults, self.faults

    def accept(self) -> None:
        with suppress(OSError):
            while True:
                peer = Peer(self.listener.accept()[0])
                peer.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.peers.append(peer)
                thread = threading.Thread(target=self.serve, args=[peer])
                self.threads.append(thread)
                thread.start()

    def serve(self, peer: Peer) -> None:
        try:
            while seen := next_head(peer):
                peer.is_resting = False
                self.seen.append(seen)
                self.routes.get(seen.path, self.otherwise)(peer, seen)
                self.has_come_to_rest(peer)
        except AssertionError as fault:
            self.faults.append(str(fault))
        except OSError:
            pass  # the gate left, or a route did
        finally:
            self.has_come_to_rest(peer)
            peer.close()

    def has_come_to_rest(self, peer: Peer) -> None:
        with self.rest:
            peer.is_resting = True
            self.rest.notify_all()

    def hang_up(self) -> None:
        """Ends all connections."""
        for peer in self.peers:
            peer.close()

    def at(self, path: str) -> list[Seen]:
        """The requests for a path, as far as they have come."""
        return [seen for seen in self.seen if seen.path == path]

    def only(self, path: str) -> Seen:
        seen = self.at(path)
        assert len(seen) == 1, f"{len(seen)} requests for {path}"
        return seen[0]

    def rests(self) -> None:
        """Waits until no request is under way on the connections that are here."""
        with self.rest:
            rests = self.rest.wait_for(lambda: all(peer.is_resting for peer in self.peers), PATIENCE)
        assert rests, "a request is still under way"
