"""Guessing is slow, from wherever it is done, and locks out nobody who has signed in before."""

from __future__ import annotations

import re
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from support.checks import until
from support.people import Crowd, Form, Person
from support.program import Demo, running
from support.wire import Reply, parse_replies

TRIES = 200
FREE = 10  # tries before delays begin


@pytest.fixture
def door(runtime: str, crowd: Crowd) -> Iterator[Demo]:
    """A demo of its own: nobody has failed yet."""
    with running(runtime, "--users-file", crowd.path) as demo:
        yield demo


def all_at_once(demo: Demo, tries: list[bytes], source: str) -> list[Reply]:
    """Sends every try before it reads the first answer, each on a connection of its own."""
    with ExitStack() as open_ones:
        connections = []
        for _ in tries:
            connection = socket.create_connection(demo.address, timeout=20, source_address=(source, 0))
            connections.append(open_ones.enter_context(connection))
        for connection, payload in zip(connections, tries, strict=True):
            connection.sendall(payload)
        return [read(connection) for connection in connections]


def read(connection: socket.socket) -> Reply:
    received = b""
    while data := connection.recv(65536):
        received += data
    (reply,) = parse_replies(received)
    return reply


def checked(demo: Demo) -> int:
    """How many passwords were looked at and found wrong."""
    return demo.log().count('reason="wrong-password"')


def assert_throttled(reply: Reply) -> int:
    """429, with the form and how long to wait."""
    assert reply.status == 429, reply.status
    wait = reply.header("Retry-After") or ""
    assert re.fullmatch(r"[1-9]\d*", wait) and reply.all("Set-Cookie") == []
    assert "Too many tries" in reply.text and Form(reply).fields["password"] == ""
    return int(wait)


def test_t28_two_hundred_guesses_at_once_are_ten_guesses(door: Demo, crowd: Crowd) -> None:
    at_home = Person(door, "user-0", crowd.password, "127.0.3.1")
    at_home.sign_in()
    guesser = Person(door, "user-0", secrets.token_urlsafe(12), "127.0.3.2")

    start = time.monotonic()
    replies = all_at_once(door, [guesser.attempt(secrets.token_urlsafe(12)) for _ in range(TRIES)], guesser.source)
    slow = int(time.monotonic() - start)  # whole seconds that a slow machine took; each could allow one more
    wrong = [reply for reply in replies if reply.status == 401]
    assert 1 <= len(wrong) <= FREE + slow
    assert checked(door) == len(wrong)
    for reply in replies:
        if reply not in wrong:
            assert_throttled(reply)

    # One more is allowed after a second. The next one has to wait for two, and be it the right one.
    until(lambda: guesser.try_to_sign_in().status == 401, "one guess more is allowed")
    right = Person(door, "user-0", crowd.password, guesser.source)
    assert 1 <= assert_throttled(right.try_to_sign_in()) <= 2
    other = Person(door, "user-1", crowd.password, guesser.source)
    assert_throttled(other.try_to_sign_in())
    elsewhere = Person(door, "user-0", crowd.password, "127.0.3.3")
    assert_throttled(elsewhere.try_to_sign_in())

    # Whoever has signed in before still gets in, as does everybody else.
    assert at_home.is_in()
    at_home.sign_in()
    Person(door, "user-1", crowd.password, "127.0.3.4").sign_in()


def test_t28_programs_and_htmx_are_told_to_wait_as_well(door: Demo) -> None:
    guesser = Person(door, "nobody", secrets.token_urlsafe(12), "127.0.3.5")
    all_at_once(door, [guesser.attempt(guesser.password) for _ in range(2 * FREE)], guesser.source)
    for header in (("Accept", "application/json"), ("HX-Request", "true")):
        replies: list[Reply] = []
        while not replies or replies[-1].status == 401:  # one more is allowed if a second has gone by
            replies.append(guesser.try_to_sign_in(header))
        assert replies[-1].status == 429 and replies[-1].header("Retry-After") in ("1", "2", "4")
        assert "<html" not in replies[-1].text


def test_t28_an_unknown_user_is_throttled_like_a_known_one(door: Demo) -> None:
    guesser = Person(door, "nobody at all", secrets.token_urlsafe(12), "127.0.3.6")
    replies = all_at_once(door, [guesser.attempt(guesser.password) for _ in range(3 * FREE)], guesser.source)
    assert {reply.status for reply in replies} == {401, 429}


def test_t28_a_session_in_use_is_not_throttled(door: Demo, crowd: Crowd) -> None:
    person = Person(door, "user-2", crowd.password, "127.0.3.7")
    person.sign_in()
    wrong = Person(door, "user-3", crowd.password, person.source)
    all_at_once(door, [wrong.attempt(secrets.token_urlsafe(12)) for _ in range(2 * FREE)], person.source)
    assert person.is_in()
    assert person.sign_out().status == 303
