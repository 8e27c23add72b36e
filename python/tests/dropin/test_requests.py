"""A foreign `authenticate` is asked with a request of the framework in use; sessions may be anybody's."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import Any

import pytest
from lilya.apps import Lilya
from lilya.middleware.base import DefineMiddleware
from lilya.middleware.sessions import SessionMiddleware as LilyaSessions
from lilya.responses import PlainText
from lilya.routing import Path
from starlette.applications import Starlette
from starlette.middleware.sessions import SessionMiddleware as StarletteSessions
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from visitor import Visitor, handshake

import authgate

ASK = """
import asyncio, sys
{imports}
import authgate
seen = []

def authenticate(request):
    seen.append(type(request).__module__)
    return {{"id": "ada", "is_admin": True}}

async def app(scope, receive, send):
    seen.append(scope["state"]["user"]["id"])

gate = authgate.AuthGateMiddleware(app, authenticate)
scope = {{"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b""}}
asyncio.run(gate(scope, None, None))
print(*seen)
"""


def run(code: str) -> str:
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.strip()


@pytest.mark.parametrize(
    ("imports", "module"),
    [
        ("", "authgate._requests"),
        ("import starlette.requests", "starlette.requests"),
        ("import fastapi", "starlette.requests"),
        ("import lilya.requests", "lilya.requests"),
        ("import starlette.requests, lilya.requests", "lilya.requests"),
    ],
)
def test_a_backend_is_asked_with_a_request_of_the_framework_that_is_loaded(imports: str, module: str) -> None:
    assert run(ASK.format(imports=imports)) == f"{module} ada"


def test_importing_authgate_imports_no_web_framework() -> None:
    code = (
        "import sys, authgate, authgate.wsgi; "
        "print({name.partition('.')[0] for name in sys.modules} & "
        "{'asyncmq', 'lilya', 'starlette', 'fastapi', 'flask', 'werkzeug', 'django', 'jinja2', 'jwt'})"
    )
    assert run(code) == "set()"


def test_t08_for_a_websocket_a_backend_is_asked_with_a_get_that_shares_state_and_session() -> None:
    asked: list[Any] = []

    async def authenticate(request: Any) -> Any:
        asked.append(request)
        request.state.note = "kept"
        request.session["seen"] = True
        return {"id": "ada", "is_admin": True}

    scopes: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        scopes.append(scope)

    gate = authgate.AuthGateMiddleware(app, authenticate)
    given = LilyaSessions(gate, "k" * 32)
    asyncio.run(handshake(given, "/events", ("origin", "http://dash.example")))
    [request], [scope] = asked, scopes
    assert request.scope["type"] == "http" and request.method == "GET" and scope["type"] == "websocket"
    assert request.headers["origin"] == "http://dash.example"
    assert scope["session"] == {"seen": True}
    assert scope["state"]["note"] == "kept" and scope["state"]["user"] == {"id": "ada", "is_admin": True}


@pytest.mark.parametrize("origin", ["http://evil.example", "null", None])
def test_t18_a_websocket_from_elsewhere_is_refused_whoever_is_signed_in(origin: str | None) -> None:
    async def authenticate(request: Any) -> Any:
        return {"id": "ada", "is_admin": True}

    async def app(*_: Any) -> None:
        raise AssertionError("it was let through")

    fields = [("origin", origin)] if origin else []
    sent = asyncio.run(handshake(authgate.AuthGateMiddleware(app, authenticate), "/events", *fields))
    assert [message["type"] for message in sent] == ["websocket.close"]


def starlette(backend: Any, sessions: Any) -> Any:
    async def home(request: Any) -> Any:
        return PlainTextResponse(f"hello {request.state.user.name}")

    routes = [
        Route("/", home),
        Route("/login", backend.login, methods=["GET", "POST"]),
        Route("/logout", backend.logout, methods=["GET", "POST"]),
    ]
    gate = authgate.AuthGateMiddleware(Starlette(routes=routes), authenticate=backend.authenticate)
    return sessions(gate, secret_key="k" * 32)


def lilya(backend: Any, sessions: Any) -> Any:
    async def home(request: Any) -> Any:
        return PlainText(f"hello {request.state.user.name}")

    async def login(request: Any) -> Any:
        return await backend.login(request)

    async def logout(request: Any) -> Any:
        return await backend.logout(request)

    return Lilya(
        routes=[
            Path("/", home),
            Path("/login", login, methods=["GET", "POST"]),
            Path("/logout", logout, methods=["GET", "POST"]),
        ],
        middleware=[
            DefineMiddleware(sessions, secret_key="k" * 32),
            DefineMiddleware(authgate.AuthGateMiddleware, authenticate=backend.authenticate),
        ],
    )


@pytest.mark.parametrize("sessions", [LilyaSessions, StarletteSessions])
@pytest.mark.parametrize("framework", [starlette, lilya])
def test_people_sign_in_with_the_hosts_own_sessions(framework: Any, sessions: Any) -> None:
    def verify(username: str, password: str) -> Any:
        return authgate.User("ada", "Ada") if password == "enigma" else None

    browser = Visitor(framework(authgate.SimpleUsernamePasswordBackend(verify), sessions))
    assert browser.get("/")["location"] == "/login?next=%2F"
    page = browser.get("/login?next=/%3Fpage%3D2")
    assert page.status == 200 and '<form method="post" action="/login"' in page.text
    answer = browser.sign_in("ada", "guess", next="/?page=2")
    assert answer.status == 401 and 'value="/?page=2"' in answer.text and 'value="ada"' in answer.text
    assert browser.sign_in("ada", "enigma", next="/?page=2")["location"] == "/?page=2"
    assert browser.get("/").text == "hello Ada"
    assert browser.post("/logout")["location"] == "/login"
    assert browser.get("/").status == 303


def test_a_field_that_comes_twice_is_sent_twice_by_every_framework() -> None:
    import lilya.requests
    import starlette.requests

    from authgate._responses import response_of

    class Twice:
        status, body, reason = 401, b"x", "test"
        headers = [(b"content-length", b"1"), (b"www-authenticate", b"A"), (b"www-authenticate", b"B")]

    async def sent(response: Any) -> list[tuple[bytes, bytes]]:
        messages: list[Any] = []

        async def send(message: Any) -> None:
            messages.append(message)

        await response({"type": "http", "method": "GET", "headers": []}, None, send)
        return sorted((name.lower(), value) for name, value in messages[0]["headers"])

    class Own(starlette.requests.Request):
        """Somebody's subclass."""

    scope = {"type": "http", "method": "GET", "headers": []}
    for request in (lilya.requests.Request(scope), Own(scope), object()):
        assert asyncio.run(sent(response_of(request, Twice))) == sorted(Twice.headers)
