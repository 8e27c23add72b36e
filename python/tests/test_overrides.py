"""What somebody has changed or forgotten: nothing of it opens a door."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from authgate import Access, AuthGateMiddleware, JWTAuthBackend, SimpleUsernamePasswordBackend, User
from authgate import asyncmq as dropin
from authgate.wsgi import AuthGate

from doors import Door
from world import SECRET, Clock, asgi_dashboard, ask_asgi, ask_wsgi, environ_of, scope_of, sealed, token
from world import verify, wsgi_dashboard

HOST = ("Host", "dash.example")
ADA = '{"sub":"ada","name":"Ada"}'


@pytest.mark.parametrize("method", ["authenticate", "authenticate_headers"])
def test_a_token_backend_with_a_check_of_its_own_is_asked(kind: str, method: str) -> None:
    own = type("Revoked", (JWTAuthBackend,), {method: lambda self, *_: None})
    bearer = ("Authorization", f"Bearer {token(ADA)}")
    assert Door(kind, backend=JWTAuthBackend(secret=SECRET), session=None).ask("/queues", bearer).status == 200
    assert Door(kind, backend=own(secret=SECRET), session=None).ask("/queues", bearer).status == 303


@pytest.mark.parametrize("method", ["check", "find"])
def test_a_second_factor_that_would_be_skipped_is_refused(kind: str, method: str) -> None:
    own = type("Second", (SimpleUsernamePasswordBackend,), {method: lambda self, *_: None})
    with pytest.raises(TypeError, match=f"has a {method} of its own"):
        Door(kind, backend=own(verify), session=sealed())


class Anonymous:
    is_authenticated = False


async def forgotten() -> Any:
    return User("ada", "Ada")


class Redirect:
    def __call__(self, *_: Any) -> None: ...


@pytest.mark.parametrize("answer", [Anonymous, Redirect], ids=["anonymous", "a-response"])
def test_t30_what_is_true_and_nobody_does_not_enter(kind: str, answer: Any) -> None:
    door = Door(kind, authenticate=lambda request: answer(), require_admin=False)
    assert door.ask("/queues").status == (303 if answer is Anonymous else 503)


def test_t30_what_somebody_forgot_to_await_is_nobody() -> None:
    class Late:
        async def authenticate(self, request: Any) -> Any:
            return forgotten()

    door = Door("asgi", authenticate=Late().authenticate, require_admin=False)
    with pytest.warns(RuntimeWarning, match="never awaited"):
        assert door.ask("/queues").status == 503


def once(*values: str) -> Iterator[str]:
    yield from values


@pytest.mark.parametrize("keyword", ["required_roles", "allowlist", "trusted_proxies"])
def test_a_list_that_can_be_read_once_is_refused(keyword: str) -> None:
    # A dashboard's middleware is made more than once; the second time there would be no role to ask for.
    with pytest.raises(TypeError, match=f"^{keyword}:"):
        AuthGateMiddleware(asgi_dashboard, authenticate=lambda request: None, **{keyword: once("ops")})
    backend = dropin.SimpleUsernamePasswordBackend(verify)
    with pytest.raises(TypeError, match=f"^{keyword}:"):
        dropin.AsyncMQAdmin(enable_login=True, backend=backend, url_prefix="/ops", **{keyword: once("ops")})


def test_an_access_without_a_meaning_is_refused() -> None:
    with pytest.raises(TypeError, match="admin_roles"):
        Access.admins(or_roles="ops")
    with pytest.raises(ValueError, match="admin_roles"):
        Access(admin_roles=("ops",))


def test_a_session_that_cannot_keep_its_user_is_none(kind: str) -> None:
    people = SimpleUsernamePasswordBackend(lambda username, password: User(7, "x", height=float("nan")))
    answer = Door(kind, backend=people, session=sealed()).sign_in()
    assert (answer.status, answer.all("set-cookie")) == (503, [])


def test_fields_that_can_be_read_once_reach_the_application_too() -> None:
    gate = AuthGateMiddleware(asgi_dashboard, backend=JWTAuthBackend(secret=SECRET), clock=Clock())
    scope = scope_of("GET", "/queues", [HOST, ("Authorization", f"Bearer {token(ADA)}"), ("X-Mine", "1")])
    scope["headers"] = iter(scope["headers"])
    answer = asyncio.run(ask_asgi(gate, scope))
    assert (answer.status, b"x-mine" in answer.body) == (200, True)


def test_t29_a_flood_of_passwords_delays_nobody_who_is_signed_in() -> None:
    from authgate import _asking

    held = threading.Event()
    busy = _asking.Threads("test", most=4)
    waiting = [busy.submit(held.wait) for _ in range(4)]
    with pytest.raises(_asking.Unanswered, match="too many passwords"):
        busy.submit(held.wait)

    async def load() -> str:
        # Another purpose's threads are free, however many passwords wait.
        return await asyncio.wait_for(_asking.in_thread(lambda: "loaded"), 5)

    passwords = _asking.threads("passwords")
    blocked = [passwords.submit(held.wait) for _ in range(64)]
    try:
        assert asyncio.run(load()) == "loaded"
    finally:
        held.set()
    assert all(future.result(5) for future in (*waiting, *blocked))


def test_the_deadline_holds_under_wsgi_and_one_slow_answer_delays_no_other() -> None:
    released = threading.Event()

    class Slow:
        async def authenticate(self, request: Any) -> Any:
            if request.path == "/slow":
                await asyncio.to_thread(released.wait, 30)
            return User("ada", "Ada")

        def login(self, request: Any) -> Any: ...

        def logout(self, request: Any) -> Any: ...

        def routes(self) -> list[Any]:
            return []

    gate = AuthGate(wsgi_dashboard, backend=Slow(), deadline=0.5)
    statuses: list[int] = []

    def visit() -> None:
        statuses.append(ask_wsgi(gate, environ_of("GET", "/slow", [HOST])).status)

    start = time.monotonic()
    slow = [threading.Thread(target=visit) for _ in range(12)]
    for one in slow:
        one.start()
    assert ask_wsgi(gate, environ_of("GET", "/queues", [HOST])).status == 200
    for one in slow:
        one.join(20)
    released.set()
    assert statuses == [503] * 12
    assert time.monotonic() - start < 15
