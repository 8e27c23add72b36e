"""HTTP/2 on tokio: the same gate, and no header of the other protocol slips through. (smol speaks HTTP/1.1 only.)"""

from __future__ import annotations

import socket
import time

import h2.config
import h2.connection
import h2.events
import pytest

from support.checks import assert_no_way_in, assert_sent_to_login
from support.program import Demo
from support.wire import Address, Reply, authority

pytestmark = pytest.mark.parametrize("runtime", ["tokio"], indirect=True, scope="session")


def ask(address: Address, path: str, *headers: tuple[str, str], **pseudo: str) -> Reply | None:
    """One request; nothing where the stream was reset."""
    given = {"method": "GET", "scheme": "http", "authority": authority(address), "path": path} | pseudo
    wanted = [(f":{name}", value) for name, value in given.items()] + [*headers]
    config = h2.config.H2Configuration(
        client_side=True, header_encoding="utf-8", validate_outbound_headers=False, normalize_outbound_headers=False
    )
    protocol = h2.connection.H2Connection(config)
    protocol.initiate_connection()
    protocol.send_headers(1, wanted, end_stream=True)
    head: list[tuple[str, str]] = []
    body, deadline = b"", time.monotonic() + 10
    with socket.create_connection(address, timeout=10) as connection:
        while time.monotonic() < deadline:
            connection.sendall(protocol.data_to_send())
            data = connection.recv(65536)
            if not data:
                return None
            for event in protocol.receive_data(data):
                if isinstance(event, h2.events.ResponseReceived):
                    head = [(str(name), str(value)) for name, value in event.headers]
                elif isinstance(event, h2.events.DataReceived):
                    body += event.data
                    protocol.acknowledge_received_data(event.flow_controlled_length, 1)
                elif isinstance(event, h2.events.StreamEnded):
                    return Reply(int(head[0][1]), head[1:], body)
                elif isinstance(event, (h2.events.StreamReset, h2.events.ConnectionTerminated)):
                    return None
    raise AssertionError("no answer within ten seconds")


def answer(address: Address, path: str, *headers: tuple[str, str], **pseudo: str) -> Reply:
    reply = ask(address, path, *headers, **pseudo)
    assert reply is not None, "the stream was reset"
    return reply


def credentials(token: str) -> tuple[str, str]:
    return ("authorization", f"Bearer {token}")


def test_a_stranger_is_sent_to_login(demo: Demo) -> None:
    assert_sent_to_login(answer(demo.address, "/ops/queues?page=2"), "/ops/queues?page=2")


def test_a_token_opens(demo: Demo) -> None:
    reply = answer(demo.address, "/ops/", credentials(demo.mint()))
    assert reply.status == 200 and "Ada Lovelace" in reply.text


def test_public_paths_are_public(demo: Demo) -> None:
    assert answer(demo.address, "/ops/static/app.css").status == 200


@pytest.mark.parametrize(
    "path", ["/ops/static/../queues", "/ops/static/%2e%2e/queues", "/ops//queues", "//evil.example/x"]
)
def test_t09_the_paths_are_judged_alike(demo: Demo, path: str) -> None:
    assert_no_way_in(answer(demo.address, path))


def test_t40_two_authorization_headers(demo: Demo) -> None:
    assert_no_way_in(answer(demo.address, "/ops/", credentials(demo.mint()), credentials(demo.mint())))


@pytest.mark.parametrize("host", ["evil.example/x", "user@evil.example", "evil.example?x"])
def test_t20_an_authority_that_is_no_host(demo: Demo, host: str) -> None:
    if reply := ask(demo.address, "/ops/static/app.css", authority=host):
        assert reply.status == 400


def test_t20_a_host_that_differs_from_the_authority(demo: Demo) -> None:
    if reply := ask(demo.address, "/ops/queues", ("host", "evil.example")):
        assert_no_way_in(reply)


@pytest.mark.parametrize("value", ["a\r\nx-injected: yes", "a\x00b", "a\nb"])
def test_t03_a_line_break_in_a_header(demo: Demo, value: str) -> None:
    for name in ("x-anything", "hx-current-url", "authorization", "referer"):
        if reply := ask(demo.address, "/ops/queues", ("hx-request", "true"), (name, value)):
            assert_no_way_in(reply)
            assert reply.header("x-injected") is None


@pytest.mark.parametrize(
    "header", [("transfer-encoding", "chunked"), ("connection", "upgrade"), ("upgrade", "websocket")]
)
def test_headers_of_the_other_protocol_open_nothing(demo: Demo, header: tuple[str, str]) -> None:
    if reply := ask(demo.address, "/ops/ws", header):
        assert_no_way_in(reply)


@pytest.mark.parametrize("scheme", ["https", "javascript", "ftp"])
def test_a_scheme_is_never_echoed(demo: Demo, scheme: str) -> None:
    if reply := ask(demo.address, "/ops/queues", scheme=scheme):
        assert_no_way_in(reply)


def test_a_head_over_the_limits(demo: Demo) -> None:
    for headers in ([("x-large", "v" * 70_000)], [(f"x-{n}", "v") for n in range(120)]):
        reply = ask(demo.address, "/ops/queues", credentials(demo.mint()), *headers)
        assert reply is None or reply.status == 431


def test_it_still_answers(demo: Demo) -> None:
    assert answer(demo.address, "/ops/healthz").status == 200
