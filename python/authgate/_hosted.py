"""Backends under AsyncMQ's own middleware: the gate decides, AsyncMQ's session and page stay AsyncMQ's."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from dataclasses import astuple, replace
from typing import Any

from authgate._asking import Unanswered, ask
from authgate._core import Gate, Question, Reply, User
from authgate._driver import read_body
from authgate._responses import made_by, response_of
from authgate._settings import host_gate
from authgate.events import Event, OnEvent, emit, logger
from authgate.passwords import SimpleUsernamePasswordBackend

LOGIN, LOGOUT = "/login", "/logout"

# Who is signing out: the host's session knows, and the gate does not.
_leaving: ContextVar[str | None] = ContextVar("authgate_leaving", default=None)


def gate_of(spec: Any, trusted_proxies: Iterable[str], on_event: OnEvent | None = None) -> Gate:
    """A gate for a backend's own pages: `spec` is `True` for passwords, or the backend of tokens."""

    def tell(event: Event) -> None:
        who = _leaving.get()
        if event.reason == "logout" and who is not None:
            told = replace(event, reason="sign-out", detail="the user has left the host's session", user=who)
            emit(logging.INFO, on_event, astuple(told))
        elif on_event is not None:
            on_event(event)

    return host_gate([spec], trusted_proxies, tell)


async def sign_in(backend: SimpleUsernamePasswordBackend, gate: Gate, request: Any) -> Any:
    """The login page, or what came of a form. Whose password is right stands in the session from then on."""
    step, user = gate.begin(request.scope, LOGIN), None
    while isinstance(step, Question):
        try:
            if step.kind == "read_body":
                answer: Any = await read_body(request.receive, *step.arguments, deadline=backend.deadline)
            else:
                username, password = step.arguments
                check = backend.check(username, password)
                answer = user = await ask("verify", backend.deadline, check, secret=password)
        except Unanswered as why:
            step = step.unavailable(str(why))
        else:
            step = step.resume(answer)
    if step.reason == "sign-in":
        request.session[backend.session_key] = in_asyncmq_s_form(user)
    return asyncmq_s_page(backend, request, step) or response_of(request, step)


async def sign_out(backend: SimpleUsernamePasswordBackend, gate: Gate, request: Any) -> Any:
    """Removes the user from the session. A post from another site removes nobody."""
    user = backend.user_in(request.session)
    token = _leaving.set(None if user is None else str(user.id))
    try:
        reply = gate.begin(request.scope, LOGOUT)
    finally:
        _leaving.reset(token)
    if reply.reason == "logout":
        request.session.pop(backend.session_key, None)
    return response_of(request, reply)


def answer_at(gate: Gate, request: Any, path: str) -> Any:
    """What a backend that asks nobody answers."""
    return response_of(request, gate.begin(request.scope, path))


def in_asyncmq_s_form(user: Any) -> dict[str, Any]:
    """What AsyncMQ's session holds of a user. What else is known stands beside it, and replaces nothing."""
    # A pair of a user and a hash; a row of a database is a tuple as well, of a type of its own.
    user = user[0] if type(user) is tuple else user

    def read(name: str) -> Any:
        return user.get(name) if isinstance(user, Mapping) else getattr(user, name, None)

    def plain(value: Any) -> str | int:
        return value if isinstance(value, str | int) else str(value)

    identity, extra, is_admin = plain(read("id")), read("extra"), read("is_admin")
    return {
        **(extra if isinstance(extra, dict) else {}),
        "id": identity,
        "name": plain(read("name") or identity),
        "is_admin": is_admin if isinstance(is_admin, bool | str) else False,
        # Our own reading: of a mapping's keys, none is a role.
        "roles": list(User(identity, "", False, read("roles")).roles),
    }


def asyncmq_s_page(backend: SimpleUsernamePasswordBackend, request: Any, reply: Reply) -> Any:
    """AsyncMQ's own login page, if AsyncMQ asks: with the gate's status, and what it says to caches."""
    form = reply.form
    if form is None or "asyncmq.contrib.dashboard.engine" not in sys.modules or made_by(request) != "lilya":
        return None
    from asyncmq.contrib.dashboard.engine import templates  # type: ignore[import-not-found, unused-ignore]
    from asyncmq.contrib.dashboard.mixins import default_context  # type: ignore[import-not-found, unused-ignore]

    errors = {
        None: None,
        "wrong": "Invalid credentials",
        "throttled": f"Too many tries. Try again in {max(1, round(form.wait or 0))} s.",
        "cannot-check": "The password cannot be checked at the moment.",
    }
    try:
        context = {**default_context(request), "next": form.next, "username": form.username}
        context["error"] = errors[form.error]
        page = templates.get_template_response(
            request, backend.login_template, context, status_code=reply.status
        )
    except Exception:
        # Somebody's template, or a Lilya application that is no dashboard: people must be able to sign in.
        logger.exception("%r cannot be rendered; the gate's own page is shown", backend.login_template)
        return None
    for name, value in reply.headers:
        if name in (b"cache-control", b"retry-after", b"vary", b"www-authenticate"):
            page.headers[name.decode()] = value.decode()
    return page
