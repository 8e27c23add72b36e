"""What is posted to the login and is no form, or never ends: refused in time, and nobody else notices."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Iterator

import pytest

from support.people import FORM, Crowd
from support.program import Demo, running
from support.wire import Reply, authority, head_of, parse_replies, talk

MOST = 256 * 1024


@pytest.fixture(scope="module")
def door(runtime: str, crowd: Crowd) -> Iterator[Demo]:
    """One kind of session will do: no form here gets that far."""
    with running(runtime, "--users-file", crowd.path) as started:
        yield started


def head(demo: Demo, *headers: tuple[str, str]) -> bytes:
    host = ("Host", authority(demo.address))
    return head_of("POST", "/ops/login", [host, ("Origin", demo.origin), *headers])


def answer(demo: Demo, payload: bytes, *, half_close: bool = False) -> Reply:
    (reply,) = parse_replies(talk(demo.address, payload, half_close=half_close))
    return reply


def read_to_the_end(connection: socket.socket, seconds: float) -> bytes:
    """All that is still to come; the other side must close in time."""
    connection.settimeout(seconds)
    received = b""
    try:
        while data := connection.recv(65536):
            received += data
    except ConnectionResetError:
        pass
    return received


@pytest.mark.parametrize("length", [MOST + 1, 10 * MOST, 2**63])
def test_t29_a_length_that_is_too_much_is_refused_before_anything_is_read(door: Demo, length: int) -> None:
    reply = answer(door, head(door, FORM, ("Content-Length", str(length))))
    assert (reply.status, reply.all("Set-Cookie")) == (413, [])


def test_t29_a_field_that_is_too_long_is_refused(door: Demo) -> None:
    assert door.post("/ops/login", FORM, ("Origin", door.origin), body=b"username=" + b"a" * 10_000).status == 413


@pytest.mark.parametrize(
    "media",
    ["application/json", "multipart/form-data; boundary=x", "text/plain", "application/x-www-form-urlencodedx", ""],
)
def test_what_is_not_sent_as_a_form_is_refused(door: Demo, media: str) -> None:
    reply = door.post("/ops/login", ("Content-Type", media), ("Origin", door.origin), body=b"username=a&password=b")
    assert reply.status == 400


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"username=\xff&password=x", id="raw bytes"),
        pytest.param(b"username=%ff&password=x", id="encoded bytes"),
        pytest.param(b"username=a&password=%c3%28", id="in the password"),
        pytest.param(b"username=%ed%a0%80&password=x", id="a surrogate"),
        pytest.param(b"username=a&username=b&password=x", id="a field twice"),
        pytest.param(b"username=a&password=x&next=/ops/&next=/ops/x", id="next twice"),
    ],
)
def test_a_form_that_can_be_read_in_two_ways_or_not_at_all_is_refused(door: Demo, body: bytes) -> None:
    assert door.post("/ops/login", FORM, ("Origin", door.origin), body=body).status == 400


@pytest.mark.parametrize(
    "body", [b"", b"&&&", b"=", b"username", b"password=x", b"\x00", b"%", b"username=a%00b&password=x"]
)
def test_a_form_that_names_nobody_is_a_wrong_password(door: Demo, body: bytes) -> None:
    reply = door.post("/ops/login", FORM, ("Origin", door.origin), body=body)
    assert (reply.status, reply.all("Set-Cookie")) == (401, [])


def test_a_form_that_is_cut_off_does_no_harm(door: Demo) -> None:
    cut = head(door, FORM, ("Content-Length", "100")) + b"username=ada&pass"
    for _ in range(20):
        with socket.create_connection(door.address) as connection:
            connection.sendall(cut)
    assert talk(door.address, cut, half_close=True)[:12] in (b"", b"HTTP/1.1 400")
    chunked = head(door, FORM, ("Transfer-Encoding", "chunked")) + b"5\r\nuser"
    assert talk(door.address, chunked, half_close=True)[:12] in (b"", b"HTTP/1.1 400")
    assert door.get("/ops/healthz").status == 200


@pytest.mark.parametrize("chunk", [b"not a size\r\n", b"-1\r\n", b"fffffffffffffffff\r\n"])
def test_t29_chunks_without_a_size_are_refused(door: Demo, chunk: bytes) -> None:
    reply = answer(door, head(door, FORM, ("Transfer-Encoding", "chunked")) + chunk)
    assert reply.status == 400


def test_t29_a_form_without_an_end_is_refused_and_its_connection_closed(door: Demo) -> None:
    chunk = b"4000\r\n" + b"a" * 0x4000 + b"\r\n"
    with socket.create_connection(door.address, timeout=10) as connection:
        connection.sendall(head(door, FORM, ("Transfer-Encoding", "chunked")))
        sent = 0
        while not select.select([connection], [], [], 0)[0]:
            assert sent < 100 * MOST, "it goes on reading"
            try:
                connection.sendall(chunk)
            except OSError:
                break
            sent += len(chunk)
        (reply,) = parse_replies(read_to_the_end(connection, 10))
    assert reply.status == 413


def test_t29_a_form_that_drips_is_given_up_and_others_are_served_meanwhile(door: Demo) -> None:
    start = time.monotonic()
    with socket.create_connection(door.address, timeout=10) as connection:
        connection.sendall(head(door, FORM, ("Content-Length", "1000")))
        while not select.select([connection], [], [], 0.2)[0]:
            assert time.monotonic() < start + 10, "it waits for ever"
            connection.sendall(b"a")
            assert door.get("/ops/healthz").status == 200
        took = time.monotonic() - start
        (reply,) = parse_replies(read_to_the_end(connection, 10))
    assert reply.status == 408
    assert 4.5 < took < 9, f"5 s are allowed, and it took {took:.1f} s"
