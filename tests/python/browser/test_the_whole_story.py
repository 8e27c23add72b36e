"""From a link somebody was sent, through every turn, to the end of the visit."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from browser.conftest import OpenWindow
from browser.window import Window, expect_login, expect_nothing_inside
from support.program import Demo, running

DEEP = "/ops/queues?page=2"


def step_back(page: Page) -> None:
    """Goes back without waiting: a page that was kept would not load."""
    page.evaluate("() => history.back()")


def expect_dashboard(page: Page, target: str) -> None:
    expect(page).to_have_url(target)
    expect(page.get_by_text("Signed in as Demo Admin")).to_be_visible()


def test_the_whole_story(window: Window) -> None:
    page = window.tab(DEEP)
    expect_login(page, DEEP)

    window.sign_in(page, password="not this one")
    expect(page.get_by_role("alert")).to_have_text("That username and password do not match. Please try again.")
    expect(page.get_by_role("alert")).to_be_focused()
    expect(page.get_by_label("Username")).to_have_value(window.demo.username or "")
    expect(page.get_by_label("Password")).to_have_value("")
    expect(page.locator("[name=next]")).to_have_value(DEEP)
    expect_nothing_inside(page)

    window.sign_in(page)
    expect_dashboard(page, DEEP)
    expect(page.get_by_text("page 2 of 3")).to_be_visible()
    expect(page.get_by_text("Live", exact=True)).to_be_visible()

    window.context.clear_cookies()  # from here on the table polls without a session
    expect_login(page, DEEP)
    window.sign_in(page)
    expect_dashboard(page, DEEP)

    page.get_by_role("button", name="Sign out").click()
    expect_login(page)
    step_back(page)
    expect_login(page, DEEP)
    page.reload()
    expect_login(page, DEEP)
    assert "authgate" not in {cookie["name"] for cookie in window.context.cookies()}


def test_a_fragment_of_an_expired_session_leads_the_whole_page_to_the_login(
    runtime: str, open_window: OpenWindow
) -> None:
    with running(runtime, "--session-idle", "3s", "--session-lifetime", "3s") as demo:
        window = open_window(demo)
        page = window.dashboard(DEEP)
        expect_login(page, DEEP)
        window.sign_in(page)
        expect_dashboard(page, DEEP)


def test_t06_a_button_of_an_expired_session_leads_back_to_the_page_that_it_was_on(window: Window) -> None:
    page = window.dashboard(DEEP)
    page.get_by_role("button", name="Hold updates").click()
    window.context.clear_cookies()
    page.locator("#rows").get_by_role("button").first.click()
    expect_login(page, DEEP)
    window.sign_in(page)
    expect_dashboard(page, DEEP)


def test_after_signing_out_no_step_back_shows_the_dashboard(window: Window) -> None:
    page = window.dashboard("/ops/")
    page.get_by_role("link", name="Audit").click()
    expect(page.get_by_role("heading", name="Audit")).to_be_visible()
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Queues").click()
    expect(page.get_by_role("heading", name="Queues")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect_login(page)
    for target in ("/ops/queues", "/ops/audit", "/ops/"):
        step_back(page)
        expect_login(page, target)


def test_the_page_that_the_login_led_to_is_not_kept_for_the_back_button(window: Window) -> None:
    page = window.dashboard("/ops/audit")
    page.get_by_role("button", name="Sign out").click()
    expect_login(page)
    step_back(page)
    expect_login(page, "/ops/audit")


def test_nor_is_it_kept_where_no_scripts_run(open_window: OpenWindow, demo: Demo) -> None:
    page = open_window(demo, java_script_enabled=False).dashboard("/ops/audit")
    page.get_by_role("button", name="Sign out").click()
    expect_login(page)
    step_back(page)
    expect(page).not_to_have_url("/ops/login")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible(timeout=1_000)


def test_whoever_has_signed_in_is_not_led_back_into_the_form_by_a_reload(window: Window) -> None:
    page = window.dashboard("/ops/audit")
    page.reload()
    expect_dashboard(page, "/ops/audit")


def test_without_a_deep_link_the_login_leads_home(window: Window, demo: Demo) -> None:
    page = window.tab("/ops/login")
    window.sign_in(page)
    expect_dashboard(page, f"{demo.origin}/ops/")
