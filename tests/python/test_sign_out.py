"""Signing out ends everything that the session had opened, and nothing of anybody else's."""

from __future__ import annotations

import time

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from support.people import Crowd, Person, newcomer
from support.program import Demo

SECONDS = 5.0  # the gate looks once a second


@pytest.fixture
def people(door: Demo, crowd: Crowd) -> tuple[Person, Person]:
    one, other = newcomer(door, crowd), newcomer(door, crowd)
    one.sign_in()
    other.sign_in()
    return one, other


def socket_of(person: Person) -> ClientConnection:
    host, port = person.demo.address
    headers = [*person.cookies(), ("Origin", person.demo.origin)]
    return connect(f"ws://{host}:{port}/ops/ws", additional_headers=headers, proxy=None, compression=None)


def say(socket: ClientConnection, text: str) -> None:
    socket.send(text)
    assert socket.recv(timeout=5) == text


def test_t13_t23_an_open_websocket_ends_with_its_session(people: tuple[Person, Person]) -> None:
    one, other = people
    with socket_of(one) as ends, socket_of(other) as stays:
        say(ends, "in time")
        assert one.sign_out().status == 303
        with pytest.raises(ConnectionClosed) as closed:
            ends.recv(timeout=SECONDS)
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 1008
        say(stays, "not mine")
    assert not one.is_in() and other.is_in()


def test_t13_t23_talking_does_not_keep_a_websocket_open(people: tuple[Person, Person]) -> None:
    one, _ = people
    with socket_of(one) as ends:
        say(ends, "in time")
        assert one.sign_out().status == 303
        deadline = time.monotonic() + SECONDS
        with pytest.raises(ConnectionClosed):
            while time.monotonic() < deadline:
                say(ends, "still here")


def test_t13_t23_an_open_event_stream_ends_with_its_session(people: tuple[Person, Person]) -> None:
    one, other = people
    with one.events() as ends, other.events() as stays:
        assert (ends.reply.status, stays.reply.status) == (200, 200)
        ends.wait_for(b"data:")
        assert one.sign_out().status == 303
        assert ends.ended_by(time.time() + SECONDS), "the stream outlives its session"
        stays.received = b""
        stays.wait_for(b"data:")


def test_t18_a_websocket_of_another_site_is_refused_whatever_cookie_it_has(people: tuple[Person, Person]) -> None:
    one, _ = people
    upgrade = [("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Version", "13"),
               ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")]  # fmt: skip
    for origin in ([("Origin", "https://evil.example")], []):
        assert one.get("/ops/ws", *upgrade, *origin).status == 403


def test_t23_signing_out_twice_does_no_harm(people: tuple[Person, Person]) -> None:
    one, other = people
    for _ in range(2):
        reply = one.sign_out()
        assert (reply.status, reply.header("Location")) == (303, "/ops/login")
    assert not one.is_in() and other.is_in()
    one.sign_in()
    assert one.is_in()


def test_t23_two_sessions_of_one_person_end_one_by_one(people: tuple[Person, Person]) -> None:
    one, _ = people
    elsewhere = Person(one.demo, one.username, one.password, one.source)
    elsewhere.sign_in()
    one.sign_out()
    assert not one.is_in() and elsewhere.is_in()
