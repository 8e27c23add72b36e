"""A world in which nothing happens by itself: a clock that is set by hand, and passwords that are known."""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
import json
from collections.abc import Iterable
from typing import Any

from authgate import AuthGateMiddleware, Sessions, SimpleUsernamePasswordBackend, User
from authgate.wsgi import AuthGate

NOW = 1_800_000_000.0
SECRET = "a secret of sixty-four bytes that is known to the tests only ...."
SECRETS = [SECRET]
"""What must never stand in a log; tests add what they make."""


class Clock:
    """Tells the time that somebody has set."""

    def __init__(self, now: float = NOW) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token(payload: str, *, header: str = '{"alg":"HS256","typ":"JWT"}', secret: str | None = SECRET) -> str:
    """A compact JWS of exactly these texts; without a secret, without a signature."""
    message = f"{b64(header.encode())}.{b64(payload.encode())}"
    signed = hmac.new(secret.encode(), message.encode(), hashlib.sha256).digest() if secret else b""
    made = f"{message}.{b64(signed)}"
    SECRETS.append(made)
    return made


def claims(**given: Any) -> str:
    """An honest token of Ada's."""
    return token(json.dumps({"sub": "ada", "name": "Ada", **given}))


def verify(username: str, password: str) -> Any:
    """Whose a password is."""
    if password == "down":
        raise RuntimeError("the user store is down")
    if (username, password) == ("ada", "right"):
        return User("ada", "Ada", is_admin=False)
    if (username, password) == ("grace", "hopper-1906"):
        return User("grace", "Grace", is_admin=False)
    return {"id": ""} if password == "nonsense" else None


class directory:  # noqa: N801  (a backend is called as its class is)
    """A backend that must be asked: its users show a cookie."""

    def authenticate(self, request: Any) -> Any:
        cookie = request.headers.get("cookie")
        if cookie == "session=down":
            raise ConnectionError("the directory is down")
        return User("ada", "Ada", is_admin=False) if cookie == "session=ada" else None

    def login(self, request: Any) -> Any:
        return Page(b"directory: Login")

    def logout(self, request: Any) -> Any:
        return Page(b"directory: Logout")

    def routes(self) -> Any:
        return [("/callback", lambda request: Page(b"directory: Route"))]


class Page:
    """A response for either kind of server."""

    def __init__(self, body: bytes) -> None:
        self.body = body

    def __call__(self, *arguments: Any) -> Any:
        if len(arguments) == 2:
            arguments[1]("200 OK", [("Content-Type", "text/plain")])
            return [self.body]
        return self._asgi(*arguments)

    async def _asgi(self, scope: Any, receive: Any, send: Any) -> None:
        fields = [(b"content-type", b"text/plain")]
        await send({"type": "http.response.start", "status": 200, "headers": fields})
        await send({"type": "http.response.body", "body": self.body})


def password(**more: Any) -> SimpleUsernamePasswordBackend:
    return SimpleUsernamePasswordBackend(verify, **more)


def sealed(**more: Any) -> Sessions:
    return Sessions.sealed(SECRET).using(**more)


UNTOLD = ("host", "connection", "authorization", "content-length")


def seen(user: Any, names: Iterable[str], method: str) -> tuple[list[tuple[str, str]], bytes]:
    """What the dashboard answers: who came, with which rights, in the words of rules, and with which fields."""
    kept = sorted({name for name in names if name not in UNTOLD})
    rights = ["admins"] * getattr(user, "is_admin", False) + [f"role:{role}" for role in getattr(user, "roles", ())]
    fields = [("x-seen-user", getattr(user, "name", "-")), ("x-seen-rights", " ".join(rights))]
    return fields, b"" if method == "HEAD" else f"passed: {' '.join(kept)}".encode()


async def asgi_dashboard(scope: Any, receive: Any, send: Any) -> None:
    names = [name.decode("latin-1").lower() for name, _ in scope["headers"]]
    told, body = seen(scope.get("state", {}).get("user"), names, scope.get("method", "GET"))
    prefix = "websocket." if scope["type"] == "websocket" else ""
    fields = [(name.encode(), value.encode()) for name, value in told]
    await send({"type": f"{prefix}http.response.start", "status": 200, "headers": fields})
    await send({"type": f"{prefix}http.response.body", "body": body})


def wsgi_dashboard(environ: Any, start_response: Any) -> Any:
    names = [key[5:].lower().replace("_", "-") for key in environ if key.startswith("HTTP_")]
    names += [key.lower().replace("_", "-") for key in ("CONTENT_TYPE", "CONTENT_LENGTH") if key in environ]
    told, body = seen(environ.get("authgate.user"), names, environ["REQUEST_METHOD"])
    start_response("200 OK", told)
    return [body]


def scope_of(
    method: str = "GET", target: str = "/", headers: Iterable[tuple[str, str]] = (), **more: Any
) -> dict[str, Any]:
    """A scope as uvicorn makes it."""
    from urllib.parse import unquote

    raw, _, query = target.partition("?")
    fields = [(name.lower().encode("latin-1"), value.encode("utf-8")) for name, value in headers]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(raw),
        "raw_path": raw.encode("ascii"),
        "query_string": query.encode("ascii"),
        "root_path": "",
        "headers": fields,
        "client": ("127.0.0.1", 54321),
        "server": ("127.0.0.1", 80),
        "state": {},
    }
    return {**scope, **more}


def socket_of(target: str, headers: Iterable[tuple[str, str]] = (), **more: Any) -> dict[str, Any]:
    """A scope of a websocket's."""
    scope = scope_of("GET", target, headers, **{"type": "websocket", "scheme": "ws", "subprotocols": []})
    del scope["method"]
    scope["extensions"] = {"websocket.http.response": {}}
    return {**scope, **more}


def environ_of(
    method: str = "GET",
    target: str = "/",
    headers: Iterable[tuple[str, str]] = (),
    body: bytes = b"",
    **more: Any,
) -> dict[str, Any]:
    """An environ as a server makes it; repeated fields are joined with commas (RFC 3875 §4.1.18)."""
    import io
    from urllib.parse import unquote_to_bytes

    raw, _, query = target.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(raw).decode("latin-1"),
        "QUERY_STRING": query,
        "REQUEST_URI": target,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in headers:
        key = name.upper().replace("-", "_")
        key = key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"
        text = value.encode().decode("latin-1")
        environ[key] = f"{environ[key]},{text}" if key in environ else text
    return {**environ, **more}


class Answer:
    """What came back."""

    def __init__(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.status = status
        self.headers = [(name.lower(), value) for name, value in headers]
        self.body = body
        for name, value in self.headers:
            if name == "set-cookie" and len(value.split(";")[0]) > 20:
                SECRETS.append(value.split(";")[0].partition("=")[2])

    def __getitem__(self, name: str) -> str | None:
        return next((value for field, value in self.headers if field == name), None)

    def all(self, name: str) -> list[str]:
        return [value for field, value in self.headers if field == name]

    @property
    def cookie(self) -> str:
        """The session's cookie, as a browser sends it back."""
        return next(value.split(";")[0] for value in self.all("set-cookie") if value.startswith("authgate="))

    def __repr__(self) -> str:
        return f"Answer({self.status}, {self.headers})"


async def ask_asgi(app: Any, scope: dict[str, Any], body: bytes = b"", *, is_cut: bool = False) -> Answer:
    """One request; the client stays until it is answered, unless its body is cut."""
    import asyncio

    messages: list[Any] = []
    sent = False

    async def receive() -> Any:
        nonlocal sent
        if sent and is_cut:
            return {"type": "http.disconnect"}
        if sent:
            await asyncio.Event().wait()
        sent = True
        return {"type": "http.request", "body": body, "more_body": is_cut}

    async def send(message: Any) -> None:
        messages.append(message)

    await app(scope, receive, send)
    if messages[0]["type"] == "websocket.close":
        return Answer(403, [], b"")
    start = messages[0]
    assert start["type"].endswith("http.response.start"), messages
    fields = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in start.get("headers", [])]
    return Answer(start["status"], fields, b"".join(message.get("body", b"") for message in messages[1:]))


def ask_wsgi(app: Any, environ: dict[str, Any]) -> Answer:
    began: list[Any] = []

    def start_response(status: str, headers: Any, exc_info: Any = None) -> Any:
        began[:] = [int(status.split(" ")[0]), headers]
        return lambda data: None

    body = app(environ, start_response)
    try:
        whole = b"".join(body)
    finally:
        if hasattr(body, "close"):
            body.close()
    return Answer(began[0], began[1], whole)


FORM = ("Content-Type", "application/x-www-form-urlencoded")
OURS = ("Sec-Fetch-Site", "same-origin")
HOST = ("Host", "dash.example")


def sign_in(
    gate: Any, body: str = "username=ada&password=right", *more: tuple[str, str], path: str = "/login"
) -> Answer:
    """Posts the login form to a gate of either kind."""
    import asyncio

    headers = [HOST, FORM, OURS, ("Content-Length", str(len(body))), *more]
    if isinstance(gate, AuthGate):
        return ask_wsgi(gate, environ_of("POST", path, headers, body.encode()))
    return asyncio.run(ask_asgi(gate, scope_of("POST", path, headers), body.encode()))


@functools.cache
def session(since: float) -> str:
    """The cookie of Ada, who signed in at this moment."""
    gate = AuthGateMiddleware(asgi_dashboard, backend=password(), session=sealed(), clock=Clock(since))
    return sign_in(gate).cookie
