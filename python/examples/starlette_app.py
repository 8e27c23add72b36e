"""A Starlette dashboard behind the gate: people sign in, scripts send a token.

Run it: SECRET=$(openssl rand -hex 32) uvicorn starlette_app:app
"""

import os

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from authgate import AuthGateMiddleware, JWTAuthBackend, Sessions, SimpleUsernamePasswordBackend, User


async def verify(username: str, password: str) -> User | None:
    """Ask your user store here; compare hashes, and let unknown users cost the same."""
    known = (username, password) == ("ada", os.environ.get("PASSWORD", "change me"))
    return User("ada", "Ada Lovelace") if known else None


async def home(request: Request) -> PlainTextResponse:
    return PlainTextResponse(f"Hello {request.state.user.name}")


secret = os.environ["SECRET"]
gate = Middleware(
    AuthGateMiddleware,
    backend=[SimpleUsernamePasswordBackend(verify), JWTAuthBackend(secret=secret)],
    # One secret, two uses: a key that signs tokens must not open sessions.
    session=Sessions.sealed(f"sessions {secret}"),
)
# The dashboard alone is gated; its login is /ops/login.
app = Starlette(routes=[Mount("/ops", routes=[Route("/", home)], middleware=[gate])])
