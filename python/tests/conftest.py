"""Over the whole suite: what is logged holds no password, no token and no cookie."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

import doors
import world
from forged_tokens import tokens


class Kept(logging.Handler):
    """Keeps everything that is logged, as text."""

    def __init__(self) -> None:
        super().__init__(level=logging.DEBUG)
        self.lines: list[str] = []
        self.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@pytest.fixture(scope="session", autouse=True)
def t33_no_secret_is_ever_logged() -> Iterator[Kept]:
    kept = Kept()
    logging.getLogger("authgate").setLevel(logging.DEBUG)
    for name in ("authgate", "asyncio"):
        logging.getLogger(name).addHandler(kept)
    yield kept
    text = "\n".join(kept.lines)
    leaked = [secret for secret in {*world.SECRETS, *tokens().values(), *doors.PASSWORDS} if secret and secret in text]
    assert not leaked, leaked


@pytest.fixture(params=doors.KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)
