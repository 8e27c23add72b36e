"""The audit trail: one event for every request that the gate decides."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

logger = logging.getLogger("authgate")


@dataclass(frozen=True)
class Event:
    """Who asked for what, how it ended and why. Never a secret, a token or a query.

    It is logged under `authgate`, as the message and as the record's attribute `authgate`: at INFO for sign-ins,
    sign-outs and refusals, at WARNING if somebody could not be asked, else at DEBUG.
    """

    outcome: str
    """`forward`, `respond` or `delegate`."""
    status: int | None
    """The status of the gate's own answer."""
    reason: str
    """Why, as a short stable name, such as `signed-in`, `sign-in`, `wrong-password` or `token-expired`."""
    detail: str
    """Why, in a sentence."""
    user: str | None
    """The user's id; for a sign-in that failed, the username as it was typed, at most 128 characters."""
    client: str
    """The client's address, forwarded addresses of trusted proxies resolved; else `unix` or `unknown`."""
    kind: str
    """`page`, `htmx`, `api` or `websocket`."""
    method: str
    """The method, as sent."""
    path: str
    """The path, as sent, without the query."""


OnEvent = Callable[[Event], object]
"""Listens to events. It is called as the decision is made, so it must not wait for anything."""


def emit(level: int | None, on_event: OnEvent | None, facts: tuple[object, ...]) -> None:
    """Tells whoever listens; the native side calls this."""
    event = Event(*facts)  # type: ignore[arg-type]
    try:
        if level is not None:
            text = "%s %s: %s (user=%r client=%s kind=%s method=%r path=%r status=%s)"
            values = (event.outcome, event.reason, event.detail, event.user, event.client, event.kind)
            logger.log(level, text, *values, event.method, event.path, event.status, extra={"authgate": event})
    finally:
        # A filter of the log's may raise, which the native side reports; whoever else listens is told all the same.
        if on_event is not None:
            try:
                on_event(event)
            except Exception:
                logger.exception("on_event failed; the decision stands")
