"""Tokens that honest issuers make are accepted, and the dashboard knows who came."""

from __future__ import annotations

import json
import time

import jwt
import pytest

from support import tokens
from support.program import Demo
from support.wire import head_of, parse_replies, talk

SOON = int(time.time()) + 3600


def test_a_valid_token_shows_the_dashboard_with_the_name(demo: Demo) -> None:
    reply = demo.get("/ops/", token=demo.mint())
    assert reply.status == 200
    assert "Ada Lovelace" in reply.text


@pytest.mark.parametrize("page", ["/ops/queues", "/ops/queues?page=2", "/ops/queues/rows", "/ops/audit"])
def test_every_page_opens(demo: Demo, page: str) -> None:
    assert demo.get(page, token=demo.mint()).status == 200


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR"])
@pytest.mark.parametrize("header", ["Authorization", "authorization", "AUTHORIZATION"])
def test_the_case_of_header_and_scheme_does_not_matter(demo: Demo, header: str, scheme: str) -> None:
    assert demo.get("/ops/", (header, f"{scheme} {demo.mint()}")).status == 200


def test_the_ready_token_of_the_demo_opens_it(demo: Demo) -> None:
    assert demo.token is not None
    assert demo.get("/ops/", token=demo.token).status == 200


@pytest.mark.parametrize(
    "claims",
    [
        pytest.param({"exp": None}, id="no exp"),
        pytest.param({"exp": SOON + 0.5}, id="a fraction of a second"),
        pytest.param({"exp": 10**15}, id="far away"),
        pytest.param({"exp": 10**40}, id="farther than any machine counts"),
        pytest.param({"nbf": 1, "iat": 1}, id="past nbf and iat"),
        pytest.param({"iat": 1.5}, id="fractional iat"),
        pytest.param({"iss": "https://issuer.example"}, id="an issuer that nobody asked for"),
        pytest.param({"jti": "one"}, id="jti"),
        pytest.param({"huge": 10**60, "negative": -(10**60)}, id="integers of any size"),
        pytest.param({"deep": json.loads("[" * 100 + "]" * 100)}, id="a hundred levels"),
        pytest.param({"nothing": None, "list": [1, "two", {"three": 3}]}, id="other claims"),
    ],
)
def test_what_pyjwt_would_accept_is_accepted(demo: Demo, claims: dict[str, object]) -> None:
    assert demo.get("/ops/", token=demo.mint(**claims)).status == 200


@pytest.mark.parametrize("name", ["Ünï Cödé", "名前", "Zoë 🚀"])
def test_a_name_may_be_in_any_script(demo: Demo, name: str) -> None:
    assert name in demo.get("/ops/", token=demo.mint(name=name)).text


def test_a_name_is_text_and_never_markup(demo: Demo) -> None:
    token = demo.mint(name="<script>alert(1)</script>\"'&amp;", sub="<img src=x>")
    for page in ("/ops/", "/ops/queues", "/ops/audit"):
        text = demo.get(page, token=token).text
        assert "<script>alert(1)" not in text and "<img src=x>" not in text
    assert "&lt;script&gt;alert(1)" in demo.get("/ops/", token=token).text


@pytest.mark.parametrize(
    "header", [{"jwk": {"kty": "oct", "k": "AAAA"}}, {"jku": "http://evil.example/k"}, {"x5u": "x"}]
)
def test_t37_keys_named_in_the_header_are_ignored(demo: Demo, header: dict[str, object]) -> None:
    """Ignored means just that: under the true key the token stays good."""
    assert demo.secret is not None
    token = jwt.encode({"sub": "u-7", "name": "Ada Lovelace"}, demo.secret, "HS256", headers=header)
    assert demo.get("/ops/", token=token).status == 200


def test_the_last_of_duplicate_claims_wins(demo: Demo) -> None:
    assert demo.secret is not None
    payload = b'{"sub": "a", "name": "First Name", "name": "Last Name", "exp": 1, "exp": %d}' % SOON
    reply = demo.get("/ops/", token=tokens.by_hand({"alg": "HS256"}, payload, demo.secret))
    assert reply.status == 200
    assert "Last Name" in reply.text and "First Name" not in reply.text


def test_a_token_of_sixty_kilobytes_is_read(demo: Demo) -> None:
    """Within the 64 KiB of a request head there is no smaller, secret limit."""
    token = demo.mint(scope="x" * 44_000)
    assert 58_000 < len(token) < 61_000
    assert demo.get("/ops/", token=token).status == 200


def test_white_space_that_http_itself_removes_does_no_harm(demo: Demo) -> None:
    assert demo.get("/ops/", ("Authorization", f"  Bearer {demo.mint()} \t")).status == 200


def test_a_token_opens_one_request_and_not_the_connection(demo: Demo) -> None:
    host = ("Host", "dashboard")
    first = head_of("GET", "/ops/queues", [host, tokens.bearer(demo.mint())])
    second = head_of("GET", "/ops/queues", [host, ("Connection", "close")])
    replies = parse_replies(talk(demo.address, first + second))
    assert [reply.status for reply in replies] == [200, 303]
