"""Fixtures: one Chromium for all stories, a dashboard for each, and fresh windows."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

DASHBOARDS = Path(__file__).parents[1] / "dropin" / "dashboards.py"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's Chromium. Pages may be kept for the back button, as they are for people.

    While Playwright runs, this thread has a running event loop, which other tests could not start theirs in.
    """
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


@pytest.fixture(scope="session")
def dashboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str, str], str]]:
    """Starts dashboards, each once; gives their origins."""
    started: dict[tuple[str, str], tuple[subprocess.Popen[bytes], str]] = {}
    folder = tmp_path_factory.mktemp("dashboards")

    def start(kind: str, mounting: str) -> str:
        if (kind, mounting) not in started:
            port, log = folder / f"{kind}-{mounting}.port", folder / f"{kind}-{mounting}.log"
            with log.open("wb") as errors:
                command = [sys.executable, str(DASHBOARDS), kind, mounting, str(port)]
                process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=errors, stderr=errors)
            origin = f"http://127.0.0.1:{announced(process, port, log)}"
            started[kind, mounting] = process, origin
        return started[kind, mounting][1]

    yield start
    for process, _ in started.values():
        process.terminate()
    for (kind, mounting), (process, _) in started.items():
        process.wait(10)
        log = (folder / f"{kind}-{mounting}.log").read_text()
        assert "Traceback" not in log, f"{kind} {mounting}: {log[-3000:]}"


def announced(process: subprocess.Popen[bytes], port: Path, log: Path) -> int:
    """The port that a child has written, whole lines only."""
    deadline = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < deadline:
        if port.exists() and (text := port.read_text()).endswith("\n"):
            return int(text)
        time.sleep(0.02)
    process.kill()
    process.wait()
    raise AssertionError(f"it did not start: {log.read_text()[-3000:]}")


@pytest.fixture
def window(browser: Browser) -> Iterator[Callable[[str], Page]]:
    """Opens windows without a past, on an origin. In none may a script fail or a policy be violated."""
    opened: list[Any] = []
    complaints: list[str] = []

    def open_one(origin: str) -> Page:
        context = browser.new_context(base_url=origin, viewport={"width": 1200, "height": 800})
        opened.append(context)
        context.set_default_timeout(8_000)
        context.on("weberror", lambda error: complaints.append(f"script: {error.error}"))
        context.on(
            "console",
            lambda message: (
                complaints.append(message.text) if "Content Security Policy" in message.text else None
            ),
        )
        return context.new_page()

    yield open_one
    for context in opened:
        context.close()
    assert not complaints, "\n".join(complaints)


@pytest.fixture(scope="session")
def take_picture() -> Callable[[Page, str], None]:
    """Writes a picture to the folder AUTHGATE_SCREENSHOTS, if there is one."""
    folder = os.environ.get("AUTHGATE_SCREENSHOTS")

    def take(page: Page, name: str) -> None:
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            page.screenshot(path=Path(folder) / f"{name}.png")

    return take
