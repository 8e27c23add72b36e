"""Clients that send a byte at a time, or a head without an end: each costs a bounded amount of memory, others are
served, and whoever is slow is cut off.

`AUTHGATE_LONG=1` makes it ten thousand of each kind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from serve.pressure import (
    CROWD,
    HEAD_TIMEOUT,
    KIB,
    SLACK,
    Client,
    Gate,
    clients,
    each_sends,
    enough_files,
    under_pressure,
    until_cut,
)
from serve.upstreams import Upstream
from support.program import serving
from support.wire import head_of, parse_replies

HOST = ("Host", "dash.example")
FORM = ("Content-Type", "application/x-www-form-urlencoded")

# About twice what was measured, for every connection at its peak.
SLOW = 48 * KIB
LARGE = 320 * KIB

PIPELINE = 500  # requests on one connection
FORM_DEADLINE = 5.0  # seconds; the gate's default


@pytest.fixture(scope="module")
def many_files() -> Iterator[None]:
    with enough_files(CROWD + 1000):
        yield


@pytest.fixture
def gate(runtime: str, users: Path, many_files: None) -> Iterator[Gate]:
    """One with room for newcomers."""
    with Upstream() as upstream:
        flags = ["--upstream", upstream.url, "--public-prefix", "/public", "--users-file", users]
        with serving(runtime, *flags, "--max-connections", str(CROWD + 100), log="error") as site:
            yield Gate(site)


def test_heads_that_come_a_byte_at_a_time_are_cut_off(gate: Gate) -> None:
    begun = head_of("GET", "/public/page", [HOST])[:-2] + b"X-Slow: "
    with under_pressure(gate, "slow heads", CROWD, SLOW), clients(gate, CROWD, greeting=begun) as made:
        until_cut(made, HEAD_TIMEOUT + SLACK, lambda client: client.send(b"x"))
    assert min(client.cut_after or 0.0 for client in made) > HEAD_TIMEOUT - 1, "an honest one has that long"
    gate.answers_at_once(SLACK)


def test_bodies_that_come_a_byte_at_a_time_are_cut_off(gate: Gate) -> None:
    begun = head_of("POST", "/login", [HOST, FORM, ("Content-Length", "5000"), ("Sec-Fetch-Site", "same-origin")])
    with under_pressure(gate, "slow forms", CROWD, SLOW), clients(gate, CROWD, greeting=begun) as made:
        until_cut(made, FORM_DEADLINE + HEAD_TIMEOUT + SLACK, lambda client: client.send(b"u"))
    for client in made:
        assert [reply.status for reply in parse_replies(client.received)] in ([408], []), client.received[:300]
        assert client.cut_after and client.cut_after > FORM_DEADLINE - 1
    answered = sum(bool(client.received) for client in made)
    assert answered > CROWD / 2, f"only {answered} were told why"


def test_large_heads_that_never_end_are_cut_off(gate: Gate) -> None:
    """As large as a head may be: the most that a connection can make the gate keep before it is anybody's request."""
    begun = head_of("GET", "/public/page", [HOST])[:-2]
    large = begun + b"X-Large: " + b"x" * (60 * KIB)
    with under_pressure(gate, "heads of 60 KiB without an end", CROWD, LARGE), clients(gate, CROWD) as made:
        each_sends(gate, made, large)
        until_cut(made, HEAD_TIMEOUT + SLACK)
    gate.answers_at_once(SLACK)


@pytest.mark.parametrize("line", [b"x", b"X-More: 1\r\n"], ids=["one field", "many fields"])
def test_heads_without_a_limit_are_refused(gate: Gate, line: bytes) -> None:
    begun = head_of("GET", "/public/page", [HOST])[:-2] + (b"X-Large: " if line == b"x" else b"")
    endless = begun + line * (1024 * KIB // len(line))
    with under_pressure(gate, f"endless heads of {line!r}", CROWD, LARGE), clients(gate, CROWD) as made:
        each_sends(gate, made, endless)
        until_cut(made, HEAD_TIMEOUT + SLACK)
    answers = [reply.status for client in made for reply in parse_replies(client.received)]
    assert set(answers) <= {431}, set(answers)
    assert all((client.cut_after or 0) < HEAD_TIMEOUT + SLACK for client in made)


def test_many_requests_at_once_wait_until_their_answers_are_read(gate: Gate) -> None:
    number = min(CROWD, 500)  # each of them has the gate make pages until nothing more can be sent
    many = head_of("GET", "/login", [HOST]) * PIPELINE
    with under_pressure(gate, f"{PIPELINE} requests, of which no answer is read", number, LARGE):
        with clients(gate, number, room=4 * KIB) as made:
            each_sends(gate, made, many)
            gate.answers_at_once(SLACK)
            one: Client = made[0]
            assert not one.is_cut, "slow readers have a minute"
    gate.answers_at_once(SLACK)


def test_connections_that_had_a_large_request_keep_little_of_it(gate: Gate) -> None:
    large = head_of("GET", "/login", [HOST, ("X-Large", "x" * (60 * KIB))])
    with under_pressure(gate, "after a head of 60 KiB", CROWD, LARGE), clients(gate, CROWD) as made:
        each_sends(gate, made, large)
        gate.answers_at_once(SLACK)
        for client in made:
            client.read()
        assert not any(client.is_cut for client in made)
