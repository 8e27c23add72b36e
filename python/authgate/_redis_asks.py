"""What `authgate.redis` sends, and what it makes of the replies, in the native side's layout."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from authgate._core import Endings, RedisLayout

Change = tuple[str, "str | None", "str | None", "float | None"]
"""A count: which, what it was, what it becomes, and for how many seconds that is kept."""


@dataclass(frozen=True)
class Ask:
    """A command or a script, and what is made of the reply."""

    words: list[Any]
    whole: list[Any]
    """The same with the script in full, which is sent where Redis does not know it yet."""
    read: Callable[[Any], Any]
    again: bool = False
    """Whether it may be sent twice."""


class Asks:
    """What can be asked."""

    def __init__(self, prefix: str) -> None:
        self._layout = RedisLayout(prefix)

    def load(self, session_id: str) -> Ask:
        return _ask(self._layout.load(session_id), _bytes, again=True)

    def create(self, session_id: str, data: bytes) -> Ask:
        return _ask(self._layout.create(session_id, data), _is_there)

    def renew(self, session_id: str, data: bytes) -> Ask:
        return _ask(self._layout.renew(session_id, data), _is_there)

    def remove(self, session_id: str) -> Ask:
        return _ask(self._layout.remove(session_id), self._told)

    def end_user(self, user: str, ago: float) -> Ask:
        return _ask(self._layout.end_user(user, ago), self._told)

    def endings(self, position: str | None, lifetime: float) -> Ask:
        return _ask(self._layout.endings(position, lifetime), self._news, again=True)

    def counts(self, keys: Sequence[str]) -> Ask:
        return _ask(self._layout.counts(list(keys)), _several, again=True)

    def swap_counts(self, changes: Sequence[Change]) -> Ask:
        return _ask(self._layout.swap_counts(list(changes)), bool)

    def _told(self, reply: Any) -> None:
        self._layout.told(_bytes(reply) or b"")

    def _news(self, reply: Any) -> Endings:
        return self._layout.news(_several(reply))


def _ask(request: tuple[list[bytes], str | None], read: Callable[[Any], Any], *, again: bool = False) -> Ask:
    words, script = request
    if script is None:
        # By its name redis-py knows what kind of reply it has.
        named = [words[0].decode(), *words[1:]]
        return Ask(named, named, read, again)
    return Ask(["EVALSHA", _digest(script), *words], ["EVAL", script, *words], read, again)


@cache
def _digest(script: str) -> str:
    return hashlib.sha1(script.encode(), usedforsecurity=False).hexdigest()


def _is_there(reply: Any) -> bool:
    return reply is not None


def _bytes(reply: Any) -> bytes | None:
    # A client may have been told to decode replies.
    return reply.encode() if isinstance(reply, str) else reply


def _several(reply: Any) -> list[Any]:
    return [_bytes(item) for item in reply]
