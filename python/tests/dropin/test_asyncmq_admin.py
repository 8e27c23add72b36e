"""`authgate.asyncmq`: AsyncMQ's dashboard behind our gate, by a change of the import."""

from __future__ import annotations

import asyncio
import inspect
import subprocess
import sys
from typing import Any

import jwt
import pytest
from asyncmq.contrib.dashboard import admin as theirs
from asyncmq.contrib.dashboard.audit import clear_audit_events, list_audit_events
from visitor import Answer, Visitor, handshake

import authgate
from authgate import asyncmq as ours
from authgate._trail import BURST, Trail
from authgate.events import Event

SECRET = "correct horse battery staple, twice over"


def verify(username: str, password: str) -> Any:
    known = {"ada": True, "bob": False}
    if password != "enigma" or username not in known:
        return None
    return ours.User(username, username.title(), is_admin=known[username])


def dashboard(backend: Any = None, **settings: Any) -> Any:
    backend = backend or ours.SimpleUsernamePasswordBackend(verify)
    return ours.AsyncMQAdmin(enable_login=True, backend=backend, url_prefix="/ops", **settings)


def visitor(backend: Any = None, **settings: Any) -> Visitor:
    return Visitor(dashboard(backend, **settings).get_asgi_app(), root="/ops")


def token(**claims: Any) -> dict[str, str]:
    return {
        "authorization": f"Bearer {jwt.encode({'sub': 'ada', 'is_admin': True, **claims}, SECRET, 'HS256')}"
    }


@pytest.fixture(autouse=True)
def no_events() -> None:
    clear_audit_events()


def audited() -> list[tuple[str, str, str | None]]:
    """The audit trail, oldest first."""
    events = reversed(list_audit_events())
    return [(event["action"], event["status"], event["actor"]) for event in events]


def test_the_names_and_the_arguments_are_asyncmqs() -> None:
    assert {*theirs.__all__, "JWTAuthBackend"} == set(ours.__all__)
    assert inspect.signature(ours.AsyncMQAdmin) == inspect.signature(theirs.AsyncMQAdmin)
    assert issubclass(ours.AsyncMQAdmin, theirs.AsyncMQAdmin)
    mine = dashboard()
    assert isinstance(mine.backend, authgate.SimpleUsernamePasswordBackend)


def test_all_but_the_gate_is_asyncmqs() -> None:
    settings = {
        "cors_allow_origins": ("https://other.example",),
        "content_security_policy": "default-src 'self'",
    }
    backend = theirs.SimpleUsernamePasswordBackend(verify)
    old = theirs.AsyncMQAdmin(enable_login=True, backend=backend, **settings).child_app
    new = dashboard(**settings).child_app
    names = [one.middleware.__name__ for one in new.custom_middleware]
    assert [one.middleware.__name__ for one in old.custom_middleware] == names[1:-1]
    assert names[0] == "OnePolicy" and names[-1] == "NoStore"
    assert [one.middleware for one in new.custom_middleware][-2] is authgate.AuthGateMiddleware
    answer = visitor(**settings).get("/queues", origin="https://other.example")
    assert answer["access-control-allow-origin"] == "https://other.example"
    assert answer["content-security-policy"] == "default-src 'self'" and answer["x-frame-options"] == "DENY"


def test_a_dashboard_without_a_login_is_asyncmqs_own() -> None:
    mine = ours.AsyncMQAdmin(url_prefix="/ops")
    assert Visitor(mine.get_asgi_app(), root="/ops").get("/queues").status == 200
    with pytest.raises(ValueError, match="backend"):
        ours.AsyncMQAdmin(enable_login=True)


def test_t08_websockets_are_gated() -> None:
    app = dashboard().get_asgi_app()
    sent = asyncio.run(handshake(app, "/events", root="/ops"))
    assert [message["type"] for message in sent] == ["websocket.close"]


@pytest.mark.parametrize("proxies", [("*",), ("proxy.internal",), ("10.0.0.0/99",)])
def test_t21_trusted_proxies_that_are_no_addresses_are_refused_at_once(proxies: tuple[str, ...]) -> None:
    theirs.AsyncMQAdmin(
        enable_login=True, backend=theirs.SimpleUsernamePasswordBackend(verify), trusted_proxies=proxies
    )
    for backend in (None, ours.JWTAuthBackend(secret=SECRET), theirs.SimpleUsernamePasswordBackend(verify)):
        with pytest.raises(authgate.ConfigError, match="neither an address nor a network") as refused:
            dashboard(backend, trusted_proxies=proxies)
        assert refused.value.argument == "trusted_proxies"


def test_t36_every_other_setting_is_judged_at_once_too() -> None:
    for settings in ({"allowlist": ("",)}, {"login_path": "login"}, {"required_roles": ("",)}):
        with pytest.raises(authgate.ConfigError):
            dashboard(**settings)


def test_t21_trusted_proxies_count_for_origins_and_for_tries() -> None:
    browser = visitor(trusted_proxies=("127.0.0.1",))
    seen = {"x-forwarded-host": "ops.example", "x-forwarded-proto": "https", "x-forwarded-for": "203.0.113.5"}
    own = {**seen, "origin": "https://ops.example"}
    form = {"username": "ada", "password": "enigma"}
    assert browser.post("/login", form, {**seen, "origin": "http://dash.example"}).status == 403
    assert browser.post("/login", form, own).status == 303
    assert browser.post("/queues/mail", {"action": "pause"}, own).status == 303
    assert (
        browser.post("/queues/mail", {"action": "resume"}, {**seen, "origin": "http://dash.example"}).status
        == 403
    )
    details = [event["details"] for event in list_audit_events(action="auth.sign_in")]
    assert [one["client"] for one in details] == ["203.0.113.5"]


def test_t27_what_a_signed_in_user_sees_is_not_stored_and_static_files_are() -> None:
    browser = visitor()
    browser.sign_in("ada", "enigma")
    page = browser.get("/queues")
    assert page.status == 200 and page["cache-control"] == "no-store" and "Cookie" in page["vary"]
    assert "no-store" not in browser.get("/static/css/asyncmq.css")["cache-control"]


def test_pages_of_the_gate_keep_their_own_policy_and_pages_of_asyncmq_theirs() -> None:
    browser = visitor()
    browser.sign_in("bob", "enigma")
    refused = browser.get("/queues")
    assert refused.status == 403 and "style-src 'sha256-" in refused["content-security-policy"]
    assert len([name for name, _ in refused.fields if name == "content-security-policy"]) == 1
    assert "script-src 'self'" in browser.get("/login")["content-security-policy"]


def test_t33_the_audit_trail_tells_who_came_left_and_was_refused() -> None:
    browser = visitor()
    browser.get("/queues")
    browser.sign_in("eve", "guess")
    browser.sign_in("bob", "enigma")
    browser.get("/queues")
    browser.get("/logout")
    browser.sign_in("ada", "enigma")
    browser.post("/queues/mail", {"action": "pause"}, {"origin": "http://evil.example"})
    browser.post("/queues/mail", {"action": "pause"}, {"origin": "http://dash.example"})
    browser.post("/logout")
    browser.post("/logout")
    assert audited() == [
        ("auth.wrong_password", "failed", None),
        ("auth.sign_in", "success", "bob"),
        ("auth.refused", "failed", "bob"),
        ("auth.sign_out", "success", "bob"),
        ("auth.sign_in", "success", "ada"),
        ("auth.refused", "failed", "ada"),
        ("queue.pause", "success", "ada"),
        ("auth.sign_out", "success", "ada"),
    ]
    wrong = list_audit_events(action="auth.wrong_password")[0]
    assert wrong["details"] == {
        "client": "127.0.0.1",
        "kind": "page",
        "method": "POST",
        "path": "/ops/login",
        "reason": "wrong-password",
        "status": 401,
        "username": "eve",
    }
    assert "guess" not in repr(list_audit_events()) and "enigma" not in repr(list_audit_events())


def test_t33_throttling_and_stores_that_are_down_are_told_without_what_they_raise() -> None:
    def away(*_: str) -> Any:
        raise ConnectionError("postgres://admin:hunter2@db is away")

    browser = visitor(ours.SimpleUsernamePasswordBackend(away))
    assert browser.sign_in("ada", "enigma").status == 503
    [event] = list_audit_events()
    assert event["action"] == "auth.unavailable" and event["details"]["username"] == "ada"
    assert "hunter2" not in repr(event) and "enigma" not in repr(event)
    browser = visitor()
    while browser.sign_in("ada", "guess").status != 429:
        pass
    assert list_audit_events()[0]["action"] == "auth.throttled"


def test_t33_bad_tokens_are_told_and_good_ones_are_not() -> None:
    browser = visitor(ours.JWTAuthBackend(secret=SECRET))
    assert browser.get("/queues", **token()).status == 200
    assert audited() == []
    assert browser.get("/queues", **token(exp=1)).status == 303
    [event] = list_audit_events()
    assert (event["action"], event["details"]["reason"]) == ("auth.refused", "token-expired")
    assert token()["authorization"][7:] not in repr(event)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def refusal(n: int) -> Event:
    return Event(
        "respond",
        401,
        "wrong-password",
        "nobody's",
        f"guess-{n}",
        "192.0.2.1",
        "page",
        "POST",
        "/" + "x" * 9_000,
    )


def test_t33_strangers_cannot_push_the_operators_events_out_of_the_trail() -> None:
    clock = Clock()
    trail = Trail(clock)
    for n in range(5 * BURST):
        trail(refusal(n))
    assert len(list_audit_events(limit=10_000)) == BURST
    trail(
        Event(
            "respond", 303, "sign-in", "the password was right", "ada", "192.0.2.1", "page", "POST", "/login"
        )
    )
    assert list_audit_events()[0]["actor"] == "ada"
    clock.now = 60.0
    trail(refusal(0))
    latest = list_audit_events()[0]["details"]
    assert latest["events_left_out_before"] == 4 * BURST and len(latest["path"]) == 200
    # A day of it leaves room in AsyncMQ's 2000.
    for minute in range(24 * 60):
        clock.now += 60
        trail(refusal(minute))
        trail(refusal(minute))
    assert len(list_audit_events(limit=10_000)) < 1_700


def test_bearer_tokens_are_checked_natively(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*_: Any) -> Any:
        raise AssertionError("the Python method was called")

    monkeypatch.setattr(authgate.JWTAuthBackend, "authenticate", never)
    browser = visitor(ours.JWTAuthBackend(secret=SECRET))
    assert browser.get("/queues", **token()).status == 200
    assert browser.get("/queues", **token(is_admin=False)).status == 403
    # t19: AsyncMQ wants an origin of whoever posts, and so does the drop-in.
    assert browser.post("/queues/mail", {"action": "pause"}, token()).status == 403


def test_t32_whoever_adds_a_check_to_the_token_backend_is_asked() -> None:
    class Stricter(authgate.JWTAuthBackend):
        async def authenticate(self, request: Any) -> Any:
            user = await super().authenticate(request)
            return user if user is not None and user.id != "mallory" else None

    backend = Stricter(secret=SECRET)
    browser = visitor(backend)
    assert browser.get("/queues", **token()).status == 200
    assert browser.get("/queues", **token(sub="mallory")).status == 303

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    browser = Visitor(authgate.AuthGateMiddleware(app, backend=backend))
    assert browser.get("/queues", **token()).status == 200
    assert browser.get("/queues", **token(sub="mallory")).status == 303


@pytest.mark.parametrize("admin", [theirs.AsyncMQAdmin, ours.AsyncMQAdmin])
def test_t34_the_token_backends_pages_carry_the_mount(admin: Any) -> None:
    backend = authgate.JWTAuthBackend(secret=SECRET)
    browser = Visitor(
        admin(enable_login=True, backend=backend, url_prefix="/ops").get_asgi_app(), root="/ops"
    )
    assert browser.get("/queues")["location"].startswith("/ops/login?next=")
    page = browser.get("/login")
    assert page.status == 200 and "token" in page.text.lower() and "<form" not in page.text
    left = browser.get("/logout")
    assert (left.status, left["location"]) == (303, "/ops/login")
    left = browser.get("/logout", **{"hx-request": "true"})
    assert (left.status, left["hx-redirect"]) == (204, "/ops/login")
    assert browser.post("/logout", (), {"sec-fetch-site": "cross-site"}).status == 403


def test_a_foreign_backend_keeps_its_own_pages() -> None:
    class Own(ours.SimpleUsernamePasswordBackend):
        async def login(self, request: Any) -> Any:
            from lilya.responses import PlainText

            return PlainText("my own page")

    for backend in (Own(verify), theirs.SimpleUsernamePasswordBackend(verify)):
        answer: Answer = visitor(backend).get("/login")
        assert answer.status == 200 and ("my own page" in answer.text) == isinstance(backend, Own)


def test_t32_an_asyncmq_that_builds_its_dashboard_otherwise_gets_no_dashboard(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plain = theirs.AsyncMQAdmin().child_app
    monkeypatch.setattr(theirs.AsyncMQAdmin, "_build_child", lambda self: plain)
    with pytest.raises(RuntimeError, match="0 gates"):
        dashboard()


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("missing", ["asyncmq", "lilya"])
def test_without_asyncmq_the_import_says_what_it_needs(missing: str) -> None:
    ended = run(f"import sys; sys.modules[{missing!r}] = None; import authgate; import authgate.asyncmq")
    assert "ImportError: authgate.asyncmq needs AsyncMQ and its dashboard" in ended.stderr
