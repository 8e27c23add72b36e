"""A gate of either kind, asked in process."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any
from urllib.parse import urlencode

from authgate import AuthGateMiddleware, Event, Sessions
from authgate.wsgi import AuthGate

from world import (
    FORM,
    HOST,
    OURS,
    Answer,
    Clock,
    asgi_dashboard,
    ask_asgi,
    ask_wsgi,
    environ_of,
    password,
    scope_of,
    wsgi_dashboard,
)

KINDS = ["asgi", "wsgi"]
PASSWORDS = [secrets.token_urlsafe(12), 'it"s \\ <b>& 100% \u00e9\u2603', "tab\there's"]
"""Passwords that no log may hold, in whatever form. They are typed in many tests."""


class Door:
    """A gate, what it told, and who is signed in."""

    def __init__(self, kind: str, app: Any = None, **settings: Any) -> None:
        self.kind = kind
        self.clock = settings.setdefault("clock", Clock())
        self.told: list[Event] = []
        settings.setdefault("on_event", self.told.append)
        if "authenticate" not in settings:
            settings.setdefault("backend", password())
        if "backend" in settings and hasattr(settings["backend"], "verify"):
            settings.setdefault("session", Sessions.records())
        self.gate: Any
        if kind == "asgi":
            self.gate = AuthGateMiddleware(app or asgi_dashboard, **settings)
        else:
            self.gate = AuthGate(app or wsgi_dashboard, **settings)
        self.cookie: str | None = None

    def scope(self, path: str, *headers: tuple[str, str], method: str = "GET", **more: Any) -> dict[str, Any]:
        """The scope or environ of a request with the cookie."""
        fields = [HOST, *headers, *([("Cookie", self.cookie)] if self.cookie else [])]
        if self.kind == "asgi":
            return scope_of(method, path, fields, **more)
        return environ_of(method, path, fields, **more)

    def ask(self, path: str, *headers: tuple[str, str], method: str = "GET", body: bytes = b"") -> Answer:
        place = self.scope(path, *headers, method=method)
        if self.kind == "asgi":
            answer = asyncio.run(ask_asgi(self.gate, place, body))
        else:
            import io

            place["wsgi.input"] = io.BytesIO(body)
            answer = ask_wsgi(self.gate, place)
        for cookie in answer.all("set-cookie"):
            if cookie.startswith("authgate="):
                self.cookie = None if "Max-Age=0" in cookie else cookie.split(";")[0]
        return answer

    def sign_in(self, username: str = "ada", password: str = "right") -> Answer:
        body = urlencode({"username": username, "password": password}).encode()
        return self.ask("/login", FORM, OURS, ("Content-Length", str(len(body))), method="POST", body=body)

    def sign_out(self) -> Answer:
        return self.ask("/logout", OURS, ("Content-Length", "0"), method="POST")

    @property
    def reason(self) -> str:
        """Why the last request ended as it did."""
        return self.told[-1].reason
