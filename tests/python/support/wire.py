"""HTTP/1.1 as bytes: nothing here repairs, reorders or hides what goes over the wire."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterable
from dataclasses import dataclass

Address = tuple[str, int]
Headers = Iterable[tuple[str, str]]

HEADER_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x20-\x7e\t]*)")


@dataclass(frozen=True)
class Reply:
    """One answer, exactly as it came."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes = b""

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def header(self, name: str) -> str | None:
        """The header's value, or nothing; a header sent twice is a fault."""
        values = self.all(name)
        assert len(values) <= 1, f"{name} was sent {len(values)} times: {values}"
        return values[0] if values else None

    @property
    def text(self) -> str:
        return self.body.decode()


class HungUp(AssertionError):
    """The other side closed before it had said a whole answer."""


def authority(address: Address) -> str:
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def head_of(method: str, target: str, headers: Headers = ()) -> bytes:
    """A request head. Text is sent as latin-1, so "\\xff" is one byte."""
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def parse_head(head: bytes) -> Reply:
    """Parses a reply's head; a line that is not plain ASCII `name: value` fails the test at once (t03)."""
    first, *lines = head.split(b"\r\n")
    status = re.fullmatch(rb"HTTP/1\.[01] (\d{3})(?: [\x20-\x7e]*)?", first)
    assert status, f"not a status line: {first!r}"
    headers = []
    for line in lines:
        match = HEADER_LINE.fullmatch(line)
        assert match, f"not a header line: {line!r}"
        headers.append((match[1].decode(), match[2].decode().rstrip()))
    return Reply(int(status[1]), headers)


def parse_replies(raw: bytes, *, has_body: bool = True) -> list[Reply]:
    """Splits what a connection sent into its answers. Whatever is left over fails the test."""
    replies = []
    while raw:
        head, blank, raw = raw.partition(b"\r\n\r\n")
        assert blank, f"the reply ends within its head: {head!r}"
        reply = parse_head(head)
        body = b""
        if has_body and reply.status >= 200 and reply.status not in (204, 304):
            body, raw = take_body(reply, raw)
        replies.append(Reply(reply.status, reply.headers, body))
    return replies


def take_body(reply: Reply, raw: bytes) -> tuple[bytes, bytes]:
    """The body of a reply, and what follows it."""
    if (reply.header("transfer-encoding") or "").lower() == "chunked":
        return take_chunks(raw)
    length = reply.header("content-length")
    if length is None:
        return raw, b""
    if len(raw) < int(length):
        raise HungUp(f"the body was cut: {len(raw)} of {length} bytes")
    return raw[: int(length)], raw[int(length) :]


def take_chunks(raw: bytes) -> tuple[bytes, bytes]:
    body = b""
    while True:
        size, end, raw = raw.partition(b"\r\n")
        if not end:
            raise HungUp("the body was cut within its chunks")
        length = int(size.split(b";")[0], 16)
        chunk, raw = raw[:length], raw[length:]
        if len(chunk) < length or not raw.startswith(b"\r\n"):
            raise HungUp("a chunk was cut")
        body, raw = body + chunk, raw[2:]
        if length == 0:
            return body, raw


def talk(
    address: Address, payload: bytes, *, half_close: bool = False, timeout: float = 10.0, source: str = ""
) -> bytes:
    """Sends bytes, from the address `source` if one is given, and returns all that comes back until the other side
    closes."""
    received = b""
    deadline = time.monotonic() + timeout
    with socket.create_connection(address, timeout=timeout, source_address=(source, 0)) as connection:
        try:
            connection.sendall(payload)
            if half_close:
                connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it answered and closed before it had read everything; what it said is still to be read
        while True:
            connection.settimeout(max(0.01, deadline - time.monotonic()))
            try:
                data = connection.recv(65536)
            except ConnectionResetError:
                return received
            except TimeoutError:
                raise AssertionError(f"still open after {timeout} s; received {received[:500]!r}") from None
            if not data:
                return received
            received += data


def exchange(
    address: Address, method: str, target: str, headers: Headers = (), body: bytes = b"", source: str = ""
) -> Reply:
    """One request on a connection of its own, and its only answer. Host and length are added if left out."""
    payload = request_of(address, method, target, headers, body)
    replies = parse_replies(talk(address, payload, source=source), has_body=method != "HEAD")
    if not replies:
        raise HungUp("no answer to a request")
    assert len(replies) == 1, f"{len(replies)} answers to one request"
    return replies[0]


def request_of(address: Address, method: str, target: str, headers: Headers = (), body: bytes = b"") -> bytes:
    """A whole request as bytes, the last one on its connection."""
    given = list(headers)
    names = {name.lower() for name, _ in given}
    extra = [("Host", authority(address))] if "host" not in names else []
    if body and "content-length" not in names:
        extra.append(("Content-Length", str(len(body))))
    return head_of(method, target, [*extra, ("Connection", "close"), *given]) + body


class Stream:
    """A reply that goes on: its head, then bytes as they come."""

    def __init__(self, address: Address, target: str, headers: Headers = ()) -> None:
        self.received = b""
        self.socket = socket.create_connection(address, timeout=10)
        host = ("Host", authority(address))
        self.socket.sendall(head_of("GET", target, [host, ("Connection", "close"), *headers]))
        self.wait_for(b"\r\n\r\n")
        head, _, self.received = self.received.partition(b"\r\n\r\n")
        self.reply = parse_head(head)

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def wait_for(self, wanted: bytes, seconds: float = 10.0) -> None:
        """Reads until `wanted` has come."""
        deadline = time.monotonic() + seconds
        while wanted not in self.received:
            left = deadline - time.monotonic()
            assert left > 0, f"{wanted!r} did not come within {seconds} s: {self.received[-500:]!r}"
            self.socket.settimeout(left)
            try:
                data = self.socket.recv(65536)
            except TimeoutError:
                continue
            assert data, f"closed before {wanted!r} came: {self.received[-500:]!r}"
            self.received += data

    def ended_by(self, deadline: float) -> bool:
        """Reads on until the other side closes (true), or until the wall clock reaches `deadline` (false)."""
        while (left := deadline - time.time()) > 0:
            self.socket.settimeout(left)
            try:
                data = self.socket.recv(65536)
            except TimeoutError:
                return False
            except ConnectionResetError:
                return True
            if not data:
                return True
            self.received += data
        return False
