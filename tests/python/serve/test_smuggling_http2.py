"""What HTTP/2 can say and HTTP/1.1 cannot is no way to a second request, where a gate speaks one and its upstream the
other. (smol speaks HTTP/1.1 only.)"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

import h2.config
import h2.connection
import h2.events
import pytest

from serve.upstreams import PATIENCE, Upstream
from support.program import Site, serving

pytestmark = pytest.mark.parametrize("runtime", ["tokio"], indirect=True, scope="session")

Fields = list[tuple[str, str]]

SECOND = "GET /smuggled HTTP/1.1\r\nHost: dash.example\r\n\r\n"
BREAKS = {"CR LF": "\r\n", "LF": "\n", "CR": "\r", "NUL": "\x00"}


@dataclass
class Stage:
    """A gate before an upstream that notes everything."""

    site: Site
    upstream: Upstream
    numbers: Iterator[int] = field(default_factory=count)

    def ask(
        self, fields: Fields, body: bytes | None = None, trailers: Fields | None = None, **pseudo: str
    ) -> int | None:
        """One request, and the status of its answer; nothing where it was reset."""
        proof = [("authorization", f"Bearer {self.site.mint()}")]
        given = {"method": "POST", "scheme": "http", "authority": "dash.example", "path": "/a"} | pseudo
        head = [(f":{name}", value) for name, value in given.items()] + proof + fields
        config = h2.config.H2Configuration(validate_outbound_headers=False, normalize_outbound_headers=False)
        protocol = h2.connection.H2Connection(config)
        protocol.initiate_connection()
        protocol.send_headers(1, head, end_stream=body is None and trailers is None)
        if body is not None:
            protocol.send_data(1, body, end_stream=trailers is None)
        if trailers is not None:
            protocol.send_headers(1, trailers, end_stream=True)
        with socket.create_connection(self.site.address, timeout=PATIENCE) as connection:
            connection.sendall(protocol.data_to_send())
            while data := connection.recv(65536):
                for event in protocol.receive_data(data):
                    if isinstance(event, h2.events.ResponseReceived):
                        return int(dict(event.headers)[b":status"])
                    if isinstance(event, (h2.events.StreamReset, h2.events.ConnectionTerminated)):
                        return None
                connection.sendall(protocol.data_to_send())
        return None

    def path(self) -> str:
        return f"/two/{next(self.numbers)}"


@pytest.fixture(scope="module")
def stage(runtime: str, secret: str) -> Iterator[Stage]:
    with Upstream() as upstream, serving(runtime, "--upstream", upstream.url, secret=secret) as site:
        yield Stage(site, upstream)


def judge(stage: Stage, path: str, status: int | None) -> None:
    """One request at most, the one that was asked for, and nothing of the other."""
    assert stage.site.post("/last", token=stage.site.mint()).text == "POST /last"
    stage.upstream.rests()
    assert status in (None, 200, 400)
    seen = [request for request in stage.upstream.seen if request.path != "/last"]
    assert [request.path for request in seen] == [path] * (status == 200)
    assert all("smuggled" not in f"{name}: {value}" for request in seen for name, value in request.fields)
    assert stage.upstream.faults == []
    stage.upstream.seen.clear()


@pytest.mark.parametrize("length", [0, 5, len(SECOND) - 1, len(SECOND) + 1, 10**6, -1, "0x2d", "", "5, 5"])
def test_a_length_that_is_not_the_bodys_is_reset(stage: Stage, length: int | str) -> None:
    path = stage.path()
    status = stage.ask([("content-length", str(length))], SECOND.encode(), path=path)
    stage.upstream.rests()
    assert status != 200
    assert not any(request.is_whole for request in stage.upstream.at(path))
    stage.upstream.seen.clear()


def test_two_lengths_are_no_way_out(stage: Stage) -> None:
    for lengths in ((0, len(SECOND)), (len(SECOND), 0)):
        path = stage.path()
        fields = [("content-length", str(length)) for length in lengths]
        judge(stage, path, stage.ask(fields, SECOND.encode(), path=path))


@pytest.mark.parametrize(
    "fields",
    [
        [("transfer-encoding", "chunked")],
        [("transfer-encoding", "chunked"), ("content-length", "5")],
        [("Transfer-Encoding", "chunked")],
        [("transfer-encoding ", "chunked")],
        [("transfer_encoding", "chunked")],
        [("te", "chunked")],
        [("connection", "transfer-encoding")],
        [("connection", "upgrade"), ("upgrade", "websocket")],
        [("host", "other.example")],
        [("host", "dash.example"), ("host", "dash.example")],
        [("x-a: b\r\ntransfer-encoding", "chunked")],
        [("x-a b", "c")],
        [("", "c")],
        [(":path", "/smuggled")],
        [(":protocol", "websocket")],
    ],
)
def test_fields_of_the_other_protocol_frame_nothing(stage: Stage, fields: Fields) -> None:
    path = stage.path()
    judge(stage, path, stage.ask(fields, b"0\r\n\r\n" + SECOND.encode(), path=path))


@pytest.mark.parametrize("end", BREAKS.values(), ids=BREAKS)
def test_a_line_break_breaks_no_line(stage: Stage, end: str) -> None:
    inserted = f"{end}Host: dash.example{end}{end}GET /smuggled HTTP/1.1{end}X-A: b"
    path = stage.path()
    for fields in ([("x-a", f"b{inserted}")], [("cookie", f"a=b{inserted}")], [(f"x-a{end}smuggled", "b")]):
        judge(stage, path, stage.ask(fields, path=path))
    for name in ("path", "method", "authority", "scheme"):
        given = {"path": path, "method": "GET", "authority": "dash.example", "scheme": "http"}
        given[name] = f"{given[name]} HTTP/1.1{inserted}"
        judge(stage, path, stage.ask([], None, None, **given))


@pytest.mark.parametrize("method", ["GET /smuggled HTTP/1.1\r\nX-A:", "GET /smuggled", "GET\t/smuggled", "", "CONNECT"])
def test_a_method_is_one_word(stage: Stage, method: str) -> None:
    status = stage.ask([], path=stage.path(), method=method)
    stage.upstream.rests()
    assert status in (None, 400, 501) and stage.upstream.seen == []


@pytest.mark.parametrize(
    "path", ["", "*", "smuggled", "http://dash.example/smuggled", "/a b", "/a#b", "/a\x7f", "/\xe9"]
)
def test_a_target_is_a_path(stage: Stage, path: str) -> None:
    stage.ask([], path=path, method="GET")
    stage.upstream.rests()
    assert not [request.target for request in stage.upstream.seen if request.target not in ("/", "/a")]
    stage.upstream.seen.clear()


def test_trailers_stay_here(stage: Stage) -> None:
    path = stage.path()
    trailers = [("x-auth-user", "smuggled"), ("content-length", "50"), ("x-a", "smuggled")]
    judge(stage, path, stage.ask([], SECOND.encode(), trailers, path=path))


def test_an_honest_body_arrives_whole(stage: Stage) -> None:
    """Or else the tests above would pass for the wrong reason."""
    for fields in ([], [("content-length", str(len(SECOND)))]):
        path = stage.path()
        assert stage.ask(fields, SECOND.encode(), path=path) == 200
        seen = stage.upstream.only(path)
        assert seen.is_whole and seen.body == SECOND.encode()
