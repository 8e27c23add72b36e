"""Fixtures: a Redis, people, and both ways to keep sessions that gates share."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from balancer import HOST
from gates import Crowd, Sharing
from serve.certificate import Certificate, self_signed
from shared_redis import Redis, redis
from support.needed import found
from support.program import PROGRAM


def pytest_sessionstart() -> None:
    if not PROGRAM.exists():
        raise pytest.UsageError("no program to test: cargo build --release -p authgate --locked")


@pytest.fixture(params=["tokio", "smol"])
def runtime(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def secret() -> str:
    return secrets.token_urlsafe(36)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return self_signed(HOST, tmp_path_factory.mktemp("tls"))


@pytest.fixture
def crowd(tmp_path: Path) -> Crowd:
    return Crowd(tmp_path)


@pytest.fixture
def sealing(tmp_path: Path) -> Path:
    """The secret that seals sessions, the same at every gate."""
    path = tmp_path / "sealing.secret"
    path.touch(0o600)
    path.write_text(secrets.token_urlsafe(48) + "\n")
    return path


@pytest.fixture
def store() -> Iterator[Redis]:
    with redis() as started:
        yield started


@pytest.fixture(params=["records", "sealed"])
def way(request: pytest.FixtureRequest) -> str:
    """How sessions are kept."""
    return str(request.param)


@pytest.fixture
def sharing(way: str, store: Redis, sealing: Path) -> Sharing:
    return Sharing(store.url, sealing if way == "sealed" else None)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium, which finds every host of .example here."""
    path = found("chromium")
    expect.set_options(timeout=8_000)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=path,
            args=["--no-sandbox", "--disable-background-networking", "--host-resolver-rules=MAP *.example 127.0.0.1"],
        )
        yield chromium
        chromium.close()
