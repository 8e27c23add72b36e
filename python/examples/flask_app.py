"""A Flask dashboard behind the gate: people sign in, scripts send a token.

Run it: SECRET=$(openssl rand -hex 32) flask --app flask_app run
"""

import os

from flask import Flask, request

from authgate import JWTAuthBackend, Sessions, SimpleUsernamePasswordBackend, User
from authgate.wsgi import AuthGate


def verify(username: str, password: str) -> User | None:
    """Ask your user store here; compare hashes, and let unknown users cost the same."""
    known = (username, password) == ("ada", os.environ.get("PASSWORD", "change me"))
    return User("ada", "Ada Lovelace") if known else None


app = Flask(__name__)


@app.get("/")
def home() -> str:
    return f"Hello {request.environ['authgate.user'].name}"


secret = os.environ["SECRET"]
app.wsgi_app = AuthGate(
    app.wsgi_app,
    backend=[SimpleUsernamePasswordBackend(verify), JWTAuthBackend(secret=secret)],
    # One secret, two uses: a key that signs tokens must not open sessions.
    session=Sessions.sealed(f"sessions {secret}"),
)
