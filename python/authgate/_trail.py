"""The gate's events in AsyncMQ's audit trail."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from authgate.events import Event

# What AsyncMQ is told, by the gate's reasons; whatever else is refused is `auth.refused`.
ACTIONS = {
    "sign-in": "auth.sign_in",
    "sign-out": "auth.sign_out",
    "wrong-password": "auth.wrong_password",
    "throttled": "auth.throttled",
    "unavailable": "auth.unavailable",
}
# What happens all the time: people and their browsers before they sign in, and whatever is let through.
ORDINARY = frozenset(("public", "signed-in", "login", "logout", "route", "not-signed-in"))

# AsyncMQ keeps its last 2000 events. Strangers must not push the operators' own out by asking on and on.
BURST = 100
SECONDS_EACH = 60.0

LONGEST = 200
"""The longest path that is told, in characters."""


class Trail:
    """Listens to a gate (`on_event`), and records what matters. Paths are cut; secrets are in no event."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._left = float(BURST)
        self._looked = clock()
        self._left_out = 0

    def __call__(self, event: Event) -> None:
        """Records one event."""
        if event.reason in ORDINARY:
            return
        good = event.reason in ("sign-in", "sign-out")
        left_out = 0 if good else self._admit()
        if left_out is None:
            return
        details: dict[str, Any] = {
            "client": event.client,
            "kind": event.kind,
            "method": event.method[:LONGEST],
            "path": event.path[:LONGEST],
            "reason": event.reason,
        }
        if event.status is not None:
            details["status"] = event.status
        # A name that somebody typed proves nothing: it is no actor's.
        typed = event.reason in ("wrong-password", "throttled", "unavailable")
        if typed and event.user is not None:
            details["username"] = event.user
        if left_out:
            details["events_left_out_before"] = left_out
        _record(event, None if typed else event.user, good, details)

    def _admit(self) -> int | None:
        """How many events were left out since the last one that was told; `None` if this one is, too."""
        with self._lock:
            now = self._clock()
            self._left = min(float(BURST), self._left + (now - self._looked) / SECONDS_EACH)
            self._looked = now
            if self._left < 1:
                self._left_out += 1
                return None
            self._left -= 1
            left_out, self._left_out = self._left_out, 0
            return left_out


def _record(event: Event, actor: str | None, good: bool, details: dict[str, Any]) -> None:
    from asyncmq.contrib.dashboard import audit  # type: ignore[import-not-found, unused-ignore]

    # The error of whoever could not be asked may hold anything, a database's address too: the log has it.
    unasked = event.reason == "unavailable"
    # AsyncMQ asks the request who acts.
    request: Any = SimpleNamespace(state=SimpleNamespace(user=None if actor is None else {"id": actor}))
    audit.record_audit_event(
        request=request,
        action=ACTIONS.get(event.reason, "auth.refused"),
        source="authgate",
        status="success" if good else "failed",
        details=details,
        error=None if good else "somebody could not be asked; the log says why" if unasked else event.detail,
    )
