"""AsyncMQ with its queues in memory, and a session secret that all dashboards share."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from dashboards import prepare


@pytest.fixture(autouse=True, scope="session")
def asyncmq() -> None:
    prepare()


class Heard(logging.Handler):
    """What was logged under `authgate`. AsyncMQ sets up logging itself, and pytest's handler is gone."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)

    @property
    def text(self) -> str:
        formatter = logging.Formatter()
        return "\n".join(formatter.format(record) for record in self.records)


@pytest.fixture
def heard() -> Iterator[Heard]:
    handler, logger = Heard(), logging.getLogger("authgate")
    logger.addHandler(handler)
    before = logger.level
    logger.setLevel(logging.INFO)
    yield handler
    logger.setLevel(before)
    logger.removeHandler(handler)
