"""What a wheel is trained with: `MATURIN_PGO=1 pip wheel` runs this on a build that counts, and builds once more for the
ways that requests took here. Needs nothing but the wheel.

Dashboards get most requests from people who have signed in and from programs with tokens, many for files that are open to
everybody, and a few that are refused. What is not here works as well, and is only not favoured.
"""

from __future__ import annotations

import asyncio
import hmac
import io
import json
import logging
import time
from base64 import urlsafe_b64encode
from typing import Any

from visits import BROWSER, App, Fields, ask, scope, sign_in

from authgate import AuthBackend, AuthGateMiddleware, JWTAuthBackend, Sessions, SimpleUsernamePasswordBackend, User
from authgate.wsgi import AuthGate

ROUNDS = 2_000
SECRET = "a secret of at least thirty-two bytes, for training"
AUDIENCE = "https://dash.example/api"
CLAIMS: list[dict[str, Any]] = [
    {"sub": "ada", "aud": AUDIENCE, "is_admin": True, "roles": ["operator", "oncall"]},
    {
        "iss": "https://login.example/realms/dash",
        "sub": "5be86359-073c-434b-ad2d-a3932222dabe",
        "aud": ["account", AUDIENCE],
        "name": "Zoë \"Z\" Müller",
        "email": "zoe@dash.example",
        "is_admin": True,
        "scope": "openid profile email",
        "realm_access": {"roles": ["operator"]},
    },
]


def main() -> None:
    logging.disable(logging.CRITICAL)  # as in most dashboards, where nobody reads each decision
    asyncio.run(under_asgi())
    under_wsgi()


async def under_asgi() -> None:
    tokens = JWTAuthBackend(secret=SECRET, audience=AUDIENCE)
    for session in [Sessions.sealed(SECRET), Sessions.records()]:
        backends: list[AuthBackend] = [SimpleUsernamePasswordBackend(verify), tokens]
        await visit(AuthGateMiddleware(app, backend=backends, session=session, allowlist=["/static"]))
    await visit_with_tokens(AuthGateMiddleware(app, backend=tokens, allowlist=["/static"]))
    await visit_with_tokens(AuthGateMiddleware(app, authenticate=tokens.authenticate))


async def visit(gate: App) -> None:
    """People who sign in, and programs beside them."""
    htmx = [(b"hx-request", b"true"), (b"hx-current-url", b"http://dash.example/queues?page=2")]
    post = [(b"sec-fetch-site", b"same-origin"), (b"origin", b"http://dash.example")]
    for number in range(ROUNDS):
        if number % 100 == 0:
            cookie = (b"cookie", b"theme=dark; " + await sign_in(gate))
        await expect(200, gate, "/queues", [cookie])
        await expect(200, gate, f"/queues/emails/jobs/{number}", [*htmx, cookie])
        await expect(200, gate, "/queues/emails/retry", [*post, cookie], "POST")
    await visit_with_tokens(gate)


async def visit_with_tokens(gate: App) -> None:
    bearers = [(b"authorization", b"Bearer " + token(claims).encode()) for claims in CLAIMS]
    forged = (b"authorization", bearers[0][1][:-8] + b"AAAAAAAA")
    for number in range(ROUNDS):
        for bearer in bearers:
            await expect(200, gate, "/api/queues", [bearer])
        if number % 20 == 0:
            # Clients send the same token for as long as it holds; what it says is read when it is new.
            new = token(CLAIMS[number // 20 % len(CLAIMS)] | {"jti": str(number)})
            await expect(200, gate, "/api/queues", [(b"authorization", b"Bearer " + new.encode())])
        await expect(200, gate, f"/static/css/app.{number}.css", [])
        if number % 4 == 0:
            await expect(303, gate, "/queues", [])
            await expect(401, gate, "/queues", [(b"hx-request", b"true")])
            await expect(401, gate, "/api/queues", [(b"sec-fetch-mode", b"cors")])
            await expect(401, gate, "/api/queues", [(b"sec-fetch-mode", b"cors"), forged])


async def expect(status: int, gate: App, path: str, fields: Fields, method: str = "GET") -> None:
    sent = await ask(gate, scope(path, [*BROWSER, *fields], method))
    assert sent[0]["status"] == status, (path, sent)


def under_wsgi() -> None:
    gate = AuthGate(wsgi_app, backend=JWTAuthBackend(secret=SECRET, audience=AUDIENCE), allowlist=["/static"])
    visits = [("200 OK", "/api/queues", f"Bearer {token(claims)}") for claims in CLAIMS]
    visits += [("200 OK", "/static/app.css", ""), ("303 See Other", "/queues", "")]
    for _ in range(ROUNDS):
        for expected, path, bearer in visits:
            status = ask_wsgi(gate, environ(path, bearer))
            assert status == expected, (path, status)


def ask_wsgi(gate: AuthGate, asked: dict[str, Any]) -> str:
    statuses: list[str] = []

    def start_response(status: str, headers: Any, error: Any = None) -> None:
        statuses.append(status)

    body: Any = gate(asked, start_response)
    b"".join(body)
    if hasattr(body, "close"):
        body.close()
    return statuses[0]


def verify(username: str, password: str) -> User | None:
    return User(username, "Ada Lovelace", is_admin=True, roles=["operator"]) if password == "right" else None


def token(claims: dict[str, Any]) -> str:
    now = int(time.time())
    parts: list[dict[str, Any]] = [{"alg": "HS256", "typ": "JWT"}, {"iat": now, "exp": now + 3600, **claims}]
    message = ".".join(encoded(json.dumps(part, separators=(",", ":")).encode()) for part in parts)
    return f"{message}.{encoded(hmac.digest(SECRET.encode(), message.encode(), 'sha256'))}"


def encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


async def app(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
    await send({"type": "http.response.body", "body": b"<p>", "more_body": True})
    await send({"type": "http.response.body", "body": b"ok"})


def wsgi_app(environ: Any, start_response: Any) -> list[bytes]:
    start_response("200 OK", [("content-type", "text/html")])
    return [b"<p>", b"ok"]


def environ(path: str, bearer: str) -> dict[str, Any]:
    return {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "page=2",
        "REMOTE_ADDR": "127.0.0.1",
        "SERVER_NAME": "dash.example",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "dash.example",
        "HTTP_USER_AGENT": "curl/8.18.0",
        "HTTP_ACCEPT": "*/*",
        **({"HTTP_AUTHORIZATION": bearer} if bearer else {}),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
    }


if __name__ == "__main__":
    main()
