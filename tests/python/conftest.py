"""Fixtures: every story runs on both runtimes, against one demo whose secret the tests know."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from support.people import Crowd
from support.program import PROGRAM, Demo, running


def pytest_sessionstart() -> None:
    if not PROGRAM.exists():
        raise pytest.UsageError("no program to test: cargo build --release -p authgate --locked")


@pytest.fixture(scope="session", params=["tokio", "smol"])
def runtime(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def secret() -> str:
    """48 characters: long enough for HS256 and HS384, and text, so that every tool reads it alike."""
    return secrets.token_urlsafe(36)


@pytest.fixture(scope="session")
def demo(runtime: str, secret: str) -> Iterator[Demo]:
    """The dashboard with its defaults: any signed-in user may enter."""
    with running(runtime, secret=secret) as started:
        yield started
        assert started.process.poll() is None, f"it ended during the tests: {started.log()[-2000:]}"
        assert started.get("/ops/healthz").status == 200


@pytest.fixture
def secret_file(tmp_path: Path, secret: str) -> Path:
    """The secret as an editor leaves it: with a newline at the end."""
    path = tmp_path / "secret"
    path.write_text(f"{secret}\n")
    return path


@pytest.fixture(scope="session")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Crowd:
    """A user file that no test changes."""
    return Crowd(tmp_path_factory.mktemp("users") / "users.toml")


@pytest.fixture(scope="session", params=["memory", "cookie"])
def store(request: pytest.FixtureRequest) -> str:
    """Where sessions are kept."""
    return str(request.param)


@pytest.fixture(scope="module")
def door(runtime: str, store: str, crowd: Crowd) -> Iterator[Demo]:
    """The dashboard for people of the crowd, with each kind of session."""
    with running(runtime, "--users-file", crowd.path, "--session-store", store) as started:
        started.hide(crowd.password)
        yield started


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium, one for all stories, which finds every host of .example here. Pages may be kept for the back button, as they are for people."""
    path = shutil.which("chromium")
    assert path, "Chromium is missing: Debian has it in the package chromium"
    expect.set_options(timeout=8_000)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=path,
            args=["--no-sandbox", "--disable-background-networking", "--host-resolver-rules=MAP *.example 127.0.0.1"],
            ignore_default_args=["--disable-back-forward-cache"],
        )
        yield chromium
        chromium.close()
