"""Our password backend under AsyncMQ's own middleware: `AsyncMQAdmin(enable_login=True, backend=…)`."""

from __future__ import annotations

import base64
import json
import threading
import time
from typing import Any

import pytest
from asyncmq.contrib.dashboard import admin as theirs
from asyncmq.contrib.dashboard.engine import templates
from visitor import Visitor

import authgate

PASSWORDS = ["a+b", "%2B", "a&b=c", "pässwörd ✓", "100%", "%", " lead and trail ", "+", "a%20b", "=;#?"]


def visitor(backend: Any, **settings: Any) -> Visitor:
    admin = theirs.AsyncMQAdmin(enable_login=True, backend=backend, url_prefix="/ops", **settings)
    return Visitor(admin.get_asgi_app(), root="/ops")


def ada(verify: Any = None, **settings: Any) -> Visitor:
    """A dashboard where Ada's password is "enigma"."""

    def check(username: str, password: str) -> Any:
        return (
            authgate.User("ada", "Ada", roles=["ops"]) if (username, password) == ("ada", "enigma") else None
        )

    return visitor(authgate.SimpleUsernamePasswordBackend(verify or check, **settings))


def kept(visitor: Visitor) -> Any:
    """What the session holds."""
    cookie = visitor.cookies.get("asyncz_admin")
    return cookie and json.loads(base64.b64decode(cookie.split(".")[0])).get("asyncmq_admin")


def test_whoever_signs_in_sees_the_dashboard() -> None:
    browser = ada()
    assert browser.get("/queues")["location"].startswith("/ops/login?next=")
    page = browser.get("/login?next=/ops/queues")
    assert page.status == 200 and "Operations Console" in page.text and 'value="/ops/queues"' in page.text
    answer = browser.sign_in("ada", "enigma", next="/ops/queues?page=2")
    assert (answer.status, answer["location"]) == (303, "/ops/queues?page=2")
    assert browser.get("/queues").status == 200


def test_t07_a_wrong_password_is_a_401_with_asyncmqs_form_which_keeps_next() -> None:
    browser = ada()
    answer = browser.sign_in("ada", "opensesame", next="/ops/queues?page=2")
    assert answer.status == 401
    assert "Operations Console" in answer.text and "Invalid credentials" in answer.text
    assert 'value="/ops/queues?page=2"' in answer.text and "opensesame" not in answer.text
    assert "no-store" in answer["cache-control"] and not browser.cookies


@pytest.mark.parametrize(
    "next_page", ["https://evil.example/", "//evil.example", "/\\evil.example", "/ops/../x", "/elsewhere", ""]
)
def test_t01_next_leads_below_the_mount_or_home(next_page: str) -> None:
    assert ada().sign_in("ada", "enigma", next=next_page)["location"] == "/ops/"


@pytest.mark.parametrize("password", PASSWORDS)
def test_a_form_is_decoded_once(password: str) -> None:
    typed: list[tuple[str, str]] = []
    ada(lambda username, given: typed.append((username, given))).sign_in("ä+%41&", password)
    assert typed == [("ä+%41&", password)]


FOREIGN = [
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site", "origin": "http://dash.example"},
    {"origin": "http://evil.example"},
    {"origin": "null"},
]


@pytest.mark.parametrize("fields", FOREIGN, ids=str)
def test_t15_another_sites_posts_sign_nobody_in_or_out(fields: dict[str, str]) -> None:
    browser = ada()
    form = {"username": "ada", "password": "enigma"}
    answer = browser.post("/login", form, fields)
    assert answer.status == 403 and "Cross-origin dashboard request rejected" in answer.text
    assert not browser.cookies
    browser.sign_in("ada", "enigma")
    assert browser.post("/logout", (), fields).status == 403
    assert kept(browser)["id"] == "ada"


@pytest.mark.parametrize(
    "fields", [{}, {"origin": "http://dash.example"}, {"sec-fetch-site": "none"}], ids=str
)
def test_t15_clients_that_say_nothing_sign_in_as_they_do_with_asyncmq(fields: dict[str, str]) -> None:
    browser = ada()
    assert browser.post("/login", {"username": "ada", "password": "enigma"}, fields).status == 303
    assert browser.post("/logout", (), fields)["location"] == "/ops/login"
    assert kept(browser) is None


def test_t16_a_get_signs_out_as_asyncmqs_does() -> None:
    browser = ada()
    browser.sign_in("ada", "enigma")
    answer = browser.get("/logout")
    assert (answer.status, answer["location"]) == (303, "/ops/login")
    assert kept(browser) is None and browser.get("/queues").status == 303


def test_htmx_signs_out_with_a_204_that_leads_to_the_login() -> None:
    browser = ada()
    browser.sign_in("ada", "enigma")
    answer = browser.get("/logout", **{"hx-request": "true"})
    assert (answer.status, answer["hx-redirect"], answer.body) == (204, "/ops/login", b"")
    assert kept(browser) is None


def test_t28_guesses_are_throttled_and_the_page_says_for_how_long() -> None:
    browser = ada()
    statuses = [browser.sign_in("ada", f"guess {n}").status for n in range(12)]
    assert statuses[:10] == [401] * 10 and statuses[-1] == 429
    answer = browser.sign_in("ada", "enigma", next="/ops/queues")
    assert answer.status == 429 and int(answer["retry-after"]) >= 1
    assert "Too many tries" in answer.text and 'value="/ops/queues"' in answer.text


def test_t28_behind_a_trusted_proxy_tries_are_the_clients_own() -> None:
    browser = ada(trusted_proxies=["127.0.0.1"])
    form = {"username": "ada", "password": "guess"}
    for n in range(11):
        browser.post("/login", form | {"username": f"nobody-{n}"}, {"x-forwarded-for": "203.0.113.5"})
    good = {"username": "ada", "password": "enigma"}
    assert browser.post("/login", good, {"x-forwarded-for": "203.0.113.5"}).status == 429
    assert browser.post("/login", good, {"x-forwarded-for": "198.51.100.7"}).status == 303


def test_t29_a_big_form_is_a_413_and_nobody_is_asked() -> None:
    asked: list[str] = []
    browser = ada(lambda *names: asked.append("asked"))
    assert browser.post("/login", b"username=ada&password=" + b"x" * 2_000_000).status == 413
    assert browser.sign_in("ada", "x" * 2_000).status in (400, 401)
    assert browser.post("/login", b"{}", {"content-type": "application/json"}).status in (400, 415)
    assert not asked


def raising(*_: str) -> Any:
    raise ConnectionError("the user store is away")


async def raising_later(*_: str) -> Any:
    raise ConnectionError("the user store is away")


@pytest.mark.parametrize(
    "verify",
    [
        raising,
        raising_later,
        lambda *_: True,
        lambda *_: "ada",
        lambda *_: {"name": "Ada"},
        lambda *_: {"id": ["ada"]},
        lambda *_: authgate.User("", "Nobody"),
        lambda *_: authgate.User("ada", "Ada", when=object()),
        lambda *_: (authgate.User("ada", "Ada"),),
    ],
)
def test_t30_a_verify_that_raises_or_answers_rubbish_lets_nobody_in(verify: Any, heard: Any) -> None:
    browser = ada(verify)
    answer = browser.sign_in("ada", "a-secret-password")
    assert answer.status == 503 and "user store" not in answer.text and kept(browser) is None
    assert heard.text and "a-secret-password" not in heard.text


def test_t30_a_verify_that_hangs_is_a_503_at_the_deadline() -> None:
    async def hanging(*_: str) -> Any:
        import asyncio

        await asyncio.Event().wait()

    began = time.monotonic()
    assert ada(hanging, deadline=0.2).sign_in("ada", "enigma").status == 503
    assert time.monotonic() - began < 3


@pytest.mark.parametrize("nobody", [None, False, 0, "", {}])
def test_t30_whatever_is_false_is_nobody(nobody: Any) -> None:
    assert ada(lambda *_: nobody).sign_in("ada", "enigma").status == 401


def test_t29_a_plain_verify_runs_off_the_event_loop() -> None:
    threads: list[int] = []
    ada(lambda *_: threads.append(threading.get_ident())).sign_in("ada", "enigma")
    assert threads and threads[0] != threading.get_ident()


async def later(username: str, password: str) -> Any:
    return {"id": username, "is_admin": True}


@pytest.mark.parametrize(
    "verify", [later, lambda u, p: later(u, p)], ids=["async", "a function that gives one"]
)
def test_an_asynchronous_verify_is_awaited(verify: Any) -> None:
    browser = ada(verify)
    assert browser.sign_in("ada", "x").status == 303 and browser.get("/queues").status == 200


@pytest.mark.parametrize("identity", ["ada", 7, 0])
def test_a_session_that_asyncmqs_backend_made_is_good_with_ours_and_the_other_way_round(
    identity: Any,
) -> None:
    def verify(username: str, password: str) -> Any:
        return theirs.User(identity, "Ada", roles=["ops"], mail="ada@dash.example")

    old = visitor(theirs.SimpleUsernamePasswordBackend(verify))
    new = visitor(authgate.SimpleUsernamePasswordBackend(verify))
    old.sign_in("ada", "enigma")
    new.sign_in("ada", "enigma")
    assert kept(old) == kept(new)
    old.cookies, new.cookies = new.cookies, old.cookies
    assert old.get("/queues").status == new.get("/queues").status == 200


def read(session: Any) -> Any:
    return authgate.SimpleUsernamePasswordBackend(lambda *_: None).user_in({"asyncmq_admin": session})


def test_what_a_session_says_of_a_user_is_the_user() -> None:
    user = read({"id": 7, "name": "Ada", "is_admin": True, "roles": ["ops"], "mail": "a@b"})
    assert (user.id, user.name, user.is_admin, user.roles, user.extra) == (
        7,
        "Ada",
        True,
        ("ops",),
        {"mail": "a@b"},
    )


@pytest.mark.parametrize(
    "session", [None, [], "ada", 7, {}, {"id": None}, {"id": ""}, {"id": ["ada"]}, {"id": True}]
)
def test_whatever_else_stands_in_a_session_is_nobody(session: Any) -> None:
    assert read(session) is None


def test_t31_a_session_grants_only_what_it_says() -> None:
    assert read({"id": "ada", "name": "Ada"}).is_admin is False


def test_t31_nothing_beside_the_fields_themselves_grants_rights() -> None:
    class Smuggler:
        id, name, is_admin, roles = "eve", "Eve", [True], {"admin": True}
        extra = {"is_admin": True, "roles": ["admin"], "id": "ada"}

    browser = ada(lambda *_: Smuggler())
    browser.sign_in("eve", "x")
    assert kept(browser) == {"id": "eve", "name": "Eve", "is_admin": False, "roles": []}
    assert browser.get("/queues").status == 403


def test_t33_signing_in_and_out_are_audit_events_with_who_and_where(heard: Any) -> None:
    browser = ada()
    browser.sign_in("ada", "guess-1")
    browser.sign_in("ada", "enigma")
    browser.get("/logout")
    browser.get("/logout")
    events = [record.authgate for record in heard.records if hasattr(record, "authgate")]
    assert [(event.reason, event.user, event.client) for event in events] == [
        ("wrong-password", "ada", "127.0.0.1"),
        ("sign-in", "ada", "127.0.0.1"),
        ("sign-out", "ada", "127.0.0.1"),
    ]
    assert "enigma" not in heard.text and "guess-1" not in heard.text


def test_a_template_that_fails_leaves_people_the_gates_own_form(heard: Any) -> None:
    browser = ada(login_template="no-such-template.html")
    page = browser.get("/login?next=/ops/queues")
    assert page.status == 200 and 'action="/ops/login"' in page.text
    assert "no-such-template.html" in heard.text
    assert browser.sign_in("ada", "enigma").status == 303


def test_a_template_of_ones_own_knows_the_username_that_was_typed(tmp_path: Any) -> None:
    from jinja2 import DictLoader

    loader, templates.env.loader = (
        templates.env.loader,
        DictLoader({"mine.html": "{{ username }}|{{ next }}|{{ error }}"}),
    )
    try:
        answer = ada(login_template="mine.html").sign_in("<ada>", "guess", next="/ops/queues")
    finally:
        templates.env.loader = loader
    assert answer.text == "&lt;ada&gt;|/ops/queues|Invalid credentials"


def test_t04_a_root_path_that_is_another_host_is_never_echoed() -> None:
    browser = ada()
    browser.root = "//evil.example"
    assert "evil" not in browser.sign_in("ada", "enigma")["location"]


def test_settings_are_judged_at_construction() -> None:
    make: Any = authgate.SimpleUsernamePasswordBackend
    for wrong in (
        {"verify": None},
        {"verify": "x"},
        {"session_key": ""},
        {"trusted_proxies": "10.0.0.1"},
        {"look_up": 1},
    ):
        with pytest.raises(TypeError):
            make(**{"verify": lambda *_: None, **wrong})
    for wrong in (
        {"trusted_proxies": ["*"]},
        {"trusted_proxies": ["proxy"]},
        {"deadline": 0},
        {"deadline": float("nan")},
    ):
        with pytest.raises(authgate.ConfigError) as refused:
            make(lambda *_: None, **wrong)
        assert refused.value.argument == next(iter(wrong))
