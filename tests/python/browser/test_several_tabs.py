"""Signing out in one tab signs out in all of them."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from browser.window import Window, expect_login

SOCKET = """() => new Promise((resolve, reject) => {
  const socket = new WebSocket(`ws://${location.host}/ops/ws`);
  socket.addEventListener('close', (event) => { window.farewell = event.code; });
  socket.addEventListener('message', (event) => resolve(event.data));
  socket.addEventListener('open', () => socket.send('hello'));
  socket.addEventListener('error', reject);
})"""


def sign_out(page: Page) -> None:
    page.get_by_role("button", name="Sign out").click()
    expect_login(page)


def test_a_tab_that_polls_ends_up_at_the_login(window: Window) -> None:
    first, second = window.dashboard("/ops/"), window.tab("/ops/queues?page=3")
    expect(second.get_by_text("page 3 of 3")).to_be_visible()
    sign_out(first)
    expect_login(second, "/ops/queues?page=3")


def test_a_tab_with_an_event_stream_ends_up_at_the_login(window: Window) -> None:
    first, second = window.dashboard("/ops/queues"), window.tab("/ops/")
    expect(second.get_by_text("Live", exact=True)).to_be_visible()
    sign_out(first)
    expect_login(second, "/ops/")


def test_a_websocket_of_another_tab_is_closed(window: Window) -> None:
    first, second = window.dashboard("/ops/queues"), window.tab("/ops/audit")
    assert second.evaluate(SOCKET) == "hello"
    sign_out(first)
    assert second.wait_for_function("() => window.farewell").json_value() == 1008  # policy violation
    second.reload()
    expect_login(second, "/ops/audit")


def test_signing_in_as_well_in_a_second_tab_keeps_both(window: Window) -> None:
    first, second = window.tab("/ops/queues?page=2"), window.tab("/ops/audit")
    window.sign_in(first)
    expect(first).to_have_url("/ops/queues?page=2")
    window.sign_in(second)  # its form was opened before there was a session
    expect(second).to_have_url("/ops/audit")
    first.reload()
    expect(first).to_have_url("/ops/queues?page=2")
