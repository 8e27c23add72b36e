"""A Lilya dashboard behind the gate: people sign in, scripts send a token.

Run it: SECRET=$(openssl rand -hex 32) uvicorn lilya_app:app
"""

import os

from lilya.apps import Lilya
from lilya.middleware import DefineMiddleware
from lilya.requests import Request
from lilya.responses import PlainText
from lilya.routing import Path

from authgate import AuthGateMiddleware, JWTAuthBackend, Sessions, SimpleUsernamePasswordBackend, User


def verify(username: str, password: str) -> User | None:
    """Ask your user store here; compare hashes, and let unknown users cost the same."""
    known = (username, password) == ("ada", os.environ.get("PASSWORD", "change me"))
    return User("ada", "Ada Lovelace") if known else None


async def home(request: Request) -> PlainText:
    return PlainText(f"Hello {request.state.user.name}")


secret = os.environ["SECRET"]
gate = DefineMiddleware(
    AuthGateMiddleware,
    backend=[SimpleUsernamePasswordBackend(verify), JWTAuthBackend(secret=secret)],
    # One secret, two uses: a key that signs tokens must not open sessions.
    session=Sessions.sealed(f"sessions {secret}"),
)
app = Lilya(routes=[Path("/", home)], middleware=[gate])
