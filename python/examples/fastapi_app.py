"""A FastAPI dashboard behind the gate: people sign in, scripts send a token.

Run it: SECRET=$(openssl rand -hex 32) uvicorn fastapi_app:app
"""

import os

from fastapi import FastAPI, Request

from authgate import Access, AuthGateMiddleware, JWTAuthBackend, Sessions, SimpleUsernamePasswordBackend, User


def verify(username: str, password: str) -> User | None:
    """Ask your user store here; compare hashes, and let unknown users cost the same."""
    known = (username, password) == ("ada", os.environ.get("PASSWORD", "change me"))
    return User("ada", "Ada Lovelace", is_admin=True) if known else None


secret = os.environ["SECRET"]
app = FastAPI(title="Dashboard")
app.add_middleware(
    AuthGateMiddleware,
    backend=[SimpleUsernamePasswordBackend(verify), JWTAuthBackend(secret=secret)],
    # One secret, two uses: a key that signs tokens must not open sessions.
    session=Sessions.sealed(f"sessions {secret}"),
    access=Access.admins(),
    public_paths=["/health"],
)


@app.get("/")
async def home(request: Request) -> dict[str, str]:
    return {"hello": request.state.user.name}


@app.get("/health")
async def health() -> dict[str, str]:
    return {"status": "ok"}
