"""Websockets are gated before they are accepted, and close when the token's time is up."""

from __future__ import annotations

import time

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from support import tokens
from support.checks import CLOSED
from support.program import Demo
from support.wire import Reply

HANDSHAKE = [
    ("Upgrade", "websocket"),
    ("Connection", "Upgrade"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
]


def open_socket(demo: Demo, token: str, *headers: tuple[str, str]) -> ClientConnection:
    url = f"ws://{demo.address[0]}:{demo.address[1]}/ops/ws"
    given = [tokens.bearer(demo.hide(token)), *headers]
    return connect(url, additional_headers=given, proxy=None, compression=None, open_timeout=10)


def handshake(demo: Demo, target: str, *headers: tuple[str, str]) -> Reply:
    """A handshake by hand, for one that is refused: the connection ends with the answer."""
    return demo.get(target, *HANDSHAKE, *headers)


def test_t08_without_a_token_it_is_refused_before_it_is_accepted(demo: Demo) -> None:
    reply = handshake(demo, "/ops/ws")
    assert reply.status in (401, 403)
    assert reply.header("Sec-WebSocket-Accept") is None and reply.header("Location") is None


@pytest.mark.parametrize("claims", [{"exp": 1}, {"aud": "x"}, {"sub": None}])
def test_t08_a_bad_token_is_no_token(demo: Demo, claims: dict[str, object]) -> None:
    reply = handshake(demo, "/ops/ws", tokens.bearer(demo.mint(**claims)))
    assert reply.status in (401, 403)


@pytest.mark.parametrize("origin", ["{origin}", "https://evil.example", "null"])
def test_t08_no_origin_replaces_the_token(demo: Demo, origin: str) -> None:
    assert handshake(demo, "/ops/ws", ("Origin", origin.format(origin=demo.origin))).status in (401, 403)


@pytest.mark.parametrize("upgrade", ["WebSocket", "websocket, h2c", "h2c, websocket", "WEBSOCKET"])
def test_t08_however_the_upgrade_is_written(demo: Demo, upgrade: str) -> None:
    headers = [("Upgrade", upgrade), ("Connection", "keep-alive, upgrade"), *HANDSHAKE[2:]]
    assert demo.get("/ops/ws", *headers).status in CLOSED


@pytest.mark.parametrize("target", ["/ops/static/app.css", "/ops/healthz", "/ops/login", "/ops/static/../ws", "/ws"])
def test_t08_a_public_path_is_no_way_to_a_websocket(demo: Demo, target: str) -> None:
    reply = handshake(demo, target)
    assert reply.status != 101 and reply.header("Sec-WebSocket-Accept") is None


def test_with_a_token_it_echoes(demo: Demo) -> None:
    with open_socket(demo, demo.mint()) as socket:
        for message in ("hello", "Grüße 🚀", "x" * 20_000, b"\x00\xff bytes"):
            socket.send(message)
            assert socket.recv(timeout=5) == message


@pytest.mark.parametrize("origin", ["https://evil.example", "null"])
def test_t19_with_a_token_the_origin_is_irrelevant(demo: Demo, origin: str) -> None:
    with open_socket(demo, demo.mint(), ("Origin", origin)) as socket:
        socket.send("still here")
        assert socket.recv(timeout=5) == "still here"


def test_t13_it_closes_when_the_token_expires(demo: Demo) -> None:
    end = int(time.time()) + 3
    with open_socket(demo, demo.mint()) as lasting, open_socket(demo, demo.mint(exp=end)) as brief:
        brief.send("in time")
        assert brief.recv(timeout=2) == "in time"
        with pytest.raises(ConnectionClosed):
            brief.recv(timeout=end + 3 - time.time())
        assert time.time() >= end - 0.1, "closed too early"
        lasting.send("not mine")
        assert lasting.recv(timeout=5) == "not mine"


def test_t13_talking_does_not_keep_it_open(demo: Demo) -> None:
    end = int(time.time()) + 3
    with open_socket(demo, demo.mint(exp=end)) as brief, pytest.raises(ConnectionClosed):
        while time.time() < end + 3:
            brief.send("ping")
            assert brief.recv(timeout=3) == "ping"


def test_a_client_that_vanishes_does_no_harm(demo: Demo) -> None:
    for _ in range(5):
        with open_socket(demo, demo.mint()) as socket:
            socket.socket.close()
    assert demo.get("/ops/healthz").status == 200
