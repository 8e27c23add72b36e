"""Bytes that are not a clean request end in 400 or 431, never in two readings, and never end the program."""

from __future__ import annotations

import random
import socket

import pytest

from support import tokens
from support.checks import assert_no_way_in
from support.program import Demo
from support.wire import Reply, head_of, parse_replies, talk

HOST = b"Host: dashboard.example\r\n"
GET = b"GET /ops/queues HTTP/1.1\r\n"
NEXT = b"GET /ops/static/app.css HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"


def replies_to(demo: Demo, payload: bytes) -> list[Reply]:
    return parse_replies(talk(demo.address, payload, half_close=True))


def only_reply_to(demo: Demo, payload: bytes) -> Reply:
    replies = replies_to(demo, payload)
    assert len(replies) == 1, f"{len(replies)} answers"
    return replies[0]


GARBAGE = [
    pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(200)), id="TLS"),
    pytest.param(b"\x00" * 200, id="NULs"),
    pytest.param(b"\x80" + random.Random(1).randbytes(2000), id="noise"),
    pytest.param(b'{"jsonrpc": "2.0"}\r\n\r\n', id="JSON"),
    pytest.param(b"SSH-2.0-OpenSSH_9.9\r\n\r\n", id="SSH"),
    pytest.param(b"GET\r\n\r\n", id="method alone"),
    pytest.param(b"GET /ops/queues\r\n\r\n", id="HTTP/0.9"),
    pytest.param(b"GET /ops/queues HTTP/1.1.1\r\n\r\n", id="version with three parts"),
    pytest.param(b"GET /ops/queues http/1.1\r\n\r\n", id="version in lower case"),
    pytest.param(b"GET /ops/queues HTTPS/1.1\r\n\r\n", id="another protocol"),
    pytest.param(b"GET /ops/queues extra HTTP/1.1\r\n" + HOST + b"\r\n", id="a space in the target"),
    pytest.param(b"GE(T /ops/queues HTTP/1.1\r\n" + HOST + b"\r\n", id="a method that is no token"),
    pytest.param(b"GET /ops/\x01queues HTTP/1.1\r\n" + HOST + b"\r\n", id="a control in the target"),
    pytest.param(b"GET /ops/\x00queues HTTP/1.1\r\n" + HOST + b"\r\n", id="NUL in the target"),
    pytest.param(b"GET /ops/\x7fqueues HTTP/1.1\r\n" + HOST + b"\r\n", id="DEL in the target"),
]

HEADERS = [
    pytest.param(b"no colon\r\n", id="no colon"),
    pytest.param(b": value\r\n", id="no name"),
    pytest.param(b"X-A : value\r\n", id="space before the colon"),
    pytest.param(b"X-A\t: value\r\n", id="tab before the colon"),
    pytest.param(b"X A: value\r\n", id="space in the name"),
    pytest.param(b"X\xe9: value\r\n", id="non-ASCII name"),
    pytest.param(b"X\x00: value\r\n", id="NUL in the name"),
    pytest.param(b"X-A: va\x00lue\r\n", id="NUL in the value"),
    pytest.param(b"X-A: va\x07lue\r\n", id="control in the value"),
    pytest.param(b"X-A: va\rlue\r\n", id="bare CR in the value"),
    pytest.param(b"X-A: one\r\n two\r\n", id="folded with a space"),
    pytest.param(b"X-A: one\r\n\ttwo\r\n", id="folded with a tab"),
    pytest.param(b"Authorization:\r\n Bearer x\r\n", id="folded credentials"),
]


@pytest.mark.parametrize("payload", GARBAGE)
def test_garbage_is_a_bad_request(demo: Demo, payload: bytes) -> None:
    assert only_reply_to(demo, payload).status in (400, 431, 505)


@pytest.mark.parametrize("line", HEADERS)
def test_a_malformed_header_is_a_bad_request(demo: Demo, line: bytes) -> None:
    assert only_reply_to(demo, GET + HOST + line + b"\r\n").status == 400
    if not line.startswith((b" ", b"\t")):
        assert only_reply_to(demo, GET + line + HOST + b"\r\n").status == 400


def test_a_folded_first_header_is_a_bad_request(demo: Demo) -> None:
    assert only_reply_to(demo, GET + b" " + HOST + b"\r\n").status == 400


@pytest.mark.parametrize("payload", [b"", b"\r\n", b"G", b"GET /ops/queues HTTP/1.1", GET + HOST, GET + b"X-A: b"])
def test_a_request_that_never_ends_gets_no_page(demo: Demo, payload: bytes) -> None:
    for reply in replies_to(demo, payload):
        assert reply.status in (400, 408)


def test_t20_two_hosts_are_a_bad_request(demo: Demo) -> None:
    for hosts in (HOST + HOST, HOST + b"Host: evil.example\r\n", HOST + b"hOST:\r\n"):
        assert only_reply_to(demo, GET + hosts + b"\r\n").status == 400
        assert only_reply_to(demo, NEXT.replace(HOST, hosts)).status == 400, "public paths too"


@pytest.mark.parametrize(
    "host", ["evil.example/x", "evil.example?x", "evil.example#x", "user@evil.example", "/", "a/b:80"]
)
def test_t20_a_host_that_is_no_host_is_a_bad_request(demo: Demo, host: str) -> None:
    for target in ("/ops/queues", "/ops/static/app.css"):
        assert demo.get(target, ("Host", host)).status == 400


def test_a_head_within_the_limits_is_read(demo: Demo) -> None:
    many = [(f"X-{n}", "v") for n in range(98)]  # with Host and Connection: 100
    assert demo.get("/ops/queues", *many).status == 303
    assert demo.get("/ops/queues", *many, ("X-Large", "v"), token=demo.mint()).status == 431, "102 headers"
    assert demo.get("/ops/queues", ("X-Large", "v" * 64_000)).status == 303


@pytest.mark.parametrize("count", [99, 150, 1000, 5000])
def test_more_than_a_hundred_headers_are_too_many(demo: Demo, count: int) -> None:
    assert demo.get("/ops/queues", *[(f"X-{n}", "v") for n in range(count)]).status == 431


@pytest.mark.parametrize("size", [66_000, 100_000, 200_000, 1_000_000])
def test_more_than_64_kibibytes_of_head_are_too_many(demo: Demo, size: int) -> None:
    assert demo.get("/ops/queues", ("X-Large", "v" * size)).status == 431
    assert demo.get("/ops/queues", *[(f"X-{n}", "v" * (size // 50)) for n in range(50)]).status == 431
    assert demo.get("/ops/queues?q=" + "a" * size).status in (400, 414, 431)
    assert only_reply_to(demo, GET + b"X" * size).status == 431, "it need not end"


SMUGGLED = [
    pytest.param(b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", id="CL.TE"),
    pytest.param(b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", id="TE.CL"),
    pytest.param(b"Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", id="CL zero, TE"),
    pytest.param(b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", id="unknown coding"),
    pytest.param(b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", id="chunked is not last"),
    pytest.param(b"Transfer-Encoding: identity\r\n\r\n", id="identity"),
    pytest.param(b"Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n", id="vertical tab"),
    pytest.param(b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", id="space before the colon"),
    pytest.param(b"Transfer-Encoding\r\n : chunked\r\n\r\n0\r\n\r\n", id="folded name"),
    pytest.param(b"Content-Length: 0\r\nContent-Length: 5\r\n\r\nhello", id="two lengths"),
    pytest.param(b"Content-Length: 0, 5\r\n\r\nhello", id="a list of lengths"),
    pytest.param(b"Content-Length: +5\r\n\r\nhello", id="signed length"),
    pytest.param(b"Content-Length: -5\r\n\r\nhello", id="negative length"),
    pytest.param(b"Content-Length: 0x5\r\n\r\nhello", id="hexadecimal length"),
    pytest.param(b"Content-Length: 5 5\r\n\r\nhello", id="two numbers"),
    pytest.param(b"Content-Length: \r\n\r\nhello", id="empty length"),
    pytest.param(b"Content-Length: 99999999999999999999\r\n\r\nhello", id="endless length"),
    pytest.param(b"Transfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n", id="chunk size is no number"),
    pytest.param(b"Transfer-Encoding: chunked\r\n\r\n-1\r\nhello\r\n0\r\n\r\n", id="negative chunk"),
    pytest.param(b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello!!0\r\n\r\n", id="chunk without its end"),
    pytest.param(b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff1\r\nhello\r\n0\r\n\r\n", id="endless chunk"),
]


@pytest.mark.parametrize("rest", SMUGGLED)
@pytest.mark.parametrize("target", [b"/ops/queues/emails/pause", b"/ops/login", b"/ops/static/app.css", b"/outside"])
@pytest.mark.parametrize("method", [b"POST", b"GET"])
def test_an_ambiguous_body_never_becomes_a_second_request(
    demo: Demo, method: bytes, target: bytes, rest: bytes
) -> None:
    replies = replies_to(demo, method + b" " + target + b" HTTP/1.1\r\n" + HOST + rest + NEXT)
    assert len(replies) <= 1, f"answered twice: {[reply.status for reply in replies]}"
    assert all(reply.status < 500 or reply.status == 501 for reply in replies)


@pytest.mark.parametrize("rest", SMUGGLED[:3])
def test_a_length_beside_chunks_is_refused_with_a_token_too(demo: Demo, rest: bytes) -> None:
    credentials = f"Authorization: Bearer {demo.mint()}\r\n".encode()
    replies = replies_to(demo, b"POST /ops/queues/emails/pause HTTP/1.1\r\n" + HOST + credentials + rest + NEXT)
    assert len(replies) == 1


def test_chunks_in_http_1_0_are_not_a_second_request(demo: Demo) -> None:
    head = b"POST /ops/login HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    assert len(replies_to(demo, head + NEXT)) == 1


def test_two_honest_requests_get_two_answers(demo: Demo) -> None:
    """Or else the tests above would pass for the wrong reason."""
    posted = b"POST /ops/login HTTP/1.1\r\n" + HOST + b"Origin: http://dashboard.example\r\n"
    for body in (b"Content-Length: 5\r\n\r\nhello", b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"):
        assert len(replies_to(demo, posted + body + NEXT)) == 2
    assert [reply.status for reply in replies_to(demo, GET + HOST + b"\r\n" + NEXT)] == [303, 200]


def test_a_stranger_is_answered_before_a_body_is_read(demo: Demo) -> None:
    reply = demo.request("POST", "/ops/queues/emails/pause", ("Content-Length", str(10**12)), ("Origin", demo.origin))
    assert_no_way_in(reply)


def test_a_request_may_come_byte_by_byte(demo: Demo) -> None:
    head = head_of("GET", "/ops/queues", [("Host", "d"), ("Connection", "close"), tokens.bearer(demo.mint())])
    with socket.create_connection(demo.address, timeout=10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in head:
            connection.sendall(bytes([byte]))
        received = b""
        while data := connection.recv(65536):
            received += data
    assert parse_replies(received)[0].status == 200


def test_a_client_that_closes_its_half_is_still_answered(demo: Demo) -> None:
    payload = head_of("GET", "/ops/queues", [("Host", "d"), tokens.bearer(demo.mint())])
    assert only_reply_to(demo, payload).status == 200


def test_http_1_0_without_a_host_is_served(demo: Demo) -> None:
    reply = only_reply_to(demo, b"GET /ops/queues?page=2 HTTP/1.0\r\n\r\n")
    assert (reply.status, reply.header("Location")) == (303, "/ops/login?next=%2Fops%2Fqueues%3Fpage%3D2")
