"""The login asks for neither scripts nor a mouse."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from browser.conftest import OpenWindow
from browser.looks import assert_focus_shows, focus_ring
from browser.window import Window, expect_login
from support.program import Demo

DEEP = "/ops/queues?page=2"


@pytest.fixture(params=["scripts", "no scripts"])
def any_window(request: pytest.FixtureRequest, open_window: OpenWindow, demo: Demo) -> Window:
    return open_window(demo, java_script_enabled=request.param == "scripts")


def test_without_scripts_the_whole_story_works(open_window: OpenWindow, demo: Demo) -> None:
    window = open_window(demo, java_script_enabled=False)
    page = window.tab(DEEP)
    expect_login(page, DEEP)
    window.sign_in(page, password="not this one")
    expect(page.get_by_role("alert")).to_be_focused()
    expect(page.get_by_label("Username")).to_have_value(demo.username or "")
    window.sign_in(page)
    expect(page).to_have_url(DEEP)
    expect(page.get_by_text("page 2 of 3")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect_login(page)


def test_by_keyboard_alone_somebody_signs_in_and_out(any_window: Window, demo: Demo) -> None:
    page = any_window.tab(DEEP)
    keyboard, username, password = page.keyboard, page.get_by_label("Username"), page.get_by_label("Password")
    button = page.get_by_role("button", name="Sign in")
    for place in (username, password, button):
        expect(place).to_be_focused()
        assert_focus_shows(page)
        keyboard.press("Tab")
    for place in (button, password, username):
        keyboard.press("Shift+Tab")
        expect(place).to_be_focused()

    keyboard.type(demo.username or "")
    keyboard.press("Tab")
    keyboard.type("not this one")
    keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_focused()
    assert_focus_shows(page)

    keyboard.press("Tab")
    expect(username).to_be_focused()
    keyboard.press("Tab")
    expect(password).to_be_focused()
    keyboard.type(demo.password or "")
    keyboard.press("Tab")
    keyboard.press("Enter")  # on the button, this time
    expect(page).to_have_url(DEEP)

    sign_out = page.get_by_role("button", name="Sign out")
    for _ in range(20):
        keyboard.press("Tab")
        if sign_out.evaluate("(button) => button === document.activeElement"):
            break
    expect(sign_out).to_be_focused()
    assert_focus_shows(page)
    keyboard.press("Enter")
    expect_login(page)


def test_what_has_no_focus_has_no_ring(window: Window) -> None:
    page = window.tab("/ops/login")
    assert focus_ring(page).of == "input"
    for place in (page.get_by_label("Password"), page.get_by_role("button")):
        assert place.evaluate("(element) => getComputedStyle(element).outlineStyle") == "none"


def test_enter_in_the_password_field_is_enough(any_window: Window, demo: Demo) -> None:
    page = any_window.tab("/ops/audit")
    page.get_by_label("Username").fill(demo.username or "")
    page.get_by_label("Password").fill(demo.password or "")
    page.get_by_label("Password").press("Enter")
    expect(page).to_have_url("/ops/audit")
