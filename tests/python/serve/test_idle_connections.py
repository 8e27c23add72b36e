"""Ten thousand clients that keep a connection and ask nothing cost little, and delay nobody."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from serve.pressure import BATCH, KIB, RESET, Gate, enough_files
from serve.upstreams import PATIENCE, Upstream
from support.checks import until
from support.program import serving
from support.wire import head_of, parse_replies

CROWD = 10_000
EACH = 40 * KIB  # about twice what one was measured to cost, after its first request, on either runtime


@contextmanager
def crowd(gate: Gate) -> Iterator[list[socket.socket]]:
    """Connections from several addresses, because one has not ports enough for all tests. They end with a reset."""
    others, clients = gate.files(), []
    try:
        for number in range(CROWD):
            client = socket.socket()
            clients.append(client)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            client.settimeout(PATIENCE)
            client.bind((f"127.0.3.{1 + number % 5}", 0))
            client.connect(gate.site.address)
            if len(clients) % BATCH == 0:
                gate.site.get("/login")  # whoever came before has been accepted, too
        assert gate.files() >= CROWD
        yield clients
    finally:
        for client in clients:
            client.close()
    until(lambda: gate.files() <= others + BATCH, "they are gone")


def ask_once(clients: list[socket.socket]) -> None:
    """A public request on each connection, which stays open."""
    payload = head_of("GET", "/public/page", [("Host", "dash.example")])
    for start in range(0, len(clients), BATCH):
        batch = clients[start : start + BATCH]
        for client in batch:
            client.sendall(payload)
        for client in batch:
            assert parse_replies(client.recv(65536))[0].text == "GET /public/page"


@pytest.fixture(scope="module")
def many_files() -> Iterator[None]:
    with enough_files(CROWD + 1000):
        yield


@pytest.fixture
def gate(runtime: str, secret: str, many_files: None) -> Iterator[Gate]:
    """One with room for a newcomer."""
    with Upstream() as upstream:
        flags = ["--upstream", upstream.url, "--public-prefix", "/public", "--max-connections", str(CROWD + 100)]
        with serving(runtime, *flags, secret=secret, log="warn") as site:
            gate = Gate(site)
            gate.answers_at_once()
            yield gate


def test_ten_thousand_idle_connections_are_cheap(gate: Gate) -> None:
    before = gate.memory()

    def told(what: str) -> int:
        each = (gate.memory() - before) / CROWD
        print(f"{gate.site.runtime}, {what}: {each / KIB:.1f} KiB each; {gate.status('Threads')} threads")
        assert each < EACH
        return gate.memory()

    with crowd(gate) as clients:
        told("before any request")
        gate.answers_at_once()
        ask_once(clients)
        told("after one request")
        gate.answers_at_once()
        assert gate.files() >= CROWD, "they are still there"
        assert gate.status("Threads") <= 32 + (os.cpu_count() or 1)
        spent = gate.cpu()
        time.sleep(0.5)
        assert gate.cpu() - spent < 0.1, "they cost time"
    with crowd(gate) as clients:
        ask_once(clients)
        told("once more, where others have been")
        gate.answers_at_once()
    gate.answers_at_once()
