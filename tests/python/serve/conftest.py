"""Fixtures: dashboards that are started once, and the proxies of the operators' page in front of a gate."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from serve import dashboards
from serve.certificate import Certificate, self_signed
from serve.dashboards import Dashboard
from serve.fronts import FRONTS, HOST, Front, front
from support.people import ada_and_bob


@pytest.fixture(scope="session")
def users(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ada_and_bob(tmp_path_factory.mktemp("people"))


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return self_signed(HOST, tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    with dashboards.redis() as url:
        yield url


@pytest.fixture(scope="session")
def flower(redis_url: str) -> Iterator[Dashboard]:
    with dashboards.flower(redis_url) as started:
        yield started


@pytest.fixture(scope="session")
def rq_dashboard(redis_url: str) -> Iterator[Dashboard]:
    with dashboards.rq_dashboard(redis_url) as started:
        yield started


@pytest.fixture(scope="session")
def folder_of_files() -> Iterator[Dashboard]:
    with dashboards.folder_of_files() as started:
        yield started


@pytest.fixture(scope="session")
def starlette() -> Iterator[Dashboard]:
    with dashboards.starlette() as started:
        yield started


@pytest.fixture(scope="module", params=list(FRONTS))
def behind(
    request: pytest.FixtureRequest,
    runtime: str,
    starlette: Dashboard,
    users: Path,
    secret: str,
    certificate: Certificate,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Front]:
    """The Starlette dashboard, with a gate, behind each of the proxies."""
    folder = tmp_path_factory.mktemp("front")
    public = ["--public-prefix", "/told/public"]
    with front(request.param, runtime, starlette, users, certificate, folder, *public, secret=secret) as started:
        yield started
