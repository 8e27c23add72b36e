"""Somebody in Chromium, before nginx and four gates: nothing of it shows, not even when one of them is restarted."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from balancer import Four, four_gates
from browser.window import Window
from gates import Crowd, Sharing
from serve.certificate import Certificate


@pytest.fixture
def four(browser: Browser, crowd: Crowd, sharing: Sharing, certificate: Certificate) -> Iterator[Four]:
    with four_gates(crowd, sharing, certificate) as started:
        yield started


def expect_login(page: Page, four: Four) -> None:
    expect(page).to_have_url(f"{four.origin}/login?next=%2F")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def click_around(page: Page, times: int = 12) -> None:
    for _ in range(times):
        page.goto("/")
        expect(page.locator("body")).to_contain_text("ada")


@pytest.mark.parametrize(
    ("way", "restart"), [("records", False), ("sealed", True)], ids=["records", "sealed, with a restart"]
)
def test_sign_in_click_around_and_sign_out_before_four_gates(browser: Browser, four: Four, restart: bool) -> None:
    window = Window(browser, four, four.origin, ignore_https_errors=True)
    page = window.tab("/")
    expect_login(page, four)
    window.sign_in(page, "ada", "enigma")
    expect(page).to_have_url(f"{four.origin}/")
    click_around(page)
    if restart:
        four.stop("first on tokio")
        click_around(page)
        four.start("first on tokio")
        click_around(page)
    page.goto("/logout")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    for _ in range(6):
        page.goto("/")
        expect_login(page, four)
