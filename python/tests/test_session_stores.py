"""Sessions through each kind of store, with a clock that is moved by hand; and stores that fail or lie."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from authgate import Sessions, SimpleUsernamePasswordBackend, User
from authgate.wsgi import AuthGate

from doors import Door
from world import HOST, NOW, password, sealed, wsgi_dashboard

MINUTE = 60.0
SHORT = 0.1


class Store:
    """A store over a dictionary, which blocks."""

    def __init__(self) -> None:
        self.records: dict[str, tuple[bytes, float]] = {}
        self.calls: list[str] = []

    def load(self, session_id: str) -> bytes | None:
        self.calls.append("load")
        return self.records.get(session_id, (None, 0))[0]

    def create(self, session_id: str, data: bytes, until: float) -> bool:
        self.calls.append("create")
        if session_id in self.records:
            return False
        self.records[session_id] = data, until
        return True

    def renew(self, session_id: str, data: bytes, until: float) -> bool:
        self.calls.append("renew")
        if session_id not in self.records:
            return False
        self.records[session_id] = data, until
        return True

    def remove(self, session_id: str) -> None:
        self.calls.append("remove")
        self.records.pop(session_id, None)


class AsyncStore(Store):
    """The same, awaited."""

    async def load(self, session_id: str) -> bytes | None:  # type: ignore[override]
        await asyncio.sleep(0)
        return super().load(session_id)

    async def create(self, session_id: str, data: bytes, until: float) -> bool:  # type: ignore[override]
        await asyncio.sleep(0)
        return super().create(session_id, data, until)

    async def renew(self, session_id: str, data: bytes, until: float) -> bool:  # type: ignore[override]
        await asyncio.sleep(0)
        return super().renew(session_id, data, until)

    async def remove(self, session_id: str) -> None:  # type: ignore[override]
        await asyncio.sleep(0)
        super().remove(session_id)


class Wrapped(Store):
    """One whose methods are `def` and give something to be awaited, as decorated ones do."""

    def load(self, session_id: str) -> Any:
        async def later() -> Any:
            return Store.load(self, session_id)

        return later()


MAKERS = {
    "asgi, memory": ("asgi", Sessions.records),
    "asgi, a store": ("asgi", lambda: Sessions.records(Store())),
    "asgi, an asynchronous store": ("asgi", lambda: Sessions.records(AsyncStore())),
    "asgi, a wrapped store": ("asgi", lambda: Sessions.records(Wrapped())),
    "asgi, sealed": ("asgi", sealed),
    "wsgi, memory": ("wsgi", Sessions.records),
    "wsgi, a store": ("wsgi", lambda: Sessions.records(Store())),
    "wsgi, sealed": ("wsgi", sealed),
}


@pytest.fixture(params=MAKERS)
def door(request: pytest.FixtureRequest) -> Door:
    kind, make = MAKERS[request.param]
    return Door(kind, session=make())


def test_t25_each_sign_in_makes_a_new_session(door: Door) -> None:
    door.sign_in()
    first = door.cookie
    door.sign_in("grace", "hopper-1906")
    assert door.cookie != first and door.ask("/queues")["x-seen-user"] == "Grace"
    door.cookie = first
    assert door.ask("/queues").status == 303, "the session before has ended"


def test_t24_a_session_that_is_not_used_ends(door: Door) -> None:
    door.sign_in()
    door.clock.now += 29 * MINUTE
    assert door.ask("/queues").status == 200
    door.clock.now += 29 * MINUTE
    assert door.ask("/queues").status == 200
    door.clock.now += 31 * MINUTE
    assert door.ask("/queues").status == 303
    door.clock.now -= 31 * MINUTE
    assert door.ask("/queues").status == 303, "an end is for good"


def test_t24_a_session_that_is_used_all_the_time_ends_at_last(door: Door) -> None:
    door.sign_in()
    for _ in range(35):
        door.clock.now += 20 * MINUTE
        assert door.ask("/queues").status == 200
    door.clock.now += 20 * MINUTE
    assert door.ask("/queues").status == 303


def test_t23_a_session_that_was_signed_out_is_worthless(door: Door) -> None:
    door.sign_in()
    cookie = door.cookie
    answer = door.sign_out()
    assert (answer.status, door.reason, door.cookie) == (303, "sign-out", None)
    door.cookie = cookie
    assert door.ask("/queues").status == 303
    door.clock.now += 5 * MINUTE
    door.cookie = cookie
    assert door.ask("/queues").status == 303


def test_t23_all_sessions_of_a_user_can_be_ended(door: Door) -> None:
    door.sign_in()
    door.gate.sign_out_everywhere("ada")
    assert door.ask("/queues").status == 303
    door.clock.now += 1
    door.sign_in()
    assert door.ask("/queues").status == 200


@pytest.mark.parametrize("make", MAKERS)
def test_a_user_of_a_session_is_the_one_that_signed_in(make: str) -> None:
    seen: list[Any] = []

    async def asgi(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["state"]["user"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    def wsgi(environ: Any, start_response: Any) -> Any:
        seen.append(environ["authgate.user"])
        start_response("200 OK", [])
        return []

    kind, session = MAKERS[make]
    user = User(7, "Ada \u2603", is_admin=True, roles=["ops"], team={"id": 5})
    backend = SimpleUsernamePasswordBackend(lambda *_: user)
    door = Door(kind, asgi if kind == "asgi" else wsgi, backend=backend, session=session())
    door.sign_in()
    for _ in range(2):
        assert door.ask("/").status == 200
        found = seen.pop()
        assert (found.id, found.name, found.is_admin, list(found.roles)) == (7, "Ada \u2603", True, ["ops"])
        assert found["team"] == {"id": 5}
        door.clock.now += 5 * MINUTE


def test_what_a_user_is_now_is_looked_up_when_a_session_is_renewed(kind: str) -> None:
    known: dict[str, Any] = {"ada": User("ada", "Ada", is_admin=False)}
    backend = SimpleUsernamePasswordBackend(
        lambda *_: (known["ada"], "hash-1"), look_up=lambda user: known.get(user)
    )
    door = Door(kind, backend=backend, session=sealed())
    door.sign_in()
    known["ada"] = (User("ada", "Ada Lovelace", is_admin=False), "hash-1")
    assert door.ask("/")["x-seen-user"] == "Ada"
    door.clock.now += 2 * MINUTE
    assert door.ask("/")["x-seen-user"] == "Ada Lovelace"
    known["ada"] = (User("ada", "Ada Lovelace", is_admin=False), "hash-2")
    door.clock.now += 2 * MINUTE
    assert door.ask("/").status == 303, "a new password ends old sessions"
    known["ada"] = (User("ada", "Ada", is_admin=False), "hash-1")
    backend.verify = lambda *_: known["ada"]
    door.sign_in()
    door.clock.now += 2 * MINUTE
    del known["ada"]
    assert door.ask("/").status == 303, "somebody who is gone has no session"


@pytest.mark.parametrize("failure", ["raises", "hangs", "lies"])
def test_a_directory_that_cannot_be_looked_up_in_lets_nobody_in(kind: str, failure: str) -> None:
    async def hangs(user: str) -> Any:
        await asyncio.Event().wait()

    def raises(user: str) -> Any:
        raise ConnectionError("down")

    look_up = {"raises": raises, "hangs": hangs, "lies": lambda user: User("eve", "Eve")}[failure]
    backend = SimpleUsernamePasswordBackend(lambda *_: User("ada", "Ada"), look_up=look_up)
    session = sealed()
    patient = Door(kind, backend=backend, session=session)
    patient.sign_in()
    assert patient.ask("/")["x-seen-user"] == "Ada"
    door = hurried(patient, backend=backend, session=session)
    door.clock.now += 2 * MINUTE
    answer = door.ask("/")
    assert answer["x-seen-user"] is None and answer.status in (303, 503), answer


def hurried(patient: Door, **settings: Any) -> Door:
    """A gate that soon gives up waiting, for whom the patient one has signed in.

    Only what hangs may meet its deadline: on a busy machine what answers can miss it, too.
    """
    door = Door(patient.kind, clock=patient.clock, deadline=SHORT, **settings)
    door.cookie = patient.cookie
    return door


class Fails(Store):
    """A store with one method that does something else."""

    def __init__(self, method: str, act: Any) -> None:
        super().__init__()
        self.method = method
        self.act = act
        self.broken = False

    def __getattribute__(self, name: str) -> Any:
        given = super().__getattribute__
        if name in ("load", "create", "renew", "remove") and given("broken") and name == given("method"):
            return given("act")
        return given(name)


def raises(*_: Any) -> Any:
    raise ConnectionError("the store is down")


async def hangs(*_: Any) -> Any:
    await asyncio.Event().wait()


RUBBISH = [True, 5, "text", object(), {"id": 1}, [b"x"], bytearray(b"{}"), memoryview(b"{}")]


@pytest.mark.parametrize("act", [raises, hangs], ids=["raises", "hangs"])
@pytest.mark.parametrize("method", ["load", "create", "renew", "remove"])
def test_t32_a_store_that_is_down_lets_nobody_in_and_throws_nobody_out(
    kind: str, method: str, act: Any
) -> None:
    store = Fails(method, act)
    patient = Door(kind, session=Sessions.records(store))
    if method != "create":
        assert patient.sign_in().status == 303
    door = hurried(patient, session=Sessions.records(store))
    door.clock.now += 2 * MINUTE
    store.broken = True
    if method == "create":
        answer = door.sign_in()
        assert (answer.status, answer.all("set-cookie")) == (503, [])
    elif method == "remove":
        assert door.sign_out().status == 503
    else:
        answer = door.ask("/queues")
        assert answer.status == 503 or (method == "renew" and answer.status == 200), answer
    store.broken = False
    if method in ("load", "renew"):
        assert patient.ask("/queues")["x-seen-user"] == "Ada"


@pytest.mark.parametrize("rubbish", RUBBISH, ids=lambda value: type(value).__name__)
def test_t32_a_store_that_loads_rubbish_lets_nobody_in(kind: str, rubbish: Any) -> None:
    store = Fails("load", lambda *_: rubbish)
    door = Door(kind, session=Sessions.records(store))
    door.sign_in()
    store.broken = True
    assert door.ask("/queues").status == 503


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"null", b"\xff", b"[]", b'{"id":"x"}', b"x" * 100_000, b"[" * 100_000]
)
def test_t32_a_record_that_cannot_be_read_is_no_session(kind: str, data: bytes) -> None:
    store = Fails("load", lambda *_: data)
    door = Door(kind, session=Sessions.records(store))
    door.sign_in()
    store.broken = True
    assert door.ask("/queues").status == 303


def test_t32_a_store_that_answers_with_somebody_elses_session_lets_nobody_in(kind: str) -> None:
    store = Fails("load", lambda *_: other)
    door = Door(kind, session=Sessions.records(store))
    door.sign_in("grace", "hopper-1906")
    (other, _), door.cookie = next(iter(store.records.values())), None
    door.sign_in()
    store.broken = True
    assert door.ask("/queues").status == 503


@pytest.mark.parametrize("answer", [False, None, 1, "OK"], ids=repr)
def test_t25_a_session_that_was_not_created_is_none(kind: str, answer: Any) -> None:
    store = Fails("create", lambda *_: answer)
    store.broken = True
    door = Door(kind, session=Sessions.records(store))
    found = door.sign_in()
    assert (found.status, found.all("set-cookie")) == (503, [])
    assert door.ask("/queues").status == 303


def test_a_session_that_was_removed_while_it_was_renewed_is_not_made_again(kind: str) -> None:
    store = Fails("renew", lambda *_: False)
    door = Door(kind, session=Sessions.records(store))
    door.sign_in()
    store.broken = True
    door.clock.now += 2 * MINUTE
    assert door.ask("/queues").status == 303


def test_a_store_is_told_digests_and_no_cookie(kind: str) -> None:
    store = Store()
    door = Door(kind, session=Sessions.records(store))
    door.sign_in()
    assert door.cookie is not None
    value = door.cookie.partition("=")[2]
    ((session_id, (data, until)),) = store.records.items()
    assert session_id not in value and value not in session_id and value.encode() not in data
    assert NOW < until <= NOW + 30 * MINUTE
    door.cookie = f"authgate={session_id}"
    assert door.ask("/queues").status == 303, "who reads the store gets in"


def test_wsgi_takes_no_asynchronous_store() -> None:
    with pytest.raises(TypeError, match="session: the store's load"):
        AuthGate(wsgi_dashboard, backend=password(), session=Sessions.records(AsyncStore()))


def test_a_blocking_store_does_not_block_the_loop() -> None:
    names: list[str] = []

    class Named(Store):
        def load(self, session_id: str) -> bytes | None:
            names.append(threading.current_thread().name)
            return super().load(session_id)

    door = Door("asgi", session=Sessions.records(Named()))
    door.sign_in()
    assert door.ask("/queues", HOST).status in (200, 400)
    assert door.ask("/queues").status == 200
    assert names and all(name.startswith("authgate") for name in names)
