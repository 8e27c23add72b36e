"""AsyncMQ's dashboard in FastAPI, behind the gate: people sign in, scripts send a token.

Run it: SECRET=$(openssl rand -hex 32) uvicorn asyncmq_app:app
"""

import os

from asyncmq import monkay
from asyncmq.backends.memory import InMemoryBackend
from asyncmq.contrib.dashboard.admin import AsyncMQAdmin
from fastapi import FastAPI

from authgate import Access, AuthGateMiddleware, JWTAuthBackend, Sessions, SimpleUsernamePasswordBackend, User


def verify(username: str, password: str) -> User | None:
    """Ask your user store here; compare hashes, and let unknown users cost the same."""
    known = (username, password) == ("ada", os.environ.get("PASSWORD", "change me"))
    return User("ada", "Ada Lovelace", is_admin=True) if known else None


secret = os.environ["SECRET"]
monkay.settings.backend = InMemoryBackend()  # yours is Redis, or whatever your workers use
# Without a prefix of its own: FastAPI's mount is the prefix.
dashboard = AsyncMQAdmin(url_prefix="/").get_asgi_app(with_url_prefix=True)
gate = AuthGateMiddleware(
    dashboard,
    backend=[SimpleUsernamePasswordBackend(verify), JWTAuthBackend(secret=secret)],
    # One secret, two uses: a key that signs tokens must not open sessions.
    session=Sessions.sealed(f"sessions {secret}"),
    access=Access.admins(),
    allowlist=["/static"],
)
app = FastAPI()
app.mount("/ops", gate)
