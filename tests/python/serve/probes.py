"""Requests that two servers might read as different ones, or as two: what each may come to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

HOST = b"Host: dash.example\r\n"
SECOND = b"GET /SMUGGLED HTTP/1.1\r\n" + HOST + b"\r\n"
SIZE = len(SECOND)
CHUNKED = b"Transfer-Encoding: chunked\r\n"
END = b"0\r\n\r\n"


@dataclass(frozen=True)
class Probe:
    """Bytes in which `/FIRST` is a path that may pass, `PROOF` a line with credentials, and `/SMUGGLED` the path that
    must not."""

    name: str
    sent: bytes
    statuses: frozenset[int] = frozenset({400})  # the first answer is one of these
    whole: int = 0  # most requests that reach the upstream, and are whole there
    cut: int = 0  # most that reach it, and are seen to be cut
    answers: int = 1  # most answers: two, where everybody reads two requests


def posted(
    name: str, fields: bytes, body: bytes, *statuses: int, whole: int = 0, cut: int = 0, answers: int = 1
) -> Probe:
    sent = b"POST /FIRST HTTP/1.1\r\n" + HOST + b"PROOF" + fields + b"\r\n" + body + SECOND
    return Probe(name, sent, frozenset(statuses or {400}), whole, cut, answers)


def asked(name: str, head: bytes, *statuses: int, whole: int = 0, answers: int = 1) -> Probe:
    return Probe(name, head + SECOND, frozenset(statuses or {400}), whole, 0, answers)


def lengths() -> Iterator[Probe]:
    """Content-Length alone."""
    for name, fields in {
        "two lengths": b"Content-Length: 0\r\nContent-Length: %d\r\n" % SIZE,
        "two lengths, the longer first": b"Content-Length: %d\r\nContent-Length: 0\r\n" % SIZE,
        "two lengths in one field": b"Content-Length: 0, %d\r\n" % SIZE,
        "plus": b"Content-Length: +%d\r\n" % SIZE,
        "minus": b"Content-Length: -%d\r\n" % SIZE,
        "minus zero": b"Content-Length: -0\r\n",
        "hexadecimal": b"Content-Length: 0x%x\r\n" % SIZE,
        "two numbers": b"Content-Length: %d %d\r\n" % (SIZE, SIZE),
        "a fraction": b"Content-Length: 0.0\r\n",
        "quoted": b'Content-Length: "0"\r\n',
        "nothing": b"Content-Length: \r\n",
        "empty item": b"Content-Length: ,%d\r\n" % SIZE,
        "full-width digits": "Content-Length: \uff10\r\n".encode(),
        "vertical tab": b"Content-Length: \x0b%d\r\n" % SIZE,
        "form feed": b"Content-Length: %d\x0c\r\n" % SIZE,
        "NUL": b"Content-Length: %d\x00\r\n" % SIZE,
        "no-break space": b"Content-Length:\xa0%d\r\n" % SIZE,
        "65 bits": b"Content-Length: 18446744073709551616\r\n",
        "a hundred digits": b"Content-Length: " + b"9" * 100 + b"\r\n",
        "65 bits around to zero": b"Content-Length: %d\r\n" % (2**64 * 3),
        "space before the colon": b"Content-Length : %d\r\n" % SIZE,
        "tab before the colon": b"Content-Length\t: %d\r\n" % SIZE,
        "folded": b"Content-Length:\r\n %d\r\n" % SIZE,
        "folded number": b"Content-Length: 0\r\n %d\r\n" % SIZE,
        "folded into another field": b"X-A: b\r\n Content-Length: %d\r\n" % SIZE,
    }.items():
        yield posted(f"length: {name}", fields, b"")
    same = b"Content-Length: %d\r\n" % SIZE
    yield posted("length: said twice alike", same + same, b"", 200, 400, whole=1)
    in_one = b"Content-Length: %d, %d\r\n" % (SIZE, SIZE)
    yield posted("length: said twice alike in one field", in_one, b"", 200, 400, whole=1)
    yield posted("length: zeros before it", b"Content-Length: 000%d\r\n" % SIZE, b"", 200, 400, whole=1)
    yield posted("length: 63 bits", b"Content-Length: 9223372036854775807\r\n", b"", 408, cut=1)
    yield posted("length: 64 bits", b"Content-Length: 18446744073709551615\r\n", b"", 400, 431)
    for name in ("Content_Length", "Content.Length", "Content-Length_", "X-Content-Length"):
        fields = b"%b: %d\r\n" % (name.encode(), SIZE)
        yield posted(f"length: {name}", fields, b"", 200, 400, whole=1, answers=2)


def framed_twice() -> Iterator[Probe]:
    """Content-Length beside Transfer-Encoding: refused, or one request by its chunks, and the last (RFC 9112 6.1)."""
    length = b"Content-Length: %d\r\n"
    for number in (0, 4, len(END), len(END) + SIZE, 10**6):
        yield posted(f"CL.TE {number}", length % number + CHUNKED, END, 200, 400, whole=1)
        yield posted(f"TE.CL {number}", CHUNKED + length % number, END, 200, 400, whole=1)
    for name, fields in {
        "CL.TE.CL": length % 0 + CHUNKED + length % SIZE,
        "TE.CL.TE": CHUNKED + length % SIZE + CHUNKED,
        "CL.CL.TE": length % 5 + length % 5 + CHUNKED,
        "CL.TE, TE for this connection": length % 5 + CHUNKED + b"Connection: Transfer-Encoding\r\n",
        "CL.TE, CL for this connection": length % 5 + CHUNKED + b"Connection: Content-Length\r\n",
        "CL.TE, upper case": b"CONTENT-LENGTH: 5\r\nTRANSFER-ENCODING: CHUNKED\r\n",
    }.items():
        yield posted(name, fields, END, 200, 400, whole=1)
    for name, fields in {
        "CL.TE in one field": b"Content-Length: 5, Transfer-Encoding: chunked\r\n",
        "CL.TE, TE unknown": length % 5 + b"Transfer-Encoding: xchunked\r\n",
        "CL.TE, TE empty": length % 5 + b"Transfer-Encoding: \r\n",
        "CL.TE, TE identity": length % 5 + b"Transfer-Encoding: identity\r\n",
        "TE.CL, TE identity": b"Transfer-Encoding: identity\r\n" + length % SIZE,
        "TE.CL, CL signed": b"Transfer-Encoding: xchunked\r\nContent-Length: +5\r\n",
    }.items():
        yield posted(name, fields, END)


def codings() -> Iterator[Probe]:
    """Transfer-Encoding that some server might not take for `chunked`, or might."""
    for name, fields in {
        "unknown": b"Transfer-Encoding: xchunked\r\n",
        "chunked, identity": b"Transfer-Encoding: chunked, identity\r\n",
        "chunked, gzip": b"Transfer-Encoding: chunked, gzip\r\n",
        "identity": b"Transfer-Encoding: identity\r\n",
        "identity in another field": CHUNKED + b"Transfer-Encoding: identity\r\n",
        "unknown in another field": CHUNKED + b"Transfer-Encoding: cow\r\n",
        "nothing": b"Transfer-Encoding:\r\n",
        "vertical tab": b"Transfer-Encoding:\x0bchunked\r\n",
        "vertical tab after it": b"Transfer-Encoding: chunked\x0b\r\n",
        "no-break space": b"Transfer-Encoding:\xa0chunked\r\n",
        "NUL": b"Transfer-Encoding: chunked\x00\r\n",
        "quoted": b'Transfer-Encoding: "chunked"\r\n',
        "a parameter": b"Transfer-Encoding: chunked;x=y\r\n",
        "semicolon": b"Transfer-Encoding: identity; chunked\r\n",
        "dotless": "Transfer-Encoding: chunk\u00e9d\r\n".encode(),
        "space before the colon": b"Transfer-Encoding : chunked\r\n",
        "tab before the colon": b"Transfer-Encoding\t: chunked\r\n",
        "NUL in the name": b"Transfer-Encoding\x00: chunked\r\n",
        "space before the name": b" Transfer-Encoding: chunked\r\n",
        "folded": b"Transfer-Encoding:\r\n chunked\r\n",
        "folded name": b"Transfer-Encoding\r\n : chunked\r\n",
        "folded into another field": b"X-A: b\r\n Transfer-Encoding: chunked\r\n",
        "after a bare CR": b"X-A: b\rTransfer-Encoding: chunked\r\n",
        "after NUL": b"X-A: b\x00Transfer-Encoding: chunked\r\n",
        "no colon": b"Transfer-Encoding chunked\r\n",
        "bare CR at its end": b"Transfer-Encoding: chunked\rX-A: b\r\n",
    }.items():
        yield posted(f"coding: {name}", fields, END)
    for name, fields in {
        "tab": b"Transfer-Encoding:\tchunked\r\n",
        "tab after it": b"Transfer-Encoding: chunked\t\r\n",
        "upper case": b"TRANSFER-ENCODING: CHUNKED\r\n",
        "mixed case": b"tRaNsFeR-eNcOdInG: ChUnKeD\r\n",
        "said twice": CHUNKED + CHUNKED,
        "after a bare LF": b"X-A: b\nTransfer-Encoding: chunked\r\n",
        "bare LF at its end": b"Transfer-Encoding: chunked\nX-A: b\r\n",
        "for this connection": CHUNKED + b"Connection: Transfer-Encoding\r\n",
    }.items():
        yield posted(f"coding: {name}", fields, END, 200, 400, whole=1, answers=2)
    for name, fields in {
        "said twice in one field": b"Transfer-Encoding: chunked, chunked\r\n",
        "identity, chunked": b"Transfer-Encoding: identity, chunked\r\n",
        "gzip, chunked": b"Transfer-Encoding: gzip, chunked\r\n",
        "empty item": b"Transfer-Encoding: , chunked\r\n",
        "empty item after it": b"Transfer-Encoding: chunked,\r\n",
        "in a field of its own": b"Transfer-Encoding: identity\r\n" + CHUNKED,
    }.items():
        yield posted(f"coding: {name}", fields, END, 400, 501)
    for name in ("Transfer_Encoding", "Transfer.Encoding", "X-Transfer-Encoding", "TE"):
        yield posted(f"coding: {name}", f"{name}: chunked\r\n".encode(), b"", 200, 400, whole=1, answers=2)


def chunks() -> Iterator[Probe]:
    """Chunks that some server might read differently."""
    for name, body in {
        "no number": b"g\r\nabc\r\n" + END,
        "hexadecimal prefix": b"0x3\r\nabc\r\n" + END,
        "plus": b"+3\r\nabc\r\n" + END,
        "minus": b"-3\r\nabc\r\n" + END,
        "minus zero": b"-0\r\n\r\n",
        "space before the number": b" 3\r\nabc\r\n" + END,
        "two numbers": b"3 0\r\nabc\r\n" + END,
        "nothing": b"\r\nabc\r\n" + END,
        "68 bits": b"fffffffffffffffff\r\nabc\r\n" + END,
        "68 bits around to three": b"10000000000000003\r\nabc\r\n" + END,
        "64 bits": b"ffffffffffffffff\r\nabc\r\n" + END,
        "longer than it says": b"3\r\nabcd\r\n" + END,
        "shorter than it says": b"4\r\nabc\r\n" + END,
        "no end": b"3\r\nabc0\r\n\r\n",
        "bare LF after the number": b"3\nabc\r\n" + END,
        "bare LF after the data": b"3\r\nabc\n" + END,
        "bare LF in the end": b"3\r\nabc\r\n0\n\r\n",
        "bare LF everywhere": b"3\nabc\n0\n\n",
        "bare CR after the number": b"3\rabc\r\n" + END,
        "CR CR LF": b"3\r\r\nabc\r\n" + END,
        "LF in an extension": b"3;a\nb\r\nabc\r\n" + END,
        "LF ends an extension": b"3;a\nabc\r\n" + END,
        "CR in an extension": b"3;a\rb\r\nabc\r\n" + END,
        "LF in a quoted extension": b'3;a="\n"\r\nabc\r\n' + END,
        "an endless extension": b"3;" + b"a" * 100_000 + b"\r\nabc\r\n" + END,
        "NUL after the number": b"3\x00\r\nabc\r\n" + END,
        "the body ends": b"3\r\nabc\r\n0\r\nX",
    }.items():
        yield posted(f"chunk: {name}", CHUNKED, body, 400, 408, 502, cut=1)
    for name, body in {
        "zeros before the number": b"0000000003\r\nabc\r\n000\r\n\r\n",
        "an extension": b"3;a=b\r\nabc\r\n0;c\r\n\r\n",
        "a quoted extension": b'3;a="b;c"\r\nabc\r\n' + END,
        "spaces around an extension": b"3 ; a = b\r\nabc\r\n" + END,
        "space after the number": b"3 \r\nabc\r\n" + END,
        "trailers": b"3\r\nabc\r\n0\r\nX-Auth-User: root\r\nContent-Length: 50\r\n\r\n",
        "a trailer that frames": b"3\r\nabc\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n",
    }.items():
        yield posted(f"chunk: {name}", CHUNKED, body, 200, 400, 408, whole=1, cut=1, answers=2)
    hidden = b'0;a="\r\n\r\n' + SECOND + b'"\r\n\r\n'
    yield posted("chunk: a request in a quoted extension", CHUNKED, hidden, 200, 400, 408, whole=1, cut=1, answers=3)
    yield posted("chunk: a request within", CHUNKED, b"%x\r\n" % SIZE + SECOND + b"\r\n" + END, 200, whole=1, answers=2)


def heads() -> Iterator[Probe]:
    """Lines that end or begin in odd ways."""
    first, proof = b"GET /FIRST HTTP/1.1\r\n", HOST + b"PROOF"
    for name, head in {
        "bare CR for CR LF": (first + proof + b"\r\n").replace(b"\r\n", b"\r"),
        "bare CR after the request line": b"GET /FIRST HTTP/1.1\r" + proof + b"\r\n",
        "CR CR LF": first + proof + b"X-A: b\r\r\n\r\n",
        "a bare CR ends the head": first + proof + b"X-A: b\r\n\r\r\n",
        "bare CR in a value": first + proof + b"X-A: b\r\rGET /SMUGGLED HTTP/1.1\r\n\r\n",
        "NUL in a value": first + proof + b"X-A: b\x00\r\n\r\n",
        "NUL in a name": first + proof + b"X\x00-A: b\r\n\r\n",
        "NUL in the target": b"GET /FIRST\x00 HTTP/1.1\r\n" + proof + b"\r\n",
        "space before the colon": first + proof + b"X-A : b\r\n\r\n",
        "folded with a space": first + proof + b"X-A: b\r\n c\r\n\r\n",
        "folded with a tab": first + proof + b"X-A: b\r\n\tc\r\n\r\n",
        "folded before all fields": first + b" X-A: b\r\n" + proof + b"\r\n",
        "no colon": first + proof + b"X-A\r\n\r\n",
        "no name": first + proof + b": b\r\n\r\n",
        "a third word": b"GET /FIRST /SMUGGLED HTTP/1.1\r\n" + proof + b"\r\n",
        "tabs in the request line": b"GET\t/FIRST\tHTTP/1.1\r\n" + proof + b"\r\n",
        "HTTP/1.2": b"GET /FIRST HTTP/1.2\r\n" + proof + b"\r\n",
        "HTTP/2.0": b"GET /FIRST HTTP/2.0\r\n" + proof + b"\r\n",
        "HTTP/0.9": b"GET /FIRST\r\n" + proof + b"\r\n",
        "words after the version": b"GET /FIRST HTTP/1.1 HTTP/1.1\r\n" + proof + b"\r\n",
    }.items():
        yield asked(f"head: {name}", head, 400, 505)
    for name, head in {
        "two hosts": first + proof + b"Host: other.example\r\n\r\n",
        "a host with a path": b"GET /FIRST HTTP/1.1\r\nHost: dash.example/SMUGGLED\r\nPROOF\r\n",
        "a request line in Host": b"GET /FIRST HTTP/1.1\r\nHost: x GET /SMUGGLED\r\nPROOF\r\n",
        "a comma in Host": b"GET /FIRST HTTP/1.1\r\nHost: a,b\r\nPROOF\r\n",
    }.items():
        yield asked(f"head: {name}", head, 400, answers=2)
    for name, head in {
        "bare LF for CR LF": (first + proof + b"\r\n").replace(b"\r\n", b"\n"),
        "LF ends the head": first + proof + b"X-A: b\r\n\n",
        "LF LF ends the head": first + proof + b"X-A: b\n\n",
        "empty lines before it": b"\r\n\r\n" + first + proof + b"\r\n",
        "two spaces in the request line": b"GET  /FIRST  HTTP/1.1\r\n" + proof + b"\r\n",
        "space after the version": b"GET /FIRST HTTP/1.1 \r\n" + proof + b"\r\n",
        "a method nobody knows": b"SMUGGLE /FIRST HTTP/1.1\r\n" + proof + b"\r\n",
        "Host for this connection": first + proof + b"Connection: Host\r\n\r\n",
        "bytes beyond ASCII in a value": first + proof + b"X-A: \xff\xfe\r\n\r\n",
    }.items():
        yield asked(f"head: {name}", head, 200, 400, whole=1, answers=2)


def targets() -> Iterator[Probe]:
    """Request targets that are no plain path."""
    line = b"%b HTTP/1.1\r\n" + HOST + b"PROOF\r\n"
    for target in (
        b"GET dash.example:80", b"GET FIRST", b"GET *", b"GET ?/FIRST", b"GET #/FIRST", b"GET \\FIRST",
        b"CONNECT dash.example:80", b"CONNECT 127.0.0.1:22", b"CONNECT /FIRST", b"CONNECT http://dash.example/FIRST",
        b"GET http://other.example/FIRST", b"GET http://dash.example:81/FIRST", b"GET http://u:p@dash.example/FIRST",
        b"GET http:///FIRST", b"GET http:/FIRST", b"GET http://dash.example\\FIRST", b"GET javascript:/FIRST",
        b"GET /FIRST\x7f", b"GET /FIRST\x01", b"GET /FIRST\xe9", b"OPTIONS *",
        b"OPTIONS dash.example:80", b"GET /FIRST\rX", b"GET /FIRST HTTP/1.1\rHost: x\r\r\nGET /SMUGGLED",
    ):  # fmt: skip
        yield asked(f"target: {target!a}", line % target, 400, 404, 405, 501, answers=2)
    for target in (
        b"GET http://dash.example/FIRST", b"GET HTTP://DASH.example:80/FIRST", b"OPTIONS http://dash.example/FIRST",
        b"GET /FIRST?/SMUGGLED", b"GET /FIRST?a=/../SMUGGLED", b"GET /FIRST?%0d%0aGET%20/SMUGGLED",
        b"GET https://dash.example/FIRST", b"GET /FIRST#/SMUGGLED",
    ):  # fmt: skip
        yield asked(f"target: {target!a}", line % target, 200, 400, whole=1, answers=2)


def others() -> Iterator[Probe]:
    """Bodies where none is usual, old versions, and protocols that nobody agreed to."""
    length = b"Content-Length: %d\r\n" % SIZE
    line = b"%b /FIRST HTTP/1.1\r\n" + HOST + b"PROOF"
    for method in (b"GET", b"HEAD", b"DELETE", b"OPTIONS", b"PATCH", b"TRACE", b"PURGE", b"get"):
        yield asked(f"{method.decode()} with a body", line % method + length + b"\r\n", 200, 400, whole=1)
        body = b"%x\r\n" % SIZE + SECOND + b"\r\n" + END
        head = line % method + CHUNKED + b"\r\n"
        yield asked(f"{method.decode()} with chunks", head + body, 200, 400, whole=1, answers=2)
    expecting = line % b"POST" + length + b"Expect: 100-continue\r\n\r\n"
    yield asked("a body that was not asked for yet", expecting, 100, 200, whole=1, answers=2)
    yield asked("the last request", line % b"GET" + b"Connection: close\r\n\r\n", 200, whole=1)
    old = b"%b /FIRST HTTP/1.0\r\n" + HOST + b"PROOFConnection: keep-alive\r\n"
    yield asked("HTTP/1.0 with chunks", old % b"POST" + CHUNKED + b"\r\n" + END, 200, 400, whole=1)
    yield asked("HTTP/1.0 with CL.TE", old % b"POST" + b"Content-Length: 5\r\n" + CHUNKED + b"\r\n" + END)
    yield asked("HTTP/1.0 with a length", old % b"POST" + length + b"\r\n", 200, whole=1)
    yield asked("HTTP/1.0, kept alive", old % b"GET" + b"\r\n", 200, whole=1, answers=2)
    for name, fields in {
        "a websocket without a key": b"Connection: Upgrade\r\nUpgrade: websocket\r\n",
        "a websocket of no known version": b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 7\r\n",
        "HTTP/2 by upgrade": b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n",
        "a protocol nobody knows": b"Connection: Upgrade\r\nUpgrade: smuggling/1\r\n",
    }.items():
        yield asked(name, line % b"GET" + fields + b"\r\n", 200, 400, 403, whole=1, answers=2)


PROBES = [*lengths(), *framed_twice(), *codings(), *chunks(), *heads(), *targets(), *others()]
