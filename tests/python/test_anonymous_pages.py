"""A person without credentials asks for a page: 303 to the login page, and back to the very page afterwards."""

from __future__ import annotations

import pytest

from support.checks import assert_local, assert_no_way_in, assert_sent_to_login, login_for, next_of
from support.program import Demo

PAGES = ["/ops/", "/ops/queues", "/ops/queues?page=2", "/ops/queues/rows", "/ops/events", "/ops/audit", "/ops/ws"]

BROWSERS = [
    pytest.param([], id="no Accept"),
    pytest.param([("Accept", "*/*")], id="anything"),
    pytest.param([("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")], id="browser"),
    pytest.param([("Accept", "application/json, text/html")], id="JSON or HTML"),
    pytest.param([("Accept", "application/json, */*")], id="JSON or anything"),
    pytest.param([("Accept", "text/html"), ("Sec-Fetch-Mode", "navigate")], id="navigation"),
]


def test_the_login_address_carries_path_and_query(demo: Demo) -> None:
    reply = demo.get("/ops/queues?page=2")
    assert reply.status == 303
    assert reply.header("Location") == "/ops/login?next=%2Fops%2Fqueues%3Fpage%3D2"


@pytest.mark.parametrize("page", PAGES)
def test_every_page_behind_the_gate_sends_to_login(demo: Demo, page: str) -> None:
    assert_sent_to_login(demo.get(page), page)


@pytest.mark.parametrize("headers", BROWSERS)
def test_whatever_a_browser_accepts_it_is_redirected(demo: Demo, headers: list[tuple[str, str]]) -> None:
    assert_sent_to_login(demo.get("/ops/queues?page=2", *headers), "/ops/queues?page=2")


@pytest.mark.parametrize(
    "page",
    [
        "/ops/queues/a%26b?page=2",
        "/ops/queues/caf%C3%A9",
        "/ops/queues/%2Fx",
        "/ops/queues?a=1&b=2&next=/ops/other",
        "/ops/queues?q=a+b%20c%2Bd%25",
        "/ops/queues?to=//evil.example/x",
    ],
)
def test_t02_the_way_back_survives_byte_for_byte(demo: Demo, page: str) -> None:
    location = demo.get(page).header("Location")
    assert location is not None and location.partition("?")[0] == "/ops/login"
    assert next_of(location) == page


def test_a_head_request_is_answered_like_get_but_without_a_body(demo: Demo) -> None:
    assert_sent_to_login(demo.request("HEAD", "/ops/queues?page=2"), "/ops/queues?page=2")


@pytest.mark.parametrize("length", [2049, 4000, 30_000])
def test_a_way_back_that_is_too_long_is_dropped(demo: Demo, length: int) -> None:
    reply = demo.get("/ops/queues?q=" + "a" * length)
    assert reply.status in (303, 400)
    if reply.status == 303:
        assert reply.header("Location") == "/ops/login"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1", "[::1]:80", "localhost"])
def test_t11_the_host_never_decides_or_reaches_the_redirect(demo: Demo, host: str) -> None:
    assert_sent_to_login(demo.get("/ops/queues", ("Host", host)), "/ops/queues")


@pytest.mark.parametrize(
    "header",
    [
        ("X-Forwarded-Host", "evil.example"),
        ("X-Forwarded-Proto", "javascript"),
        ("X-Forwarded-Prefix", "//evil.example"),
        ("X-Forwarded-For", "127.0.0.1"),
        ("Forwarded", "host=evil.example;proto=https"),
        ("X-Original-URL", "/ops/static/app.css"),
        ("X-Rewrite-URL", "/ops/static/app.css"),
        ("X-Forwarded-Uri", "/ops/healthz"),
        ("X-HTTP-Method-Override", "OPTIONS"),
        ("User-Agent", "kube-probe/1.30 GoogleHC/1.0"),
    ],
    ids=lambda header: header[0],
)
def test_t11_t21_no_header_of_a_stranger_changes_the_answer(demo: Demo, header: tuple[str, str]) -> None:
    assert_sent_to_login(demo.get("/ops/queues", header), "/ops/queues")


@pytest.mark.parametrize("method", ["OPTIONS", "TRACE", "PROPFIND", "get", "GETX"])
def test_t17_no_method_opens_the_gate(demo: Demo, method: str) -> None:
    assert_no_way_in(demo.request(method, "/ops/queues"))


@pytest.mark.parametrize("target", ["/ops/", "/ops", "/ops/queues?access_token={token}", "/ops/queues?token={token}"])
def test_a_token_in_the_address_counts_for_nothing(demo: Demo, target: str) -> None:
    assert_no_way_in(demo.get(target.format(token=demo.mint())))


@pytest.mark.parametrize("cookie", ["session={token}", "token={token}", "Authorization=Bearer {token}"])
def test_a_token_in_a_cookie_counts_for_nothing(demo: Demo, cookie: str) -> None:
    assert_sent_to_login(demo.get("/ops/", ("Cookie", cookie.format(token=demo.mint()))), "/ops/")


def test_the_mount_without_its_slash_is_behind_the_gate_too(demo: Demo) -> None:
    reply = demo.get("/ops")
    assert_no_way_in(reply)
    if location := reply.header("Location"):
        assert_local(location)


def test_following_the_redirect_ends_at_a_page(demo: Demo) -> None:
    """t14: the login page is public, so the redirect cannot loop."""
    assert demo.get(login_for("/ops/queues?page=2")).status == 200
