"""A browser window: tabs that share cookies, and a record of everything that a browser complains about."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect

from support.checks import login_for
from support.program import Demo, Running

# The gate's own refusals. The console notes each of them, though they are answers like any other.
REFUSED = re.compile(r"Failed to load resource: the server responded with a status of (401|403|404|429) ")

VIOLATIONS = """document.addEventListener('securitypolicyviolation', (event) =>
  console.error(`policy violated: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`));"""


class Window:
    """One window on one demo, without a past. Nothing may go wrong in it unnoticed."""

    def __init__(self, browser: Browser, demo: Running, origin: str = "", **options: Any) -> None:
        self.demo = demo
        self.origin = origin or demo.origin
        self.complaints: list[str] = []
        self.context = browser.new_context(base_url=self.origin, **options)
        self.context.set_default_timeout(8_000)
        self.context.add_init_script(VIOLATIONS)
        self.context.on("console", self.on_console)
        self.context.on("weberror", lambda error: self.complaints.append(f"script: {error.error}"))
        self.context.on("request", self.on_request)
        # A page that outlives its server complains rightly, and of nothing.
        self.is_open = True
        demo.before_end.append(self.close)

    def on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not REFUSED.match(message.text):
            self.complaints.append(f"console: {message.text}")

    def on_request(self, request: Request) -> None:
        if not request.url.startswith(f"{self.origin}/"):
            self.complaints.append(f"another host: {request.url}")

    def tab(self, target: str | None = None) -> Page:
        page = self.context.new_page()
        if target:
            page.goto(target)
        return page

    def dashboard(self, target: str = "/ops/") -> Page:
        """A tab in which the demo's user has signed in and come to `target`."""
        page = self.tab(target)
        expect_login(page, target)
        self.sign_in(page)
        expect(page).to_have_url(f"{self.origin}{target}")
        return page

    def sign_in(self, page: Page, username: str | None = None, password: str | None = None) -> None:
        """As the demo's own user, unless others are named."""
        ours = (self.demo.username, self.demo.password) if isinstance(self.demo, Demo) else (None, None)
        page.get_by_label("Username").fill(username or ours[0] or "")
        page.get_by_label("Password").fill(password or ours[1] or "")
        page.get_by_role("button", name="Sign in").click()

    def close(self) -> None:
        """Closes it, if that has not happened yet."""
        if self.is_open:
            self.is_open = False
            self.context.close()
        assert not self.complaints, "\n".join(self.complaints)


def expect_login(page: Page, local: str | None = None) -> None:
    """The login page, which leads to `local` afterwards, and nothing of the dashboard."""
    expect(page).to_have_url(login_for(local) if local else "/ops/login")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect_nothing_inside(page)


def expect_nothing_inside(page: Page) -> None:
    expect(page.get_by_text("Signed in as")).to_have_count(0)
    expect(page.get_by_role("navigation")).to_have_count(0)
