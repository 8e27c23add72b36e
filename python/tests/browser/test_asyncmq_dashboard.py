"""AsyncMQ's real dashboard in a real browser, behind each kind of gate and mounted in each way that works."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

PASSWORD = "a+b%2B&ü %"
KINDS = ("backend", "asyncmq", "around")
MOUNTINGS = ("whole", "mounted", "included")

Start = Callable[[str, str], str]
Open = Callable[[str], Page]
Picture = Callable[[Page, str], None]


def sign_in(page: Page, username: str = "ada", password: str = PASSWORD) -> None:
    page.get_by_label("Username").fill(username)
    # By its type: AsyncMQ labels the button beside it, too.
    page.locator("input[type=password]").fill(password)
    page.get_by_role("button", name=re.compile("^sign in$", re.I)).click()


def expect_login(page: Page) -> None:
    """The login page, and nothing of the dashboard."""
    expect(page.get_by_role("heading", name=re.compile("^sign in$", re.I))).to_be_visible()
    expect(page).to_have_url(re.compile(r"/ops/login(\?|$)"))
    expect(page.get_by_role("navigation")).to_have_count(0)


def fetched(page: Page, path: str, **headers: str) -> Any:
    """What a script of the page gets, as HTMX asks: redirects are not followed."""
    return page.evaluate(
        """async ([path, headers]) => {
            const answer = await fetch(path, {headers, redirect: 'manual'});
            return {status: answer.status, type: answer.type, leads: answer.headers.get('hx-redirect')};
        }""",
        [path, headers],
    )


@pytest.mark.parametrize("mounting", MOUNTINGS)
@pytest.mark.parametrize("kind", KINDS)
def test_an_operator_signs_in_pauses_a_queue_and_leaves(
    kind: str, mounting: str, dashboard: Start, window: Open, take_picture: Picture
) -> None:
    page = window(dashboard(kind, mounting))
    page.goto("/ops/queues?sort=name&page=1")
    expect_login(page)
    take_picture(page, f"{kind}-{mounting}-1-login")

    sign_in(page, password="wrong")
    expect(page.get_by_role("alert")).to_be_visible()
    expect_login(page)
    take_picture(page, f"{kind}-{mounting}-2-wrong")

    sign_in(page)
    # AsyncMQ's own gate forgets the query; behind ours it survives, and a wrong password, too (t02, t07).
    expect(page).to_have_url(
        re.compile(r"/ops/queues$" if kind == "backend" else r"/ops/queues\?sort=name&page=1$")
    )
    expect(page.get_by_role("heading", name="mail")).to_be_visible()
    take_picture(page, f"{kind}-{mounting}-3-queues")

    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("Queue 'mail' paused.")).to_be_visible()
    take_picture(page, f"{kind}-{mounting}-4-paused")
    page.goto("/ops/queues")
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_text("Queue 'mail' resumed.")).to_be_visible()

    page.get_by_role("button", name="Logout").first.click()
    expect_login(page)
    take_picture(page, f"{kind}-{mounting}-5-left")
    page.goto("/ops/queues")
    expect_login(page)


@pytest.mark.parametrize("mounting", ("whole", "mounted"))
@pytest.mark.parametrize("kind", ("asyncmq", "around"))
def test_t27_after_leaving_the_back_button_shows_nothing(
    kind: str, mounting: str, dashboard: Start, window: Open, take_picture: Picture
) -> None:
    page = window(dashboard(kind, mounting))
    page.goto("/ops/queues")
    sign_in(page)
    expect(page.get_by_role("heading", name="mail")).to_be_visible()
    page.get_by_role("button", name="Logout").first.click()
    expect_login(page)
    page.go_back()
    expect_login(page)
    take_picture(page, f"{kind}-{mounting}-6-back")


@pytest.mark.parametrize("kind", KINDS)
def test_t05_a_poll_after_the_session_has_ended_leads_to_the_login(
    kind: str, dashboard: Start, window: Open
) -> None:
    page = window(dashboard(kind, "whole"))
    page.goto("/ops/queues")
    sign_in(page)
    expect(page.get_by_role("heading", name="mail")).to_be_visible()
    here = {"HX-Request": "true", "HX-Current-URL": page.url}
    assert fetched(page, "/ops/metrics/history", **here)["status"] == 200
    page.context.clear_cookies()
    answer = fetched(page, "/ops/metrics/history", **here)
    assert answer["status"] == 401
    assert answer["leads"].startswith("/ops/login?next=")
    if kind != "backend":
        # The page that the person sees, and not the fragment that was asked for.
        assert answer["leads"] == "/ops/login?next=%2Fops%2Fqueues"
    # What the dashboard itself polls is no page either: a script is not sent to one.
    answer = fetched(page, "/ops/metrics/history")
    assert answer["status"] == 401 if kind != "backend" else answer["type"] == "opaqueredirect"


def test_t33_the_audit_page_shows_who_came_and_who_did_not(
    dashboard: Start, window: Open, take_picture: Picture
) -> None:
    origin = dashboard("asyncmq", "whole")
    page = window(origin)
    page.goto("/ops/")
    sign_in(page, username="<b>eve</b>", password="guess")
    expect(page.get_by_role("alert")).to_be_visible()
    sign_in(page, username="bob")
    expect(page.get_by_text("Dashboard user is not authorized")).to_be_visible()
    take_picture(page, "asyncmq-whole-7-not-allowed")
    page.context.clear_cookies()
    page.goto("/ops/audit")
    sign_in(page)
    page.get_by_role("button", name="Logout").first.click()
    expect_login(page)
    page.goto("/ops/audit?q=authgate")
    sign_in(page)
    rows = page.locator("table.amq-audit-table tbody tr")
    expect(rows.filter(has_text="auth.sign_in").filter(has_text="ada").first).to_be_visible()
    expect(rows.filter(has_text="auth.sign_out").filter(has_text="ada").first).to_be_visible()
    refused = rows.filter(has_text="auth.refused").filter(has_text="bob").first
    expect(refused).to_contain_text("Failed")
    wrong = rows.filter(has_text="auth.wrong_password").filter(has_text="<b>eve</b>").first
    expect(wrong).to_contain_text("nobody's")
    wrong.get_by_text("Details", exact=True).click()
    take_picture(page, "asyncmq-whole-8-audit")
    text = page.content()
    assert "guess" not in text and PASSWORD not in text
    # The queue's own events stand beside them.
    page.goto("/ops/queues")
    page.get_by_role("button", name="Pause").click()
    page.goto("/ops/audit")
    expect(rows.filter(has_text="queue.pause").filter(has_text="ada").first).to_be_visible()


def test_t15_another_site_cannot_sign_somebody_in_or_out(dashboard: Start, window: Open) -> None:
    page = window(dashboard("asyncmq", "whole"))
    page.goto("/ops/queues")
    sign_in(page)
    expect(page.get_by_role("heading", name="mail")).to_be_visible()
    # A page of another origin: the same machine by its other name.
    other = page.url.replace("127.0.0.1", "localhost")
    page.goto(other.split("/ops")[0] + "/nothing")
    target = dashboard("asyncmq", "whole") + "/ops/logout"
    page.set_content(f'<form method="post" action="{target}"><button>Go</button></form>')
    with page.expect_response(target) as answered:
        page.get_by_role("button", name="Go").click()
    assert answered.value.status == 403
    page.goto(dashboard("asyncmq", "whole") + "/ops/queues")
    expect(page.get_by_role("heading", name="mail")).to_be_visible()
