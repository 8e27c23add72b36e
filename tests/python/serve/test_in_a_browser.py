"""What people live through in Chromium, with nginx in front as the operators' page says: sign in, use, sign out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from redis import Redis
from rq import Queue

from browser.window import Window
from serve.certificate import Certificate
from serve.dashboards import Dashboard
from serve.fronts import Front, front


@pytest.fixture(params=["nginx as a proxy", "nginx with auth_request"])
def nginx(
    request: pytest.FixtureRequest,
    runtime: str,
    starlette: Dashboard,
    users: Path,
    certificate: Certificate,
    tmp_path: Path,
) -> Iterator[Front]:
    with front(request.param, runtime, starlette, users, certificate, tmp_path) as started:
        yield started


@pytest.fixture
def window(browser: Browser, nginx: Front) -> Window:
    return Window(browser, nginx.site, nginx.origin, ignore_https_errors=True)


def expect_login(page: Page, front: Front, leading_to: str) -> None:
    expect(page).to_have_url(f"{front.origin}{front.login}{leading_to}")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_sign_in_use_and_sign_out(nginx: Front, window: Window) -> None:
    page = window.tab("/?page=2")
    expect_login(page, nginx, "?next=%2F%3Fpage%3D2")
    window.sign_in(page, "ada", "wrong")
    expect(page.get_by_role("alert")).to_be_focused()
    window.sign_in(page, "ada", "enigma")

    expect(page).to_have_url(f"{nginx.origin}/?page=2")
    expect(page.locator("#who")).to_have_text("ada")
    expect(page.locator("#echo")).to_have_text("hello, ada")
    expect(page.locator("#events")).to_have_text(re.compile(r"^\d+$"))
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("heading", name="Paused")).to_be_visible()

    page.goto(nginx.logout)
    page.get_by_role("button", name="Sign out").click()
    expect_login(page, nginx, "")
    assert "__Host-authgate" not in {cookie["name"] for cookie in window.context.cookies()}
    page.goto("/")
    expect_login(page, nginx, "?next=%2F")


def test_a_page_without_scripts_works_alike(browser: Browser, nginx: Front) -> None:
    window = Window(browser, nginx.site, nginx.origin, ignore_https_errors=True, java_script_enabled=False)
    page = window.tab("/")
    window.sign_in(page, "bob", "enigma")
    expect(page.locator("#who")).to_have_text("bob")


def test_rq_dashboard_behind_nginx_shows_its_queues_to_those_inside(
    browser: Browser,
    runtime: str,
    rq_dashboard: Dashboard,
    redis_url: str,
    users: Path,
    certificate: Certificate,
    tmp_path: Path,
) -> None:
    Queue("parcels", connection=Redis.from_url(f"{redis_url}/1")).enqueue("time.sleep", 0)
    with front("nginx as a proxy", runtime, rq_dashboard, users, certificate, tmp_path) as nginx:
        window = Window(browser, nginx.site, nginx.origin, ignore_https_errors=True)
        page = window.tab("/")
        expect_login(page, nginx, "?next=%2F")
        window.sign_in(page, "ada", "enigma")
        expect(page).to_have_title("RQ dashboard")
        expect(page.get_by_role("cell", name="parcels")).to_be_visible()
        page.goto(nginx.logout)
        page.get_by_role("button", name="Sign out").click()
        expect_login(page, nginx, "")
