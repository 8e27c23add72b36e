"""What people, screen readers and password managers find on the login page."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from browser.window import Window, expect_nothing_inside

FORM = [("Content-Type", "application/x-www-form-urlencoded"), ("Sec-Fetch-Site", "same-origin")]


def test_a_password_manager_knows_the_form(window: Window) -> None:
    page = window.tab("/ops/queues")
    form = page.locator("form")
    expect(form).to_have_count(1)
    expect(form).to_have_attribute("method", "post")
    for name, kind, fills in (("username", "text", "username"), ("password", "password", "current-password")):
        field = form.locator(f"input[name={name}]")
        expect(field).to_have_count(1)
        expect(field).to_have_attribute("id", name)
        expect(field).to_have_attribute("type", kind)
        expect(field).to_have_attribute("autocomplete", fills)
    expect(form.locator("button[type=submit]")).to_have_count(1)
    # The username as it is, not as a telephone would write it.
    expect(form.locator("[name=username]")).to_have_attribute("autocapitalize", "none")
    expect(form.locator("[name=username]")).to_have_attribute("spellcheck", "false")


def test_a_password_that_is_pasted_or_filled_in_is_taken_as_it_is(window: Window) -> None:
    page = window.tab("/ops/login")
    page.get_by_label("Password").focus()
    page.keyboard.insert_text("  pässwörd “quoted” &<>+%20  ")
    expect(page.get_by_label("Password")).to_have_value("  pässwörd “quoted” &<>+%20  ")
    expect(page.get_by_label("Password")).not_to_have_attribute("maxlength", re.compile(".*"))


def test_labels_belong_to_their_fields(window: Window) -> None:
    page = window.tab("/ops/login")
    for label, name in (("Username", "username"), ("Password", "password")):
        page.get_by_text(label, exact=True).click()
        expect(page.locator(f"[name={name}]")).to_be_focused()
        expect(page.locator(f"[name={name}]")).to_have_accessible_name(label)


def test_the_page_says_what_and_where_it_is(window: Window) -> None:
    page = window.tab("/ops/login")
    expect(page).to_have_title("Sign in · Job queues")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.get_by_role("main")).to_contain_text("Job queues")
    expect(page.get_by_label("Username")).to_be_focused()


def test_an_error_describes_both_fields(window: Window) -> None:
    page = window.tab("/ops/login")
    window.sign_in(page, "nobody", "nothing")
    message = "That username and password do not match. Please try again."
    for label in ("Username", "Password"):
        expect(page.get_by_label(label)).to_have_accessible_description(message)


def test_an_empty_form_is_not_sent(window: Window) -> None:
    page = window.tab("/ops/login?next=%2Fops%2Faudit")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_label("Username")).to_be_focused()
    expect(page).to_have_url("/ops/login?next=%2Fops%2Faudit")


def test_t28_too_many_tries_are_told_to_wait(window: Window) -> None:
    page = window.tab("/ops/queues")
    for guess in range(10):
        assert window.demo.post("/ops/login", *FORM, body=b"username=eve&password=%d" % guess).status == 401
    window.sign_in(page, "eve", "enigma")
    expect(page.get_by_role("alert")).to_have_text(re.compile(r"Too many tries\. Please wait \d+ s and try again\."))
    expect(page.get_by_role("alert")).to_be_focused()
    expect(page.get_by_label("Username")).to_have_value("eve")
    expect(page.get_by_label("Password")).to_have_value("")
    expect(page.locator("[name=next]")).to_have_value("/ops/queues")
    expect_nothing_inside(page)
