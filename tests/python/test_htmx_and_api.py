"""HTMX, API callers and event sources get an answer that they can read, never a redirect to HTML."""

from __future__ import annotations

import pytest

from support.checks import assert_no_way_in, login_for, next_of
from support.program import Demo
from support.wire import Reply

HTMX = ("HX-Request", "true")

API = [
    pytest.param([("Accept", "application/json")], id="JSON"),
    pytest.param([("Accept", "application/json; charset=utf-8")], id="JSON with a parameter"),
    pytest.param([("Accept", "APPLICATION/JSON")], id="JSON in capitals"),
    pytest.param([("Accept", "text/event-stream")], id="event source"),
    pytest.param([("Sec-Fetch-Mode", "cors"), ("Accept", "*/*")], id="fetch"),
    pytest.param([("Sec-Fetch-Mode", "same-origin")], id="fetch, same origin"),
]


def current(demo: Demo, url: str) -> Reply:
    """An HTMX request for a fragment, made from the page at `url`."""
    return demo.get("/ops/queues/rows?poll=1", HTMX, ("HX-Current-URL", url.format(origin=demo.origin)))


def test_t05_htmx_is_sent_to_login_from_the_page_the_person_sees(demo: Demo) -> None:
    reply = current(demo, "{origin}/ops/queues?page=3")
    assert reply.status == 401
    assert reply.header("HX-Redirect") == login_for("/ops/queues?page=3")
    assert reply.header("Location") is None


@pytest.mark.parametrize(
    "url",
    [
        "http://evil.example/ops/queues",
        "https://evil.example/ops/queues",
        "{origin}.evil.example/ops/queues",
        "{origin}@evil.example/ops/queues",
        "http://evil.example\\@127.0.0.1/ops/queues",
        "//evil.example/ops/queues",
        "/\\evil.example/ops/queues",
        "javascript:alert(1)//ops/queues",
        "http://127.0.0.1:1/ops/queues",
        "{origin}//evil.example/ops/queues",
        "{origin}/outside",
        "{origin}/ops/../outside",
        "{origin}/ops/%2e%2e/outside",
        "{origin}/ops/%0d%0aX-Injected:%201/../..",
        "{origin}/ops/caf\u00e9",
        "not an address",
        "",
    ],
)
def test_t05_a_foreign_page_is_not_the_way_back(demo: Demo, url: str) -> None:
    reply = current(demo, url)
    target = reply.header("HX-Redirect")
    assert reply.status == 401 and target is not None
    assert_no_way_in(reply)
    assert target.partition("?")[0] == "/ops/login"
    assert "evil" not in target and "outside" not in target
    assert next_of(target) in (None, "/ops", "/ops/"), "neither the foreign page nor the fragment"


def test_htmx_that_names_no_page_is_still_sent_to_login(demo: Demo) -> None:
    reply = demo.get("/ops/queues", HTMX)
    target = reply.header("HX-Redirect")
    assert reply.status == 401 and target is not None
    assert target.partition("?")[0] == "/ops/login"


def test_htmx_comes_before_what_it_accepts(demo: Demo) -> None:
    headers = [HTMX, ("Accept", "application/json"), ("Sec-Fetch-Mode", "cors")]
    reply = demo.get("/ops/queues/rows", *headers, ("HX-Current-URL", f"{demo.origin}/ops/queues"))
    assert (reply.status, reply.header("HX-Redirect")) == (401, login_for("/ops/queues"))


@pytest.mark.parametrize("value", ["false", "1", "TRUE-ish", ""])
def test_only_true_makes_a_request_htmx(demo: Demo, value: str) -> None:
    assert demo.get("/ops/queues", ("HX-Request", value)).status == 303


def challenges(reply: Reply) -> list[str]:
    """The ways to sign in that an answer names, each in a field of its own and with a realm."""
    fields = [challenge.partition(" ") for challenge in reply.all("WWW-Authenticate")]
    assert all(rest.startswith('realm="') for _, _, rest in fields), fields
    return [scheme for scheme, _, _ in fields]


@pytest.mark.parametrize("headers", API)
@pytest.mark.parametrize("target", ["/ops/queues", "/ops/events"])
def test_t12_an_api_caller_gets_401_and_a_challenge(demo: Demo, target: str, headers: list[tuple[str, str]]) -> None:
    reply = demo.get(target, *headers)
    assert reply.status == 401
    assert challenges(reply) == ["Session", "Bearer"]
    assert reply.header("Location") is None and reply.header("HX-Redirect") is None


@pytest.mark.parametrize("headers", API)
def test_an_api_caller_with_a_bad_token_gets_the_same(demo: Demo, headers: list[tuple[str, str]]) -> None:
    reply = demo.get("/ops/queues", *headers, token=demo.mint(exp=1))
    assert reply.status == 401
    assert challenges(reply) == ["Session", "Bearer"]


def test_the_text_that_clients_match_on_is_kept(demo: Demo) -> None:
    assert "Authentication required" in demo.get("/ops/queues", ("Accept", "application/json")).text
    assert "Authentication required" in current(demo, "{origin}/ops/queues").text


def test_the_body_says_what_it_is(demo: Demo) -> None:
    reply = demo.get("/ops/queues", ("Accept", "application/json"))
    assert (reply.header("Content-Type") or "").partition(";")[0] in ("application/json", "text/plain")
