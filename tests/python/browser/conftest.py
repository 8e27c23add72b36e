"""Fixtures: a fresh demo and fresh windows for each story."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from browser.window import Window
from support.people import ada_and_bob
from support.program import Demo, running

OpenWindow = Callable[..., Window]
TakePicture = Callable[[Page, str], None]

@pytest.fixture
def demo(runtime: str) -> Iterator[Demo]:
    """A demo of its own: wrong passwords of one story must not slow down another."""
    with running(runtime) as started:
        yield started


@pytest.fixture
def guarded_demo(runtime: str, tmp_path: Path) -> Iterator[Demo]:
    """Ada may come in, Bob may not; "enigma" is the password of both."""
    with running(runtime, "--users-file", ada_and_bob(tmp_path), "--role", "ops") as started:
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
