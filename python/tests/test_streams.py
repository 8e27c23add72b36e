"""What is let through: its user, its fields, and its end."""

from __future__ import annotations

import asyncio
import copy
import gc
import os
import threading
from typing import Any

import pytest
from authgate import AuthGateMiddleware, JWTAuthBackend, SimpleUsernamePasswordBackend, User, _core
from authgate._websocket import _Guard
from authgate.wsgi import AuthGate

from doors import Door
from world import (
    FORM,
    HOST,
    NOW,
    OURS,
    SECRET,
    Clock,
    Page,
    asgi_dashboard,
    ask_asgi,
    ask_wsgi,
    claims,
    directory,
    environ_of,
    password,
    scope_of,
    sealed,
    session,
    sign_in,
    socket_of,
    wsgi_dashboard,
)


def bearer(**more: Any) -> tuple[str, str]:
    return "Authorization", f"Bearer {claims(**more)}"


class Stream:
    """An application that sends events, and moves the clock between them."""

    def __init__(self, clock: Clock, *, step: float = 1.0, between: Any = None) -> None:
        self.clock = clock
        self.step = step
        self.between = between or (lambda: None)
        self.closed = False

    async def asgi(self, scope: Any, receive: Any, send: Any) -> None:
        fields = [(b"content-type", b"text/event-stream"), (b"Cache-Control", b"no-cache")]
        await send({"type": "http.response.start", "status": 200, "headers": fields})
        try:
            for number in range(10):
                await send({"type": "http.response.body", "body": b"%d;" % number, "more_body": True})
                self.clock.now += self.step
                self.between()
        finally:
            self.closed = True

    def wsgi(self, environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [("Content-Type", "text/event-stream"), ("Cache-Control", "no-cache")])
        return self

    def __iter__(self) -> Any:
        for number in range(10):
            yield b"%d;" % number
            self.clock.now += self.step
            self.between()

    def close(self) -> None:
        self.closed = True


def read(door: Door, *headers: tuple[str, str]) -> tuple[bytes, list[tuple[str, str]]]:
    """What arrives of a stream until it is cut."""
    got, fields = [], []

    def start_response(status: str, headers: Any, exc_info: Any = None) -> Any:
        fields.extend((name.lower(), value) for name, value in headers)

    async def send(message: Any) -> None:
        got.append(message.get("body", b""))
        fields.extend((name.decode().lower(), value.decode()) for name, value in message.get("headers", ()))

    async def receive() -> Any:
        await asyncio.Event().wait()

    with pytest.raises(ConnectionError, match="has ended"):
        if door.kind == "asgi":
            asyncio.run(door.gate(door.scope("/events", *headers), receive, send))
        else:
            body = door.gate(door.scope("/events", *headers), start_response)
            try:
                got.extend(body)
            finally:
                body.close()
    return b"".join(got), fields


def streaming(kind: str, **more: Any) -> tuple[Door, Stream]:
    stream = Stream(Clock(), **more)
    settings: dict[str, Any] = {"backend": [password(), JWTAuthBackend(secret=SECRET)], "session": sealed()}
    return Door(kind, stream.asgi if kind == "asgi" else stream.wsgi, clock=stream.clock, **settings), stream


def test_t13_a_stream_ends_with_its_token(kind: str) -> None:
    door, stream = streaming(kind)
    got, fields = read(door, bearer(exp=NOW + 3))
    assert got == b"0;1;2;" and stream.closed
    assert ("cache-control", "no-cache") in fields, "a token leaves the answer as it is"


def test_t13_a_stream_ends_when_its_user_signs_out(kind: str) -> None:
    door, stream = streaming(kind)
    door.sign_in()
    other = copy.copy(door)
    stream.between = lambda: stream.clock.now >= NOW + 4 and other.cookie and threaded(other.sign_out)
    got, fields = read(door)
    assert got == b"0;1;2;3;" and stream.closed
    assert [value for name, value in fields if name == "cache-control"] == ["no-store"]


def test_t13_a_stream_ends_when_all_sessions_of_its_user_end(kind: str) -> None:
    door, stream = streaming(kind)
    door.sign_in()
    stream.between = lambda: stream.clock.now >= NOW + 2 and door.gate.sign_out_everywhere("ada")
    assert read(door)[0] == b"0;1;"


def test_t13_a_stream_ends_with_the_idle_time_of_its_session(kind: str) -> None:
    door, _ = streaming(kind, step=600.0)
    door.sign_in()
    assert read(door)[0] == b"0;1;2;"


def threaded(act: Any) -> None:
    thread = threading.Thread(target=act)
    thread.start()
    thread.join()


def test_t13_a_stream_without_an_end_is_passed_on_untouched() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append((receive, send))

    async def receive() -> Any: ...

    async def send(message: Any) -> None: ...

    seen: list[Any] = []
    gate = AuthGateMiddleware(app, backend=JWTAuthBackend(secret=SECRET), clock=Clock())
    asyncio.run(gate(scope_of("GET", "/", [HOST, bearer()]), receive, send))
    assert seen == [(receive, send)]


def test_t27_a_renewal_is_written_once(kind: str) -> None:
    async def asgi(scope: Any, receive: Any, send: Any) -> None:
        fields = [
            (b"set-cookie", b"theme=dark"),
            (b"cache-control", b"public"),
            (b"Cache-Control", b"max-age=9"),
        ]
        fields.append((b"vary", b"Accept"))
        await send({"type": "http.response.start", "status": 200, "headers": tuple(fields)})
        for _ in range(3):
            await send({"type": "http.response.body", "body": b"x", "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    def wsgi(environ: Any, start_response: Any) -> Any:
        fields = [("Set-Cookie", "theme=dark"), ("cache-control", "public"), ("Cache-Control", "max-age=9")]
        start_response("200 OK", [*fields, ("Vary", "Accept")])
        return [b"x", b"x", b"x"]

    door = Door(kind, asgi if kind == "asgi" else wsgi, session=sealed())
    door.sign_in()
    first = door.cookie
    answer = door.ask("/queues")
    assert answer.all("set-cookie") == ["theme=dark"]
    door.clock.now += 120
    answer = door.ask("/queues")
    assert len(answer.all("set-cookie")) == 2 and door.cookie not in (None, first)
    assert answer.all("cache-control") == ["no-store"]
    assert sorted(answer.all("vary")) == ["Accept", "Cookie"]
    assert answer.body == b"xxx"


def test_t22_identities_are_stripped_from_a_copy(kind: str) -> None:
    door = Door(kind, public_paths=["/open"], session=sealed())
    headers = [
        ("X-Auth-User", "root"),
        ("Remote-User", "root"),
        ("X-Forwarded-User", "root"),
        ("X-Other", "kept"),
    ]
    door.sign_in()
    for path in ("/open", "/queues"):
        place = door.scope(path, *headers)
        before = dict(place), list(place.get("headers", ()))
        ask = ask_wsgi(door.gate, place) if kind == "wsgi" else asyncio.run(ask_asgi(door.gate, place))
        assert ask.body == b"passed: cookie x-other"
        after = dict(place), list(place.get("headers", ()))
        if kind == "asgi":
            after[0]["state"], before[0]["state"] = None, None
        assert after == before


def test_t22_header_fields_that_can_be_read_once_are_read_by_both() -> None:
    gate = AuthGateMiddleware(asgi_dashboard, backend=JWTAuthBackend(secret=SECRET), clock=Clock())
    fields = [
        (b"host", b"dash.example"),
        (b"authorization", bearer()[1].encode()),
        (b"x-auth-user", b"root"),
        (b"x", b"1"),
    ]
    for kind in (tuple, list):
        scope = scope_of("GET", "/queues")
        scope["headers"] = kind(fields)
        answer = asyncio.run(ask_asgi(gate, scope))
        assert (answer["x-seen-user"], answer.body) == ("Ada", b"passed: x")


class Bag:
    """A state that is no dictionary, yet is written to like one."""

    def __init__(self, **items: Any) -> None:
        self.items = items

    def __setitem__(self, name: str, value: Any) -> None:
        self.items[name] = value

    def __delitem__(self, name: str) -> None:
        del self.items[name]

    def __contains__(self, name: str) -> bool:
        return name in self.items

    def get(self, name: str) -> Any:
        return self.items.get(name)


@pytest.mark.parametrize("state", [dict, Bag])
def test_a_user_whom_another_layer_left_is_nobody_on_a_public_path(state: Any) -> None:
    gate = AuthGateMiddleware(asgi_dashboard, backend=directory(), clock=Clock(), public_paths=["/open"])
    root = User("root", "Root")
    scope = scope_of("GET", "/open", [HOST], state=state(user=root, other=1), **{"authgate.user": root})
    answer = asyncio.run(ask_asgi(gate, scope))
    assert (answer.status, answer["x-seen-user"]) == (200, "-")
    assert scope["state"].get("other") == 1
    scope = scope_of("GET", "/queues", [HOST, ("Cookie", "session=ada")], state=state(user=root))
    assert asyncio.run(ask_asgi(gate, scope))["x-seen-user"] == "Ada"
    wsgi = AuthGate(wsgi_dashboard, backend=directory(), clock=Clock(), public_paths=["/open"])
    environ = environ_of("GET", "/open", [HOST], **{"authgate.user": root})
    assert ask_wsgi(wsgi, environ)["x-seen-user"] == "-"


def test_t08_a_scope_of_another_type_is_refused() -> None:
    async def app(*_: Any) -> None:
        raise AssertionError("it was let through")

    gate = AuthGateMiddleware(app, backend=password(), session=sealed())
    for kind in ("webtransport", "HTTP", "", None, 5, "lifespan2"):
        scope = scope_of() | {"type": kind}
        if kind is None:
            del scope["type"]
        with pytest.raises(ValueError, match="type"):
            asyncio.run(ask_asgi(gate, scope))


@pytest.mark.parametrize("began", [False, True])
def test_an_application_that_raises_is_left_to_the_server(kind: str, began: bool) -> None:
    async def asgi(scope: Any, receive: Any, send: Any) -> None:
        if began:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        raise LookupError("of the application's")

    def wsgi(environ: Any, start_response: Any) -> Any:
        if began:
            start_response("200 OK", [])
        raise LookupError("of the application's")

    door = Door(kind, asgi if kind == "asgi" else wsgi)
    door.sign_in()
    with pytest.raises(LookupError, match="of the application's"):
        door.ask("/queues")


def body_of(*messages: Any) -> Any:
    queue = list(messages)

    async def receive() -> Any:
        if not queue:
            await asyncio.Event().wait()
        message = queue[0]
        if len(queue) > 1 or message.get("once"):
            queue.pop(0)
        return message

    return receive


def chunk(data: bytes, more: bool = True, **extra: Any) -> dict[str, Any]:
    return {"type": "http.request", "body": data, "more_body": more, **extra}


@pytest.mark.parametrize(
    ("messages", "status"),
    [
        ([{"type": "http.disconnect"}], 400),
        ([chunk(b"username=ada&"), {"type": "http.disconnect"}], 400),
        ([chunk(b"username=ada&password=right", once=True)], 408),
        ([chunk(b"x" * 1000)], 413),
        ([chunk(b"x" * 300_000, False)], 413),
        ([{"type": "http.request"}], 401),
        ([chunk(b"username=ada&password=right&" + b"x" * 9000, False)], 413),
        (
            [
                chunk(b"username=a", True),
                chunk(b"da&password=", True),
                chunk(b"", True),
                chunk(b"right", False),
            ],
            303,
        ),
    ],
    ids=["gone", "cut", "slow", "endless", "large", "empty", "a field too large", "in pieces"],
)
def test_t29_forms_that_do_not_arrive(messages: list[Any], status: int) -> None:
    # Short only for what never arrives: a busy machine needs its time for what does.
    deadline = 0.1 if status == 408 else 5.0
    gate = AuthGateMiddleware(
        asgi_dashboard, backend=password(), session=sealed(), clock=Clock(), deadline=deadline
    )
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(gate(scope_of("POST", "/login", [HOST, FORM, OURS]), body_of(*messages), send))
    assert sent[0]["status"] == status, sent[0]


class Input:
    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)

    def read(self, size: int) -> bytes:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer[:size]


@pytest.mark.parametrize(
    ("length", "answers", "status"),
    [
        ("40", [b"username=ada&", b""], 400),
        ("40", [OSError("gone")], 400),
        ("40", [ValueError("a server's own error")], 400),
        ("27", [b"username=ada&", b"password=right"], 303),
        ("-5", [b"username=ada&password=right"], 400),
        ("x", [b"username=ada&password=right"], 400),
        ("9" * 5000, [b"x"], 400),
        ("300000", [], 413),
        ("", [], 401),
    ],
)
def test_t29_forms_that_do_not_arrive_over_wsgi(length: str, answers: list[Any], status: int) -> None:
    gate = AuthGate(wsgi_dashboard, backend=password(), session=sealed(), clock=Clock())
    environ = environ_of("POST", "/login", [HOST, FORM, OURS], CONTENT_LENGTH=length)
    environ["wsgi.input"] = Input(*answers)
    answer = ask_wsgi(gate, environ)
    assert (answer.status, bool(answer.all("set-cookie"))) == (status, status == 303)


class Lease:
    """A lease that a test ends."""

    def __init__(self) -> None:
        self.held = True
        self.is_revocable = True
        self.hearing = None

    def holds(self) -> bool:
        return self.held

    def left(self) -> float | None:
        return None


def test_t13_messages_of_a_websocket_are_each_for_one_of_several_who_wait() -> None:
    async def visit() -> None:
        queue: asyncio.Queue[Any] = asyncio.Queue()
        guard = _Guard(queue.get, queue.put, Lease())  # type: ignore[arg-type]
        waiting = [asyncio.ensure_future(guard.receive()) for _ in range(3)]
        for number in range(3):
            queue.put_nowait({"type": "websocket.receive", "text": str(number)})
        got = await asyncio.wait_for(asyncio.gather(*waiting), 5)
        assert sorted(message["text"] for message in got) == ["0", "1", "2"]
        guard.end()

    asyncio.run(visit())


def test_t13_a_message_is_not_lost_when_an_application_stops_waiting() -> None:
    async def visit() -> None:
        queue: asyncio.Queue[Any] = asyncio.Queue()
        guard = _Guard(queue.get, queue.put, Lease())  # type: ignore[arg-type]
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(guard.receive(), 0.01)
        queue.put_nowait({"type": "websocket.receive", "text": "late"})
        assert (await asyncio.wait_for(guard.receive(), 5))["text"] == "late"

    asyncio.run(visit())


def test_t13_nothing_passes_a_websocket_in_either_direction_once_it_has_ended() -> None:
    async def visit() -> None:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        async def receive() -> Any:
            return {"type": "websocket.receive", "text": "x"}

        lease = Lease()
        guard = _Guard(receive, send, lease)  # type: ignore[arg-type]
        await guard.send({"type": "websocket.accept"})
        assert (await guard.receive())["type"] == "websocket.receive"
        lease.held = False
        await guard.send({"type": "websocket.send", "text": "a secret"})
        assert (await guard.receive())["type"] == "websocket.disconnect"
        await guard.send({"type": "websocket.send", "text": "a secret"})
        assert sent == [{"type": "websocket.accept"}, {"type": "websocket.close", "code": 1008}]

    asyncio.run(visit())


OWN = [(b"x-own", b"1"), (b"cache-control", b"public")]


@pytest.mark.parametrize(("given", "kept"), [({"headers": OWN}, {b"x-own": b"1"}), ({"headers": None}, {}), ({}, {})])
@pytest.mark.parametrize("answer", ["websocket.accept", "websocket.http.response.start"])
def test_t27_a_websockets_answer_carries_what_a_session_leaves_on_it(
    answer: str, given: dict[str, Any], kept: dict[bytes, bytes]
) -> None:
    sent: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": answer, **given})

    async def send(message: Any) -> None:
        sent.append(message)

    # By then a session is renewed, and so is its cookie.
    gate = AuthGateMiddleware(app, backend=password(), session=sealed(), clock=Clock(NOW + 120))
    fields = [HOST, ("Origin", "http://dash.example"), ("Cookie", session(NOW))]
    asyncio.run(gate(socket_of("/ws", fields), asyncio.Event().wait, send))
    headers = dict(sent[0].pop("headers"))
    assert sent == [{"type": answer}]
    assert headers.pop(b"set-cookie").startswith(b"authgate=")
    assert headers == {**kept, b"cache-control": b"no-store", b"vary": b"Cookie"}


def test_t13_a_websocket_that_has_closed_is_not_closed_again() -> None:
    async def visit() -> None:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message["type"])

        lease = Lease()
        guard = _Guard(asyncio.Event().wait, send, lease)  # type: ignore[arg-type]
        await guard.send({"type": "websocket.close"})
        lease.held = False
        assert (await guard.receive())["type"] == "websocket.disconnect"
        assert sent == ["websocket.close"]

    asyncio.run(visit())


def test_t13_a_server_that_takes_no_such_code_still_closes() -> None:
    async def visit() -> None:
        codes: list[int] = []

        async def send(message: Any) -> None:
            codes.append(message["code"])
            if message["code"] < 3000:
                raise ValueError("invalid close code")

        lease = Lease()
        lease.held = False
        guard = _Guard(asyncio.Event().wait, send, lease)  # type: ignore[arg-type]
        assert (await guard.receive())["type"] == "websocket.disconnect"
        assert codes == [1008, 3000]

    asyncio.run(visit())


def every_kind(gate: Any, wsgi: Any, cookie: str) -> Any:
    """One request of every kind, through both gates."""
    form = b"username=ada&password=right"
    headers = [HOST, ("Cookie", cookie), bearer(exp=NOW + 1000)]

    async def visit() -> None:
        await ask_asgi(gate, scope_of("GET", "/queues", [HOST]))
        await ask_asgi(gate, scope_of("GET", "/queues", headers[:2]))
        await ask_asgi(gate, scope_of("GET", "/queues", [HOST, headers[2]]))
        await ask_asgi(gate, scope_of("GET", "/open", [HOST]))
        await ask_asgi(gate, scope_of("GET", "/login", [HOST]))
        await ask_asgi(gate, scope_of("GET", "/callback", [HOST]))
        await ask_asgi(gate, scope_of("GET", "/queues", [HOST, ("Cookie", "session=ada")]))
        await ask_asgi(gate, scope_of("GET", "/queues", [HOST, ("Cookie", "session=down")]))
        await ask_asgi(gate, scope_of("POST", "/login", [HOST, FORM, OURS]), form)
        await ask_asgi(gate, scope_of("POST", "/login", [HOST, FORM, OURS]), b"username=eve&password=down")
        await ask_asgi(gate, scope_of("POST", "/logout", [HOST, OURS]))
        await ask_asgi(gate, socket_of("/ws", [HOST, headers[2]]))
        await ask_asgi(gate, socket_of("/ws", [HOST]))

    asyncio.run(visit())
    for method, path, fields in (
        ("GET", "/queues", [HOST]),
        ("GET", "/queues", headers[:2]),
        ("GET", "/open", [HOST]),
        ("GET", "/callback", [HOST]),
        ("GET", "/queues", [HOST, ("Cookie", "session=down")]),
        ("POST", "/login", [HOST, FORM, OURS, ("Content-Length", str(len(form)))]),
        ("POST", "/logout", [HOST, OURS, ("Content-Length", "0")]),
    ):
        ask_wsgi(wsgi, environ_of(method, path, fields, form))


NATIVE = ("Question", "Forward", "Delegate", "Reply", "Lease", "Send", "LoginForm", "User")


def census() -> dict[str, int]:
    gc.collect()
    kinds = [type(one).__name__ for one in gc.get_objects()]
    counted = {
        name: kinds.count(name)
        for name in ("Task", "Future", "Event", "Asynchronous", "_Guard", "coroutine", "dict")
    }
    return counted | {"threads": threading.active_count()}


def resident() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_nothing_is_left_behind_after_thousands_of_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    # The suite's own record of what is logged would grow with every request.
    monkeypatch.setattr("logging.Logger.isEnabledFor", lambda self, level: False)
    settings: dict[str, Any] = {
        "backend": [password(run_in_thread=False), JWTAuthBackend(secret=SECRET), directory()],
        "session": sealed(),
        "clock": Clock(),
        "public_paths": ["/open"],
    }
    gate, wsgi = AuthGateMiddleware(asgi_dashboard, **settings), AuthGate(wsgi_dashboard, **settings)
    cookie = session(NOW)
    for _ in range(30):
        every_kind(gate, wsgi, cookie)
    before, memory = census(), resident()
    for _ in range(150):
        every_kind(gate, wsgi, cookie)
    after = census()
    for name, count in before.items():
        assert after[name] <= count + 3, (name, before, after)
    assert resident() - memory < 4_000_000


def test_what_is_native_is_freed_with_its_request() -> None:
    import weakref

    class Listens:
        """A user of the host's own, to see when the request lets go of it."""

        id = "ada"
        name = "Ada"

    made: list[Any] = []

    class Host(directory):
        def authenticate(self, request: Any) -> Any:
            user = Listens()
            made.append(weakref.ref(user))
            return user

    for gate in (
        AuthGateMiddleware(asgi_dashboard, backend=Host()),
        AuthGate(wsgi_dashboard, backend=Host()),
    ):
        if isinstance(gate, AuthGate):
            assert ask_wsgi(gate, environ_of("GET", "/", [HOST])).status == 200
        else:
            assert asyncio.run(ask_asgi(gate, scope_of("GET", "/", [HOST]))).status == 200
    gc.collect()
    assert len(made) == 2 and [ref() for ref in made] == [None, None]
    assert NATIVE and all(hasattr(_core, name) for name in NATIVE)


def test_a_gate_is_freed_although_it_refers_to_itself() -> None:
    import weakref

    gate = AuthGateMiddleware(asgi_dashboard, backend=password(), session=sealed())
    asyncio.run(ask_asgi(gate, scope_of("GET", "/", [HOST])))
    ref = weakref.ref(gate)
    del gate
    gc.collect()
    assert ref() is None


def test_eight_threads_share_one_gate() -> None:
    faults: list[str] = []
    wsgi = AuthGate(
        wsgi_dashboard,
        backend=SimpleUsernamePasswordBackend(lambda name, _: User(name, name)),
        session=sealed(),
    )
    asgi = AuthGateMiddleware(
        asgi_dashboard,
        backend=SimpleUsernamePasswordBackend(lambda name, _: User(name, name)),
        session=sealed(),
    )
    barrier = threading.Barrier(8)

    def hammer(number: int) -> None:
        name, gate = f"user{number}", wsgi if number % 2 else asgi
        barrier.wait()
        try:
            cookie = sign_in(gate, f"username={name}&password=x").cookie
            headers = [HOST, ("Cookie", cookie)]

            async def visit() -> None:
                for _ in range(150):
                    answer = await ask_asgi(gate, scope_of("GET", "/queues", headers))
                    if answer["x-seen-user"] != name:
                        faults.append(f"{name}: {answer!r}")

            if gate is asgi:
                asyncio.run(visit())
            for _ in range(0 if gate is asgi else 150):
                answer = ask_wsgi(gate, environ_of("GET", "/queues", headers))
                if answer["x-seen-user"] != name:
                    faults.append(f"{name}: {answer!r}")
        except Exception as error:
            faults.append(f"{name}: {error!r}")

    threads = [threading.Thread(target=hammer, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults, faults[:3]


def test_a_reply_of_a_backend_s_own_is_passed_on_as_it_is(kind: str) -> None:
    class Host(directory):
        def login(self, request: Any) -> Any:
            return Page(b"mine")

    assert Door(kind, backend=Host()).ask("/login").body == b"mine"
