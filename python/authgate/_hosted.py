"""Backends under AsyncMQ's own middleware: the gate decides, AsyncMQ's session and page stay AsyncMQ's."""

from __future__ import annotations

import sys
from typing import Any

from authgate._asking import Unanswered, ask
from authgate._core import Gate, Question, Reply
from authgate._driver import read_body
from authgate._responses import response_of
from authgate.passwords import SimpleUsernamePasswordBackend

LOGIN, LOGOUT = "/login", "/logout"


async def sign_in(backend: SimpleUsernamePasswordBackend, request: Any) -> Any:
    """The login page, or what came of a form. A user whose password is right stands in the session from then on."""
    step, user = backend._gate.begin(request.scope, LOGIN), None
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
    if step.form is not None and (page := asyncmq_s_page(backend, request, step)) is not None:
        return page
    return response_of(request, step)


async def sign_out(backend: SimpleUsernamePasswordBackend, request: Any) -> Any:
    """Removes the user from the session. A post from another site removes nobody."""
    reply = backend._gate.begin(request.scope, LOGOUT)
    if reply.reason == "logout":
        request.session.pop(backend.session_key, None)
    return response_of(request, reply)


def reply_of(gate: Gate, request: Any, path: str) -> Any:
    """What a backend without questions answers."""
    return response_of(request, gate.begin(request.scope, path))


def in_asyncmq_s_form(user: Any) -> dict[str, Any]:
    """What AsyncMQ's session holds of a user."""
    user = user[0] if isinstance(user, tuple) else user

    def read(name: str, default: Any) -> Any:
        return user.get(name, default) if isinstance(user, dict) else getattr(user, name, default)

    identity = read("id", None)
    if not isinstance(identity, str | int):
        identity = str(identity)
    roles = read("roles", None) or ()
    return {
        "id": identity,
        "name": read("name", None) or identity,
        "is_admin": read("is_admin", False),
        "roles": [roles] if isinstance(roles, str) else list(roles),
        **(read("extra", None) or {}),
    }


def asyncmq_s_page(backend: SimpleUsernamePasswordBackend, request: Any, reply: Reply) -> Any:
    """AsyncMQ's own login page, if AsyncMQ asks: with the gate's status, and what it says to caches."""
    form = reply.form
    if form is None or "asyncmq.contrib.dashboard.engine" not in sys.modules or "lilya" not in type(request).__module__:
        return None
    from asyncmq.contrib.dashboard.engine import templates  # type: ignore[import-not-found, unused-ignore]
    from asyncmq.contrib.dashboard.mixins import default_context  # type: ignore[import-not-found, unused-ignore]

    errors = {
        None: None,
        "wrong": "Invalid credentials",
        "throttled": f"Too many tries. Try again in {form.wait or 0:.0f} s.",
        "cannot-check": "The password cannot be checked at the moment.",
    }
    context = {**default_context(request), "next": form.next, "error": errors[form.error]}
    page = templates.get_template_response(
        request, backend.login_template, context, status_code=reply.status
    )
    for name, value in reply.headers:
        if name in (b"cache-control", b"retry-after", b"vary"):
            page.headers[name.decode()] = value.decode()
    return page
