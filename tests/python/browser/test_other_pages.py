"""The page that signs out, and the page for somebody who may not come in."""

from __future__ import annotations

from playwright.sync_api import expect

from browser.conftest import OpenWindow
from browser.looks import assert_focus_shows
from browser.window import Window, expect_login, expect_nothing_inside
from support.program import Demo


def test_the_logout_page_signs_out_with_one_key(window: Window) -> None:
    page = window.dashboard("/ops/queues")
    page.goto("/ops/logout")
    expect(page).to_have_title("Sign out · Job queues")
    expect(page.get_by_role("button", name="Sign out")).to_be_focused()
    assert_focus_shows(page)
    page.keyboard.press("Enter")
    expect_login(page)
    assert "authgate" not in {cookie["name"] for cookie in window.context.cookies()}


def test_t16_looking_at_the_logout_page_signs_nobody_out(window: Window) -> None:
    page = window.dashboard("/ops/queues")
    page.goto("/ops/logout")
    page.get_by_role("link", name="Back to Job queues").click()
    expect(page).to_have_url("/ops/")
    expect(page.get_by_text("Signed in as")).to_be_visible()


def test_somebody_who_may_not_come_in_can_sign_in_as_somebody_else(
    open_window: OpenWindow, guarded_demo: Demo
) -> None:
    window = open_window(guarded_demo)
    page = window.tab("/ops/queues?page=2")
    window.sign_in(page, "bob", "enigma")
    expect(page).to_have_url("/ops/queues?page=2")
    expect(page.get_by_role("heading", name="Not allowed")).to_be_visible()
    expect(page.get_by_role("alert")).to_be_visible()
    expect_nothing_inside(page)

    page.get_by_role("link", name="Sign in as somebody else").click()
    page.get_by_role("button", name="Sign out").click()
    expect_login(page)
    window.sign_in(page, "ada", "enigma")
    expect(page).to_have_url("/ops/")
    expect(page.get_by_text("Signed in as Ada Lovelace")).to_be_visible()


def test_by_keyboard_the_first_thing_offered_is_another_user(open_window: OpenWindow, guarded_demo: Demo) -> None:
    window = open_window(guarded_demo)
    page = window.tab("/ops/")
    window.sign_in(page, "bob", "enigma")
    expect(page).to_have_title("Not allowed · Job queues")
    for name in ("Sign in as somebody else", "Back to Job queues"):
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name=name)).to_be_focused()
        assert_focus_shows(page)
