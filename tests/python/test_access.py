"""A known person without the right gets 403; claims grant rights, headers never do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import jwt
import pytest

from support import tokens
from support.checks import assert_sent_to_login
from support.program import Demo, authgate, running

IDENTITY_HEADERS = [
    "X-Auth-User",
    "X-Auth-Admin",
    "X-Auth-Roles",
    "X-Auth-Name",
    "X-Auth-Request-User",
    "X-Forwarded-User",
    "X-Remote-User",
    "Remote-User",
    "REMOTE_USER",
    "X_Auth_User",
    "x.auth.user",
    "X-AuthGate-User",
    "X-User",
]


@pytest.fixture(scope="module")
def admins_only(runtime: str, secret: str) -> Iterator[Demo]:
    with running(runtime, "--admins-only", secret=secret) as demo:
        yield demo


@pytest.fixture
def admin_token(secret_file: Path, admins_only: Demo) -> str:
    made = authgate("token", "--secret-file", secret_file, "--sub", "u-1", "--name", "Grace Hopper", "--admin")
    assert made.returncode == 0, made.stderr
    return admins_only.hide(made.stdout.strip())


def test_an_admin_enters(admins_only: Demo, admin_token: str) -> None:
    reply = admins_only.get("/ops/", token=admin_token)
    assert reply.status == 200
    assert "Grace Hopper" in reply.text


def test_the_ready_token_is_an_admin_s(admins_only: Demo) -> None:
    assert admins_only.token is not None
    assert admins_only.get("/ops/", token=admins_only.token).status == 200


@pytest.mark.parametrize("accept", ["text/html", "*/*", "application/json", "text/event-stream"])
def test_a_valid_token_without_the_right_is_forbidden(admins_only: Demo, accept: str) -> None:
    reply = admins_only.get("/ops/queues", ("Accept", accept), token=admins_only.mint())
    assert reply.status == 403
    assert reply.header("Location") is None
    assert "Dashboard user is not authorized" in reply.text


def test_htmx_without_the_right_gets_text_and_no_redirect(admins_only: Demo) -> None:
    reply = admins_only.get("/ops/queues/rows", ("HX-Request", "true"), token=admins_only.mint())
    assert reply.status == 403
    assert reply.header("HX-Redirect") is None
    assert "Dashboard user is not authorized" in reply.text


def test_without_any_token_it_is_still_the_login_page(admins_only: Demo) -> None:
    assert_sent_to_login(admins_only.get("/ops/queues?page=2"), "/ops/queues?page=2")


@pytest.mark.parametrize(
    "value", [False, None, 0, "", "false", "no", [], [True], ["admin"], {}, {"admin": True}, "[true]"]
)
def test_t31_only_a_plain_yes_makes_an_admin(admins_only: Demo, admin_token: str, value: object) -> None:
    assert admins_only.secret is not None
    claims = jwt.decode(admin_token, admins_only.secret, ["HS256"])
    names = [name for name, claim in claims.items() if claim is True]
    assert len(names) == 1, f"which claim makes an admin? {claims}"
    token = tokens.by_hand({"alg": "HS256"}, claims | {names[0]: value}, admins_only.secret)
    assert admins_only.get("/ops/", token=token).status == 403


@pytest.mark.parametrize("claims", [{"role": "admin"}, {"roles": ["admin"]}, {"admin": "x"}, {"sub": "admin"}])
def test_t31_no_other_claim_makes_an_admin(admins_only: Demo, claims: dict[str, object]) -> None:
    assert admins_only.get("/ops/", token=admins_only.mint(**claims)).status == 403


@pytest.mark.parametrize("name", IDENTITY_HEADERS)
def test_t22_an_identity_header_signs_nobody_in(demo: Demo, name: str) -> None:
    assert_sent_to_login(demo.get("/ops/queues", (name, "mallory")), "/ops/queues")


@pytest.mark.parametrize("name", IDENTITY_HEADERS)
def test_t22_an_identity_header_changes_neither_name_nor_rights(demo: Demo, admins_only: Demo, name: str) -> None:
    reply = demo.get("/ops/", (name, "mallory"), token=demo.mint())
    assert "Ada Lovelace" in reply.text and "mallory" not in reply.text
    assert admins_only.get("/ops/", (name, "true"), token=admins_only.mint()).status == 403
