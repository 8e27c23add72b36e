"""Starting tells where it is; stopping is graceful, whatever is still open."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import time
from pathlib import Path
from urllib.parse import urlencode

import pytest
from websockets.sync.client import connect

from support import tokens
from support.people import FORM
from support.program import PROGRAM, Demo, environment, first_line, running
from support.wire import Stream, exchange, head_of

SIGNALS = [signal.SIGTERM, signal.SIGINT]


def test_json_is_one_line_once_it_accepts_connections(runtime: str) -> None:
    """`running` parses the line and connects; at the end it demands that nothing else came."""
    with running(runtime) as demo:
        assert demo.mount == "/ops" and demo.address[0] == "127.0.0.1" and demo.address[1] > 0
        assert demo.token is not None
        assert demo.get("/ops/", token=demo.token).status == 200


def test_for_people_it_prints_the_address_and_a_password_and_a_token_that_work(runtime: str, tmp_path: Path) -> None:
    command = [str(PROGRAM), "demo", "--listen", "127.0.0.1:0", "--runtime", runtime]
    with (tmp_path / "errors").open("wb") as errors:
        process = subprocess.Popen(
            command, env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors
        )
    assert process.stdout is not None
    shown = ""
    try:
        while not ((url := re.search(r"http://([\d.]+):(\d+)(/[\w/]*)", shown)) and (token := find_token(shown))):
            line = first_line(process.stdout, 10).decode()
            assert line, f"neither address nor token: {shown!r}"
            shown += line
        page = f"{url[3].rstrip('/')}/"
        assert exchange((url[1], int(url[2])), "GET", page, [tokens.bearer(token)]).status == 200
        assert page == "/ops/", "the mount that the help names as default"
        person = re.search(r"^Sign in there as (\S+) with the password (\S+)$", shown, re.MULTILINE)
        assert person, f"neither user nor password: {shown!r}"
        headers = [FORM, ("Origin", f"http://{url[1]}:{url[2]}")]
        form = urlencode({"username": person[1], "password": person[2]}).encode()
        assert exchange((url[1], int(url[2])), "POST", "/ops/login", headers, form).status == 303
        process.terminate()
        shown += process.stdout.read().decode()
        assert process.wait(5) == 0
        log = (tmp_path / "errors").read_text()
        assert token not in log and person[2] not in log
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def find_token(text: str) -> str | None:
    found = re.search(r"\b[\w-]{10,}\.[\w-]{10,}\.[\w-]{20,}\b", text)
    return found[0] if found else None


@pytest.mark.parametrize("how", SIGNALS)
def test_a_signal_ends_it_gracefully(runtime: str, how: signal.Signals) -> None:
    with running(runtime) as demo:
        demo.end(how)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(demo.address, timeout=1).close()


@pytest.mark.parametrize("how", SIGNALS)
def test_an_open_stream_does_not_hold_it(runtime: str, secret: str, how: signal.Signals) -> None:
    with running(runtime, secret=secret) as demo, events(demo) as stream:
        stream.wait_for(b"data:")
        demo.end(how)
        assert stream.ended_by(time.time() + 2)


def events(demo: Demo) -> Stream:
    return Stream(demo.address, "/ops/events", [tokens.bearer(demo.mint())])


def test_an_open_websocket_does_not_hold_it(runtime: str, secret: str) -> None:
    with running(runtime, secret=secret) as demo:
        url = f"ws://{demo.address[0]}:{demo.address[1]}/ops/ws"
        with connect(url, additional_headers=[tokens.bearer(demo.mint())], proxy=None) as echo:
            echo.send("hello")
            assert echo.recv(timeout=5) == "hello"
            demo.end()


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"", id="nothing sent"),
        pytest.param(b"GET /ops/queues HTTP/1.1\r\nHost: d\r\n", id="half a head"),
        pytest.param(
            b"POST /ops/queues/emails/pause HTTP/1.1\r\nHost: d\r\nContent-Length: 9\r\n\r\n", id="half a body"
        ),
        pytest.param(head_of("GET", "/ops/healthz", [("Host", "d")]), id="idle after a request"),
    ],
)
def test_an_open_connection_does_not_hold_it(runtime: str, sent: bytes) -> None:
    with running(runtime) as demo, socket.create_connection(demo.address) as connection:
        connection.sendall(sent)
        assert demo.get("/ops/healthz").status == 200  # by now it has seen the other connection
        demo.end()


def test_it_can_be_started_again_at_once_on_the_same_port(runtime: str) -> None:
    with running(runtime) as first:
        assert first.get("/ops/healthz").status == 200
    with running(runtime, listen=f"127.0.0.1:{first.address[1]}") as second:
        assert second.get("/ops/healthz").status == 200


def test_an_address_of_ipv6_is_announced_as_a_browser_needs_it(runtime: str) -> None:
    with running(runtime, listen="[::1]:0") as demo:
        assert demo.origin == f"http://[::1]:{demo.address[1]}"
        assert demo.get("/ops/healthz").status == 200
