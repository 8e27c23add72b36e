"""Requests that change something: the way back is never the posted address, and a token needs no Origin."""

from __future__ import annotations

import re

import pytest

from support.checks import assert_no_way_in, login_for, next_of
from support.program import Demo

PAUSE = "/ops/queues/emails/pause"
FOREIGN = [
    pytest.param([("Origin", "https://evil.example")], id="foreign Origin"),
    pytest.param([("Origin", "null")], id="null Origin"),
    pytest.param([("Sec-Fetch-Site", "cross-site")], id="cross-site"),
    pytest.param([("Sec-Fetch-Site", "same-site")], id="same-site"),
]


@pytest.fixture
def pause(demo: Demo) -> str:
    """The address that pauses a queue, as the dashboard itself offers it."""
    page = demo.get("/ops/queues", token=demo.mint()).text + demo.get("/ops/queues/rows", token=demo.mint()).text
    found = re.search(r'"(/ops/queues/[^"/]+/pause)"', page)
    assert found, f"no queue can be paused: {page}"
    return found[1]


def test_t06_the_way_back_of_a_post_is_the_page_it_came_from(demo: Demo) -> None:
    headers = [("Origin", demo.origin), ("Referer", f"{demo.origin}/ops/queues?page=2")]
    reply = demo.post(PAUSE, *headers)
    assert (reply.status, reply.header("Location")) == (303, login_for("/ops/queues?page=2"))


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("referer", [None, "https://evil.example/ops/queues", "{origin}/outside", "{origin}//evil"])
def test_t06_the_posted_address_is_never_the_way_back(demo: Demo, method: str, referer: str | None) -> None:
    headers = [("Origin", demo.origin), ("Content-Length", "0")]
    if referer:
        headers.append(("Referer", referer.format(origin=demo.origin)))
    reply = demo.request(method, PAUSE, *headers)
    assert_no_way_in(reply)
    location = reply.header("Location") or ""
    assert reply.status == 303 and location.partition("?")[0] == "/ops/login"
    assert next_of(location) in (None, "/ops", "/ops/")


def test_t06_htmx_goes_back_to_the_page_it_posted_from(demo: Demo) -> None:
    headers = [("HX-Request", "true"), ("HX-Current-URL", f"{demo.origin}/ops/queues?page=2")]
    reply = demo.post(PAUSE, *headers, ("Origin", demo.origin))
    assert (reply.status, reply.header("HX-Redirect")) == (401, login_for("/ops/queues?page=2"))


@pytest.mark.parametrize("headers", FOREIGN)
def test_an_anonymous_post_from_elsewhere_reaches_nothing(demo: Demo, headers: list[tuple[str, str]]) -> None:
    assert_no_way_in(demo.post(PAUSE, *headers))


def test_t19_a_token_needs_no_origin(demo: Demo, pause: str) -> None:
    assert demo.post(pause, token=demo.mint()).status in (200, 204, 303)


@pytest.mark.parametrize("headers", FOREIGN)
def test_t19_a_token_makes_the_origin_irrelevant(demo: Demo, pause: str, headers: list[tuple[str, str]]) -> None:
    assert demo.post(pause, *headers, token=demo.mint()).status in (200, 204, 303)


def test_pausing_a_queue_takes_a_post(demo: Demo, pause: str) -> None:
    assert demo.get(pause, token=demo.mint()).status in (404, 405)


@pytest.mark.parametrize("headers", FOREIGN)
@pytest.mark.parametrize("target", ["/ops/login", "/ops/logout"])
def test_t15_login_and_logout_are_guarded_too(demo: Demo, target: str, headers: list[tuple[str, str]]) -> None:
    reply = demo.post(target, *headers)
    assert reply.status == 403
    assert "Cross-origin dashboard request rejected" in reply.text


@pytest.mark.parametrize(
    "origin",
    ["{origin}.evil.example", "{origin}@evil.example", "https://127.0.0.1:{port}", "http://127.0.0.1", "x"],
)
def test_t18_an_origin_is_parsed_and_never_compared_as_text(demo: Demo, origin: str) -> None:
    given = origin.format(origin=demo.origin, port=demo.address[1])
    assert demo.post("/ops/logout", ("Origin", given)).status == 403


@pytest.mark.parametrize(
    "headers",
    [
        [("Origin", "{origin}")],
        [("Sec-Fetch-Site", "same-origin"), ("Origin", "{origin}")],
        [("Sec-Fetch-Site", "same-origin")],
    ],
)
def test_t18_the_same_origin_passes(demo: Demo, headers: list[tuple[str, str]]) -> None:
    given = [(name, value.format(origin=demo.origin)) for name, value in headers]
    assert demo.post("/ops/logout", *given).status == 303


def test_t18_a_host_is_compared_without_case(demo: Demo) -> None:
    host = f"LocalHost:{demo.address[1]}"
    reply = demo.post("/ops/logout", ("Host", host), ("Origin", f"http://localhost:{demo.address[1]}"))
    assert reply.status == 303
