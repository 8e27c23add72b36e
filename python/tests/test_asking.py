"""Whoever is asked may raise, hang, lie or answer rubbish: nobody gets in, and the answer is 503."""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
import time
from collections import namedtuple
from typing import Any

import pytest
from authgate import AuthGateMiddleware, SimpleUsernamePasswordBackend, User, _core
from authgate._settings import Options, plan

from doors import PASSWORDS, Door
from world import (
    FORM,
    HOST,
    OURS,
    Clock,
    Page,
    asgi_dashboard,
    ask_asgi,
    password,
    scope_of,
    sealed,
    socket_of,
)

SHORT = 0.05


def refuses(door: Door, status: int = 503, reason: str = "unavailable", typed: str = PASSWORDS[0]) -> None:
    """Checks that nobody gets in with any password, and why."""
    answer = door.sign_in("ada", typed)
    assert (answer.status, door.reason) == (status, reason), answer
    assert not answer.all("set-cookie") and answer["location"] is None
    assert typed.encode() not in answer.body
    assert door.ask("/queues").status == 303


class Odd:
    def __bool__(self) -> bool:
        raise RuntimeError("neither")


class Broken:
    @property
    def id(self) -> str:
        raise RuntimeError("no id to be had")


RUBBISH = [
    True, 1, 1.5, "ada", b"ada", ["ada"], {"name": "Ada"}, {"id": None}, {"id": True}, {"id": ["ada"]},
    {"id": b"ada"}, {"id": ""}, {"id": {"x": 1}}, User("", "Ada"), User(None, "Ada"), object(), Odd(),
    Broken(), User, (1, 2, 3), (None, "hash"), (User("ada", "Ada"), 5), (User("ada", "Ada"),),
    {"id": "ada", "extra": {"x": object()}}, lambda: True, NotImplemented,
]  # fmt: skip


@pytest.mark.parametrize("rubbish", RUBBISH, ids=lambda value: repr(value)[:30].split(" at 0x")[0])
@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.filterwarnings("ignore:NotImplemented should not be used")
def test_t30_rubbish_from_verify_is_nobody(kind: str, rubbish: Any, asynchronous: bool) -> None:
    async def later(username: str, typed: str) -> Any:
        return rubbish

    refuses(Door(kind, backend=SimpleUsernamePasswordBackend(later if asynchronous else lambda *_: rubbish)))


@pytest.mark.parametrize("nobody", [None, False, 0, "", [], {}, ()], ids=repr)
def test_t30_nothing_from_verify_is_a_wrong_password(kind: str, nobody: Any) -> None:
    door = Door(kind, backend=SimpleUsernamePasswordBackend(lambda *_: nobody))
    refuses(door, 401, "wrong-password")


def test_a_row_of_a_database_is_a_user(kind: str) -> None:
    row = namedtuple("row", "id name")
    door = Door(kind, backend=SimpleUsernamePasswordBackend(lambda *_: row(7, "Ada")))
    assert door.sign_in().status == 303
    assert door.ask("/queues")["x-seen-user"] == "Ada"


class Unprintable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("cannot be said")


@pytest.mark.parametrize("typed", PASSWORDS)
@pytest.mark.parametrize(
    "make",
    [
        RuntimeError,
        KeyError,
        StopIteration,
        TimeoutError,
        OSError,
        lambda text: Unprintable(),
        AssertionError,
    ],
    ids=[
        "RuntimeError",
        "KeyError",
        "StopIteration",
        "TimeoutError",
        "OSError",
        "Unprintable",
        "AssertionError",
    ],
)
@pytest.mark.parametrize("asynchronous", [False, True])
def test_t30_what_verify_raises_is_logged_without_the_password(
    kind: str, typed: str, make: Any, asynchronous: bool, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(username: str, password: str) -> Any:
        # Three times: in the message, in the cause, and in what it was raised from.
        try:
            raise ValueError(f"cannot bind {password!r}")
        except ValueError as cause:
            raise make(f"{username}: {password} is not {password!r}") from cause

    async def fail_later(username: str, password: str) -> Any:
        return fail(username, password)

    door = Door(kind, backend=SimpleUsernamePasswordBackend(fail_later if asynchronous else fail))
    started = time.monotonic()
    refuses(door, typed=typed)
    assert time.monotonic() - started < 2, "it waited for the deadline although the answer was there"
    assert "verify raised" in caplog.text and "Traceback" in caplog.text
    assert "•••" in caplog.text
    for form in (typed, repr(typed)[1:-1]):
        assert form not in caplog.text and form not in repr(door.told)


@pytest.mark.parametrize("leaves", [SystemExit, asyncio.CancelledError])
@pytest.mark.parametrize("asynchronous", [False, True])
def test_t30_verify_that_leaves_takes_nobody_along(kind: str, leaves: Any, asynchronous: bool) -> None:
    def leave(username: str, password: str) -> Any:
        raise leaves(1)

    async def leave_later(username: str, password: str) -> Any:
        raise leaves(1)

    refuses(Door(kind, backend=SimpleUsernamePasswordBackend(leave_later if asynchronous else leave)))


def test_t30_a_timeout_of_theirs_is_no_deadline_of_ours(kind: str) -> None:
    def fail(username: str, password: str) -> Any:
        raise TimeoutError("the directory took longer than 100 ms")

    door = Door(kind, backend=SimpleUsernamePasswordBackend(fail))
    refuses(door)
    signs = [event.detail for event in door.told if event.reason == "unavailable"]
    assert "the directory took longer than 100 ms" in signs[0]


def test_t30_verify_that_never_returns_ends_at_the_deadline(kind: str) -> None:
    async def never(username: str, password: str) -> Any:
        await asyncio.Event().wait()

    door = Door(kind, backend=SimpleUsernamePasswordBackend(never), deadline=SHORT)
    started = time.monotonic()
    refuses(door)
    assert time.monotonic() - started < 2
    assert "no answer within 0.05 s" in door.told[0].detail


def test_t30_verify_that_will_not_be_cancelled_ends_at_the_deadline() -> None:
    free = threading.Event()

    async def stubborn(username: str, password: str) -> Any:
        while not free.is_set():
            try:
                await asyncio.sleep(0.01)
            except asyncio.CancelledError:
                continue
        raise RuntimeError(f"in the end: {password}")

    door = Door("asgi", backend=SimpleUsernamePasswordBackend(stubborn), deadline=SHORT)

    async def visit() -> int:
        body = f"username=ada&password={PASSWORDS[0]}".encode()
        answer = await ask_asgi(door.gate, scope_of("POST", "/login", [HOST, FORM, OURS]), body)
        free.set()
        # What it raises in the end is nobody's.
        while len(asyncio.all_tasks()) > 1:
            await asyncio.sleep(0.01)
        gc.collect()
        return answer.status

    assert asyncio.run(visit()) == 503


def test_t30_a_blocking_verify_that_hangs_ends_at_the_deadline_and_the_next_are_answered() -> None:
    free = threading.Event()

    def hang(username: str, password: str) -> Any:
        if username == "slow":
            free.wait(20)
        return User(username, username) if password == "right" else None

    door = Door("asgi", backend=SimpleUsernamePasswordBackend(hang), deadline=1.0)
    assert door.sign_in("slow").status == 503
    assert door.sign_in("ada").status == 303
    free.set()


def test_t29_many_slow_sign_ins_do_not_hold_up_the_loop() -> None:
    def slow(username: str, password: str) -> Any:
        time.sleep(0.03)
        return User(username, username)

    door = Door("asgi", backend=SimpleUsernamePasswordBackend(slow), public_paths=["/healthz"])
    longest = 0.0

    async def crowd() -> list[int]:
        nonlocal longest
        posts = [
            ask_asgi(
                door.gate,
                scope_of("POST", "/login", [HOST, FORM, OURS], client=(f"10.0.{n}.1", 1)),
                f"username=user{n}&password=right".encode(),
            )
            for n in range(64)
        ]
        tasks = asyncio.gather(*posts)
        while not tasks.done():
            began = time.monotonic()
            assert (await ask_asgi(door.gate, scope_of("GET", "/healthz", [HOST]))).status == 200
            await asyncio.sleep(0.001)
            longest = max(longest, time.monotonic() - began)
        return [answer.status for answer in tasks.result()]

    assert asyncio.run(crowd()) == [303] * 64
    assert longest < 1.0, "a blocking verify ran on the event loop"


@pytest.mark.parametrize("where", ["verify", "authenticate", "load", "body"])
def test_t30_a_request_that_is_cancelled_while_somebody_is_asked_admits_nobody(where: str) -> None:
    asked = asyncio.Event()
    passed: list[Any] = []

    async def never(*_: Any) -> Any:
        asked.set()
        await asyncio.Event().wait()

    class Waits:
        authenticate = login = logout = staticmethod(never)

        def routes(self) -> Any:
            return []

    class Store:
        create = renew = remove = load = staticmethod(never)

    async def app(*_: Any) -> None:
        passed.append(1)

    settings: dict[str, Any] = {"backend": SimpleUsernamePasswordBackend(never), "session": sealed()}
    scope = scope_of("POST", "/login", [HOST, FORM, OURS])
    if where == "authenticate":
        settings, scope = {"backend": Waits()}, scope_of("GET", "/queues", [HOST])
    if where == "load":
        from authgate import Sessions

        made = Door("asgi")
        made.sign_in()
        settings["session"] = Sessions.records(Store())
        scope = made.scope("/queues")

    async def receive() -> Any:
        if where == "body":
            await never()
        return {"type": "http.request", "body": b"username=ada&password=right"}

    async def send(message: Any) -> None:
        passed.append(message)

    async def visit() -> None:
        task = asyncio.ensure_future(AuthGateMiddleware(app, clock=Clock(), **settings)(scope, receive, send))
        await asyncio.wait_for(asked.wait(), 5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        for _ in range(5):
            await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}, "somebody is still being asked"

    asyncio.run(visit())
    assert not passed


class Custom:
    """A backend whose every method does the same."""

    def __init__(self, act: Any) -> None:
        self.authenticate = self.login = self.logout = act

    def routes(self) -> Any:
        return [("/callback", self.login)]


async def raises_later(request: Any) -> Any:
    raise RuntimeError("later")


async def hangs(request: Any) -> Any:
    await asyncio.Event().wait()


def raises(request: Any) -> Any:
    raise RuntimeError("now")


@pytest.mark.parametrize("act", [raises, raises_later, hangs], ids=lambda act: act.__name__)
@pytest.mark.parametrize("path", ["/queues", "/login", "/logout", "/callback"])
def test_t32_a_backend_that_fails_is_unavailable(
    kind: str, act: Any, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    door = Door(kind, backend=Custom(act), deadline=SHORT)
    answer = door.ask(path)
    assert (answer.status, door.reason) == (503, "unavailable")
    assert answer["location"] is None and door.told[-1].detail
    assert "unavailable" in caplog.text
    assert len(door.told) == 1


@pytest.mark.parametrize(
    "rubbish", RUBBISH[:11] + RUBBISH[12:18], ids=lambda value: repr(value)[:30].split(" at 0x")[0]
)
def test_t32_rubbish_from_authenticate_is_nobody(kind: str, rubbish: Any) -> None:
    door = Door(kind, backend=Custom(lambda request: rubbish))
    answer = door.ask("/queues")
    assert answer.status in (303, 503), answer
    assert b"passed" not in answer.body


@pytest.mark.parametrize("rubbish", [None, 5, "<p>", {"status": 200}, b""], ids=repr)
@pytest.mark.parametrize("path", ["/login", "/logout", "/callback"])
def test_t32_a_page_that_is_no_response_is_unavailable(kind: str, rubbish: Any, path: str) -> None:
    door = Door(kind, backend=Custom(lambda request: rubbish))
    assert (door.ask(path).status, door.reason) == (503, "unavailable")


@pytest.mark.parametrize(
    "routes", [5, [5], [("/x",)], [("/x", None)], [("x/{y}", raises)], [(5, raises)], [("//x", raises)]]
)
def test_routes_that_are_none_are_refused_at_construction(kind: str, routes: Any) -> None:
    backend = Custom(raises)
    backend.routes = lambda: routes  # type: ignore[method-assign]
    with pytest.raises((TypeError, ValueError), match="backend|object is not iterable"):
        Door(kind, backend=backend)


def test_a_backend_that_is_called_as_the_drop_in_is_is_asked_like_any_other(kind: str) -> None:
    # Whatever is true is a user to `authenticate=…`, and to nothing else.
    made = type("authenticate", (Custom,), {})(lambda request: True)
    assert Door(kind, backend=made).ask("/queues").status == 503
    assert Door(kind, authenticate=lambda request: True, require_admin=False).ask("/queues").status == 200


def test_t08_a_websocket_to_a_page_of_the_backends_is_not_served() -> None:
    gate = AuthGateMiddleware(asgi_dashboard, backend=Custom(lambda request: Page(b"page")), clock=Clock())
    for path in ("/login", "/logout", "/callback"):
        answer = asyncio.run(ask_asgi(gate, socket_of(path, [HOST])))
        assert (answer.status, b"page" in answer.body) == (503, False), path


def question(**more: Any) -> Any:
    """The question for a password, and its gate."""
    options = dict.fromkeys(Options.__dataclass_fields__)
    options |= {
        "login_path": "/login",
        "logout_path": "/logout",
        "mount": "",
        "realm": "r",
        "title": "t",
        "deadline": 5,
    }
    options |= {
        "required_roles": (),
        "trusted_proxies": (),
        "public_paths": (),
        "allowed_hosts": (),
        "identity_headers": (),
    }
    options |= {"session": sealed(), **more}
    gate = plan(password(), None, Options(**options)).gate
    step = gate.begin(scope_of("POST", "/login", [HOST, FORM, OURS]))
    assert step.kind == "read_body"
    step = step.resume(b"username=ada&password=" + PASSWORDS[0].encode())
    assert step.kind == "check_password" and step.arguments == ("ada", PASSWORDS[0])
    return step


def test_a_question_is_answered_once() -> None:
    step = question()
    assert PASSWORDS[0] not in repr(step)
    assert step.resume(User("ada", "Ada")).reason == "sign-in"
    for again in (lambda: step.resume(User("eve", "Eve")), lambda: step.unavailable("down")):
        with pytest.raises(RuntimeError, match="answered"):
            again()


def test_a_question_is_answered_once_however_many_ask_at_once() -> None:
    for _ in range(50):
        step, ended = question(), []
        barrier = threading.Barrier(4)

        def answer(step: Any = step, ended: list[str] = ended, barrier: Any = barrier) -> None:
            barrier.wait()
            try:
                ended.append(step.resume(User("ada", "Ada")).reason)
            except RuntimeError:
                ended.append("refused")

        threads = [threading.Thread(target=answer) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(ended) == ["refused", "refused", "refused", "sign-in"]


@pytest.mark.parametrize(
    "answer", [True, "x", b"x", 5, object(), [User("ada", "Ada")]], ids=lambda value: type(value).__name__
)
def test_an_answer_of_the_wrong_kind_is_none(answer: Any) -> None:
    assert question().resume(answer).reason == "unavailable"


def test_a_step_that_is_dropped_admits_nobody() -> None:
    step = question()
    del step
    gc.collect()


@pytest.mark.parametrize("now", [float("nan"), float("inf"), None, "now"])
def test_a_clock_that_tells_no_time_lets_nobody_in(kind: str, now: Any) -> None:
    door = Door(kind)
    door.sign_in()
    door.clock.now = now
    with pytest.raises((TypeError, ValueError)):
        door.ask("/queues")


class Refuses(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        raise RuntimeError("the log's filter is broken")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_log_that_fails_changes_nothing(kind: str) -> None:
    def fail(username: str, typed: str) -> Any:
        raise RuntimeError("down")

    logger, broken = logging.getLogger("authgate"), Refuses()
    logger.addFilter(broken)
    try:
        door = Door(kind)
        assert door.sign_in().status == 303
        assert door.ask("/queues")["x-seen-user"] == "Ada"
        assert [event.reason for event in door.told] == ["sign-in", "signed-in"]
        assert Door(kind, backend=SimpleUsernamePasswordBackend(fail)).sign_in().status == 503
    finally:
        logger.removeFilter(broken)


def test_a_listener_that_fails_changes_nothing(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    def listen(event: Any) -> None:
        raise RuntimeError("nobody listens")

    door = Door(kind, on_event=listen)
    assert door.sign_in().status == 303
    assert door.ask("/queues")["x-seen-user"] == "Ada"
    assert "on_event failed" in caplog.text


@pytest.mark.parametrize(
    "page",
    [
        lambda form: 1 / 0,
        lambda form: None,
        lambda form: ("a", "b", "c"),
        lambda form: ("<p>", "x\r\ny"),
        lambda form: b"x",
    ],
)
def test_a_login_page_that_fails_gives_way_to_ours(
    kind: str, page: Any, caplog: pytest.LogCaptureFixture
) -> None:
    door = Door(kind, login_page=page)
    answer = door.ask("/login?next=%2Fqueues")
    assert answer.status == 200 and b'name="password"' in answer.body
    assert "login_page failed" in caplog.text
    assert door.sign_in().status == 303


def test_a_login_page_of_the_hosts_own_is_shown(kind: str) -> None:
    door = Door(
        kind, login_page=lambda form: (f"<b>{form.action} {form.username} {form.error}", "default-src 'none'")
    )
    answer = door.sign_in("ada", "wrong")
    assert (answer.status, answer.body) == (401, b"<b>/login ada wrong")
    assert answer.all("content-security-policy") == ["default-src 'none'"]
    assert answer["content-length"] == str(len(answer.body))


def test_t33_levels_tell_what_matters(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    def levels() -> list[tuple[str, str]]:
        records = [(r.levelname, r.authgate.reason) for r in caplog.records if hasattr(r, "authgate")]
        caplog.clear()
        return records

    door = Door(kind, public_paths=["/open"])
    door.sign_in("ada", "wrong")
    door.sign_in("ada", "down")
    door.sign_in()
    door.ask("/queues?token=secret-in-a-query")
    assert "secret-in-a-query" not in caplog.text
    assert "user='ada'" in caplog.text and "client=127.0.0.1" in caplog.text and "method='GET'" in caplog.text
    door.ask("/open")
    door.sign_out()
    door.ask("/queues")
    assert levels() == [
        ("INFO", "wrong-password"),
        ("WARNING", "unavailable"),
        ("INFO", "sign-in"),
        ("DEBUG", "signed-in"),
        ("DEBUG", "public"),
        ("INFO", "sign-out"),
        ("INFO", "not-signed-in"),
    ]


def test_t33_one_record_a_request(kind: str) -> None:
    door = Door(kind, backend=[password()], session=sealed())
    for number, path in enumerate(("/queues", "/login", "/logout", "/queues?x", "/%00"), 1):
        door.ask(path)
        assert len(door.told) == number


def test_the_native_types_cannot_be_made_by_hand() -> None:
    for name in ("Question", "Forward", "Delegate", "Reply", "Lease", "Send", "LoginForm"):
        with pytest.raises(TypeError):
            getattr(_core, name)()


async def knows(request: Any) -> Any:
    return {"id": "ada", "name": "Ada", "is_admin": True}


DROP_IN = [
    (knows, 200, "signed-in"),
    (lambda request: {"id": "ada", "is_admin": True}, 200, "signed-in"),
    (lambda request: {"id": "ada"}, 403, "not-allowed"),
    (lambda request: {"id": "ada", "is_admin": 1}, 403, "not-allowed"),
    (lambda request: True, 403, "not-allowed"),
    (lambda request: None, 303, "not-signed-in"),
    (lambda request: {}, 303, "not-signed-in"),
    (lambda request: Odd(), 503, "unavailable"),
    (lambda request: Broken(), 503, "unavailable"),
    (raises, 503, "unavailable"),
    (raises_later, 503, "unavailable"),
    (hangs, 503, "unavailable"),
]


@pytest.mark.parametrize(("act", "status", "reason"), DROP_IN)
def test_t32_a_function_that_is_asked_as_asyncmq_does(kind: str, act: Any, status: int, reason: str) -> None:
    # On a busy machine what answers can miss a deadline that is short, too.
    deadline = SHORT if act is hangs else 5.0
    door = Door(kind, authenticate=act, deadline=deadline)
    assert (door.ask("/queues").status, door.reason) == (status, reason)
    assert door.ask("/static/app.css")["x-seen-user"] == "-"
    assert door.ask("/login").status == 200, "the application has a login page of its own"


@pytest.mark.parametrize(
    "origin", ["", " ", "null", "http://evil.example", "http://dash.example, http://evil.example"]
)
def test_t15_an_origin_that_is_not_ours_is_foreign_even_if_it_is_empty(kind: str, origin: str) -> None:
    door = Door(kind, authenticate=knows)
    for path in ("/login", "/logout", "/queues"):
        answer = door.ask(path, ("Origin", origin), ("Content-Length", "0"), method="POST")
        assert (answer.status, door.reason) == (403, "cross-site"), path
