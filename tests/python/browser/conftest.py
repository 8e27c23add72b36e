"""Fixtures: one Chromium for all stories; a fresh demo and fresh windows for each."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from browser.window import Window
from support.program import Demo, running

OpenWindow = Callable[..., Window]
TakePicture = Callable[[Page, str], None]

# "enigma". It costs next to nothing, so that many may sign in; never store such a hash.
ENIGMA = "$argon2id$v=19$m=8,t=1,p=1$c2FsdCBvZiAxNiBieXRlcw$y2C4YRdBy2+N3LVpfqQHVVefbDyD2B8rhio7MLBhODM"

USERS = f"""\
[[user]]
id = "ada"
name = "Ada Lovelace"
roles = ["ops"]
password = "{ENIGMA}"

[[user]]
id = "bob"
password = "{ENIGMA}"
"""


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium. Pages may be kept for the back button, as they are for people."""
    path = shutil.which("chromium")
    assert path, "Chromium is missing: Debian has it in the package chromium"
    expect.set_options(timeout=8_000)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=path,
            args=["--no-sandbox", "--disable-background-networking"],
            ignore_default_args=["--disable-back-forward-cache"],
        )
        yield chromium
        chromium.close()


@pytest.fixture
def demo(runtime: str) -> Iterator[Demo]:
    """A demo of its own: wrong passwords of one story must not slow down another."""
    with running(runtime) as started:
        yield started


@pytest.fixture
def guarded_demo(runtime: str, tmp_path: Path) -> Iterator[Demo]:
    """Ada may come in, Bob may not; "enigma" is the password of both."""
    users = tmp_path / "users.toml"
    users.write_text(USERS)
    with running(runtime, "--users-file", users, "--role", "ops") as started:
        yield started


@pytest.fixture
def open_window(browser: Browser) -> Iterator[OpenWindow]:
    """Opens windows; at the end nothing may have gone wrong in any of them."""
    opened: list[Window] = []

    def open_one(demo: Demo, **options: Any) -> Window:
        opened.append(Window(browser, demo, **options))
        return opened[-1]

    yield open_one
    for window in opened:
        window.close()


@pytest.fixture
def window(open_window: OpenWindow, demo: Demo) -> Window:
    return open_window(demo)


@pytest.fixture(scope="session")
def take_picture(runtime: str) -> TakePicture:
    """Writes a picture to the folder AUTHGATE_SCREENSHOTS, if there is one."""
    folder = os.environ.get("AUTHGATE_SCREENSHOTS")

    def take(page: Page, name: str) -> None:
        if folder:
            page.screenshot(path=Path(folder) / runtime / f"{name}.png")

    return take
