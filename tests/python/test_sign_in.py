"""From a deep link through the form to the very page, with sessions in memory and in cookies."""

from __future__ import annotations

import secrets

import pytest

from support.checks import assert_sent_to_login, login_for
from support.people import FORM, Crowd, Form, Person, cookie_of, newcomer
from support.program import Demo, running
from support.wire import Reply

PAGE = "/ops/queues?page=2"
HTMX = ("HX-Request", "true")


@pytest.fixture
def person(door: Demo, crowd: Crowd) -> Person:
    return newcomer(door, crowd)


def assert_asked_again(reply: Reply, person: Person, wrong: str) -> None:
    """401, and the form as it was filled in, without the password (t07)."""
    form = Form(reply)
    assert reply.status == 401
    assert reply.all("WWW-Authenticate") == ['Session realm="dashboard"', 'Bearer realm="dashboard"']
    assert reply.all("Set-Cookie") == [] and reply.header("Cache-Control") == "no-store"
    assert form.fields == {"username": person.username, "password": "", "next": PAGE}
    assert 'role="alert"' in reply.text and wrong not in reply.text


def test_from_a_deep_link_to_the_very_page_and_out_again(person: Person) -> None:
    asked = person.get(PAGE)
    assert_sent_to_login(asked, PAGE)

    shown = person.get(asked.header("Location") or "")
    form = Form(shown)
    assert shown.status == 200 and (form.method, form.action) == ("post", "/ops/login")
    assert form.fields == {"username": "", "password": "", "next": PAGE}

    wrong = secrets.token_urlsafe(9)
    again = person.try_to_sign_in(password=wrong, next=form.fields["next"])
    assert_asked_again(again, person, wrong)

    entered = person.try_to_sign_in(next=Form(again).fields["next"])
    assert (entered.status, entered.header("Location")) == (303, PAGE)
    cookie, attributes = cookie_of(entered)
    assert attributes == {"httponly", "samesite=lax", "path=/"}, "it ends with the browser; no Secure over plain HTTP"
    assert cookie.startswith("authgate=") and person.username not in cookie
    person.take(entered)

    page = person.get(PAGE)
    assert page.status == 200 and person.username in page.text

    button = person.get("/ops/logout")
    assert button.status == 200 and (Form(button).method, Form(button).action) == ("post", "/ops/logout")
    assert person.is_in(), "looking at the button changes nothing"

    out = person.sign_out()
    assert (out.status, out.header("Location")) == (303, "/ops/login")
    removed, attributes = cookie_of(out)
    assert removed == "authgate=" and "max-age=0" in attributes
    assert not person.is_in(), "t23: the old cookie is worth nothing"


def test_the_user_of_this_run_signs_in_with_the_password_that_was_told(runtime: str, store: str) -> None:
    with running(runtime, "--session-store", store) as demo:
        assert demo.username and demo.password
        person = Person(demo, demo.username, demo.password)
        wrong = person.try_to_sign_in(password=secrets.token_urlsafe(9), next=PAGE)
        assert (wrong.status, Form(wrong).fields["next"]) == (401, PAGE)
        person.sign_in()
        assert "Demo Admin" in person.get("/ops/").text
        person.sign_out()
        assert not person.is_in()


def test_two_runs_have_two_passwords(runtime: str) -> None:
    with running(runtime) as one, running(runtime) as other:
        assert one.password != other.password and len(one.password or "") >= 16
        assert Person(other, other.username or "", one.password or "").try_to_sign_in().status == 401


def test_a_user_file_has_no_user_of_this_run(door: Demo) -> None:
    assert door.username is None and door.password is None
    assert Person(door, "demo", secrets.token_urlsafe(9)).try_to_sign_in().status == 401


def test_signing_in_by_htmx_leads_on(person: Person) -> None:
    entered = person.try_to_sign_in(HTMX, next=PAGE)
    assert (entered.status, entered.header("HX-Redirect")) == (204, PAGE)
    assert entered.header("Location") is None
    person.take(entered)
    assert person.is_in()
    out = person.post("/ops/logout", HTMX)
    assert (out.status, out.header("HX-Redirect")) == (204, "/ops/login")
    assert not person.is_in()


def test_a_wrong_password_by_htmx_brings_the_form_alone(person: Person) -> None:
    wrong = secrets.token_urlsafe(9)
    again = person.try_to_sign_in(HTMX, password=wrong, next=PAGE)
    assert_asked_again(again, person, wrong)
    assert "<html" not in again.text and again.header("HX-Redirect") is None


def test_a_program_is_told_in_text(person: Person) -> None:
    again = person.try_to_sign_in(("Accept", "application/json"), password=secrets.token_urlsafe(9))
    assert (again.status, again.text.strip()) == (401, "Wrong username or password")


def test_t29_an_unknown_user_is_answered_like_a_wrong_password(person: Person) -> None:
    wrong = secrets.token_urlsafe(9)
    known = person.try_to_sign_in(password=wrong)
    unknown = Person(person.demo, "nobody", wrong, person.source).try_to_sign_in()
    assert unknown.text == known.text.replace(person.username, "nobody")
    assert [name for name, _ in unknown.headers] == [name for name, _ in known.headers]


@pytest.mark.parametrize(
    "onward",
    ["//evil.example/", "https://evil.example/ops/", "/outside", "/ops/../outside", "/ops/login", "\\\\evil", ""],
)
def test_t01_the_posted_way_back_is_checked_too(person: Person, onward: str) -> None:
    entered = person.try_to_sign_in(next=onward)
    assert (entered.status, entered.header("Location")) == (303, "/ops/")


@pytest.mark.parametrize("foreign", [("Origin", "https://evil.example"), ("Sec-Fetch-Site", "cross-site")], ids=str)
def test_t15_another_site_can_sign_nobody_in_or_out(person: Person, foreign: tuple[str, str]) -> None:
    body = f"username={person.username}&password={person.password}".encode()
    entered = person.demo.request("POST", "/ops/login", FORM, foreign, body=body, source=person.source)
    assert entered.status == 403 and entered.all("Set-Cookie") == []
    person.sign_in()
    out = person.demo.post("/ops/logout", foreign, *person.cookies())
    assert out.status == 403 and out.all("Set-Cookie") == []
    assert person.is_in()


def test_t18_a_cookie_alone_does_not_let_another_site_act(person: Person) -> None:
    person.sign_in()
    pause = "/ops/queues/default/pause"
    foreign = ("Origin", "https://evil.example")
    assert person.demo.post(pause, foreign, *person.cookies()).status == 403
    assert person.demo.post(pause, *person.cookies()).status == 403, "neither Origin nor Sec-Fetch-Site"
    assert person.demo.post(pause, foreign, *person.cookies(), token=person.demo.token).status != 403
    assert person.post(pause).status in (200, 303)


def test_t25_a_cookie_that_was_planted_is_not_taken_over(person: Person) -> None:
    person.cookie = f"authgate={secrets.token_urlsafe(32)}"
    planted = person.cookie
    person.sign_in()
    assert person.cookie != planted and person.is_in()
    person.cookie = planted
    assert not person.is_in()


def test_t25_signing_in_again_ends_the_session_before(person: Person) -> None:
    person.sign_in()
    before = person.cookie
    person.sign_in()
    assert person.is_in()
    person.cookie = before
    assert not person.is_in()


def test_the_login_address_keeps_next_when_it_is_asked_by_htmx(person: Person) -> None:
    asked = person.get("/ops/queues/rows", HTMX, ("HX-Current-URL", f"{person.demo.origin}{PAGE}"))
    assert (asked.status, asked.header("HX-Redirect")) == (401, login_for(PAGE))
    assert Form(person.get(asked.header("HX-Redirect") or "")).fields["next"] == PAGE
