"""Behind real servers, each a process of its own."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from servers import HERE, Server, serving, until
from world import claims

UVICORN = ("-m", "uvicorn", "--host", "127.0.0.1", "--port", "{port}", "--log-level", "warning")
HYPERCORN = ("-m", "hypercorn", "-b", "127.0.0.1:{port}")
GUNICORN = ("-m", "gunicorn", "-b", "127.0.0.1:{port}")
ASGI = {
    "uvicorn, h11": (*UVICORN, "--http", "h11", "apps:asgi"),
    "uvicorn, httptools": (*UVICORN, "--http", "httptools", "--ws", "wsproto", "apps:asgi"),
    "hypercorn": (*HYPERCORN, "apps:asgi"),
    "daphne": ("-m", "daphne", "-b", "127.0.0.1", "-p", "{port}", "apps:asgi"),
}
WSGI = {
    "gunicorn": (*GUNICORN, "--threads", "2", "apps:wsgi"),
    "waitress": ("-m", "waitress", "--listen", "127.0.0.1:{port}", "apps:wsgi"),
}
ENDED = (1008, 3000)
"""daphne sends no code below 3000."""
FORM = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}


@pytest.fixture(scope="module", params=ASGI)
def asgi(request: pytest.FixtureRequest) -> Iterator[Server]:
    with serving(*ASGI[request.param]) as server:
        yield server
        assert "Traceback" not in server.log(), server.log()


@pytest.fixture(scope="module", params=WSGI)
def wsgi(request: pytest.FixtureRequest) -> Iterator[Server]:
    with serving(*WSGI[request.param]) as server:
        yield server


def sign_in(server: Server) -> str:
    answer = server.ask("/login", "POST", "username=ada&password=right", **FORM)
    assert answer.status == 303, (answer, server.log())
    return answer.cookie


def check_a_visit(server: Server) -> None:
    answer = server.ask("/queues/a%26b?page=2")
    assert (answer.status, answer["location"]) == (303, "/login?next=%2Fqueues%2Fa%2526b%3Fpage%3D2")
    cookie = sign_in(server)
    answer = server.ask("/queues", Cookie=cookie)
    assert (answer.status, answer["x-seen-user"], answer["cache-control"]) == (200, "Ada", "no-store")
    assert answer["vary"] == "Cookie"
    assert server.ask("/queues", Authorization=f"Bearer {claims()}")["x-seen-user"] == "Ada"
    answer = server.ask("/queues", Cookie=cookie, **{"X-Auth-User": "root", "X-Kept": "1"})
    assert b"x-kept" in answer.body and b"x-auth-user" not in answer.body
    assert server.ask("/logout", "POST", "", Cookie=cookie, **FORM).status == 303
    assert server.ask("/queues", Cookie=cookie).status == 303
    assert server.ask("/queues", Accept="application/json").status == 401
    answer = server.ask("/login", "POST", "x" * 300_000, **FORM)
    assert answer.status == 413


def test_a_visit_through_an_asgi_server(asgi: Server) -> None:
    check_a_visit(asgi)


def test_a_visit_through_a_wsgi_server(wsgi: Server) -> None:
    check_a_visit(wsgi)


def test_t08_lifespan_passes(asgi: Server) -> None:
    # daphne has none.
    assert asgi.ask("/healthz").body == (b"" if "daphne" in str(asgi.process.args) else b"began")


def test_t09_bytes_on_the_wire_open_nothing(asgi: Server) -> None:
    for path in (
        "/healthz/../queues",
        "/healthz%2f..%2fqueues",
        "/%68ealthz/%2e%2e/queues",
        "//healthz",
        "/healthz%00",
    ):
        connection = http.client.HTTPConnection("127.0.0.1", asgi.port, timeout=10)
        connection.putrequest("GET", path)
        connection.endheaders()
        assert connection.getresponse().status in (303, 400, 404), path
        connection.close()


def socket(server: Server, **headers: str) -> ClientConnection:
    url = f"ws://127.0.0.1:{server.port}/ws"
    return connect(url, additional_headers=headers, proxy=None, open_timeout=10, compression=None)


def closed_within(connection: ClientConnection, seconds: float) -> int | None:
    """Waits until the other side closes; gives the close code."""
    end = time.monotonic() + seconds
    with pytest.raises(ConnectionClosed) as caught:
        while time.monotonic() < end:
            connection.send("still there?")
            connection.recv(timeout=seconds)
            time.sleep(0.05)
    return caught.value.rcvd.code if caught.value.rcvd else None


def test_t08_a_websocket_is_refused_before_it_is_accepted(asgi: Server) -> None:
    for headers in (
        {},
        {"Authorization": "Bearer x"},
        {"Cookie": "authgate=x"},
        {"Origin": "http://evil.example"},
    ):
        with pytest.raises(InvalidStatus) as caught:
            socket(asgi, **headers)
        # Servers without the extension for answers say 403.
        assert caught.value.response.status_code in (401, 403)


def test_t08_another_sites_websocket_cannot_ride_on_a_session(asgi: Server) -> None:
    with pytest.raises(InvalidStatus) as caught:
        socket(asgi, Cookie=sign_in(asgi), Origin="http://evil.example")
    assert caught.value.response.status_code == 403


def test_t13_a_websocket_ends_with_its_token(asgi: Server) -> None:
    with socket(asgi, Authorization=f"Bearer {claims(exp=int(time.time()) + 2)}") as connection:
        connection.send("hello")
        assert connection.recv(timeout=5) == "ada: hello"
        assert closed_within(connection, 10) in ENDED


def test_t13_a_websocket_ends_when_its_user_signs_out_elsewhere(asgi: Server) -> None:
    cookie = sign_in(asgi)
    origin = f"http://127.0.0.1:{asgi.port}"
    with socket(asgi, Cookie=cookie, Origin=origin) as connection:
        connection.send("hello")
        assert connection.recv(timeout=5) == "ada: hello"
        assert asgi.ask("/logout", "POST", "", Cookie=cookie, **FORM).status == 303
        with pytest.raises(ConnectionClosed) as caught:
            # Nothing is sent any more: the gate itself must notice.
            connection.recv(timeout=10)
        assert caught.value.rcvd is not None and caught.value.rcvd.code in ENDED


REFUSED = {
    "uvicorn --workers": (*UVICORN, "--workers", "2", "apps:asgi"),
    "uvicorn.run(workers=2)": ("run_uvicorn.py", "{port}", "2"),
    "hypercorn -w": (*HYPERCORN, "-w", "2", "apps:asgi"),
    "gunicorn -w": (*GUNICORN, "-w2", "apps:wsgi"),
    "gunicorn --workers=2": (*GUNICORN, "--workers=2", "apps:wsgi"),
}


@pytest.mark.parametrize("command", REFUSED)
def test_t26_several_workers_do_not_start_with_sessions_of_one_process(command: str) -> None:
    with serving(*REFUSED[command], wait=False) as server:
        until(lambda: "none knows the others' sessions" in server.log() or server.process.poll() is not None)
        assert "none knows the others' sessions" in server.log()
        try:
            assert server.ask("/healthz").status >= 500
        except (OSError, http.client.HTTPException):
            pass  # Nobody answers.


@pytest.mark.parametrize("command", REFUSED)
def test_t26_several_workers_share_sealed_sessions(command: str) -> None:
    with serving(*REFUSED[command], SESSIONS="sealed") as server:
        cookie = sign_in(server)
        assert all(server.ask("/queues", Cookie=cookie)["x-seen-user"] == "Ada" for _ in range(12))


def test_t26_gunicorn_s_own_file_may_say_that_there_are_several() -> None:
    # Nothing shows that but the environ of each request.
    with serving(*GUNICORN, "-c", "two_workers.py", "apps:wsgi") as server:
        answer = server.ask("/queues")
        assert (answer.status, answer.body) == (503, b"Service unavailable")
        until(lambda: "none knows the others' sessions" in server.log())


@pytest.mark.parametrize("command", [("--reload",), ("--workers", "1")])
def test_t26_one_worker_starts_however_it_is_asked_for(command: tuple[str, ...]) -> None:
    with serving(*UVICORN, *command, "apps:asgi") as server:
        cookie = sign_in(server)
        assert server.ask("/queues", Cookie=cookie).status == 200


def test_t26_a_child_of_somebodys_own_is_no_worker() -> None:
    done = subprocess.run(
        [sys.executable, "run_child.py"], cwd=HERE, capture_output=True, timeout=30, check=True
    )
    assert done.stdout == b"AuthGate\n"


def test_t26_the_environment_may_say_that_there_are_several() -> None:
    with serving(*UVICORN, "apps:asgi", wait=False, WEB_CONCURRENCY="2") as server:
        until(lambda: "none knows the others' sessions" in server.log())
    done = subprocess.run(
        [sys.executable, "-c", "import apps"],
        cwd=HERE,
        env={"PATH": "", "GUNICORN_CMD_ARGS": "--workers 4"},
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 1 and b"session: there are several worker processes" in done.stderr


def test_the_sockets_of_a_websocket_carry_json_too(asgi: Server) -> None:
    with socket(asgi, Authorization=f"Bearer {claims()}") as connection:
        connection.send(json.dumps({"page": 2}))
        assert connection.recv(timeout=5) == 'ada: {"page": 2}'
