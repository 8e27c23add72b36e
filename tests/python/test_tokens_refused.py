"""Whatever is not a valid token makes its sender a stranger, and the answer says nothing about why."""

from __future__ import annotations

import base64
import json
import secrets
import time
from typing import Any

import pytest

from support import tokens
from support.checks import assert_no_way_in, assert_sent_to_login
from support.program import Demo

HS256 = {"alg": "HS256", "typ": "JWT"}
ADA = {"sub": "u-7", "name": "Ada Lovelace"}


def assert_a_stranger(demo: Demo, token: str) -> None:
    """Answered exactly like a request without any token."""
    reply = demo.get("/ops/queues?page=2", token=token)
    assert_sent_to_login(reply, "/ops/queues?page=2")
    assert reply.body == demo.get("/ops/queues?page=2").body, "the answer tells why"


def under_the_true_key(demo: Demo, header: tokens.JsonLike, payload: tokens.JsonLike) -> str:
    assert demo.secret is not None
    return tokens.by_hand(header, payload, demo.secret)


def test_the_hand_that_makes_bad_tokens_can_make_a_good_one(demo: Demo) -> None:
    """Or else every test below would pass for the wrong reason."""
    assert demo.get("/ops/", token=under_the_true_key(demo, HS256, ADA)).status == 200


def test_a_wrong_signature(demo: Demo) -> None:
    assert_a_stranger(demo, tokens.honest(secrets.token_urlsafe(36)))


@pytest.mark.parametrize("cut", [1, 2, 10, 43, 44])
def test_a_cut_signature(demo: Demo, cut: int) -> None:
    assert_a_stranger(demo, demo.mint()[:-cut])


def test_another_payload_under_a_true_signature(demo: Demo) -> None:
    head, _, signature = demo.mint().split(".")
    assert_a_stranger(demo, f"{head}.{tokens.b64(json.dumps(ADA | {'is_admin': True}).encode())}.{signature}")


def test_the_signature_has_one_spelling_only(demo: Demo) -> None:
    """The last character of 32 bytes in base64url carries two spare bits; set, they make a second spelling."""
    token = demo.mint()
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    assert_a_stranger(demo, token[:-1] + alphabet[alphabet.index(token[-1]) | 1])


@pytest.mark.parametrize(
    "claims",
    [
        pytest.param({"exp": 1}, id="long expired"),
        pytest.param({"exp": int(time.time()) - 2}, id="just expired"),
        pytest.param({"exp": 0}, id="exp zero"),
        pytest.param({"exp": -1}, id="exp negative"),
        pytest.param({"nbf": int(time.time()) + 3600}, id="not yet valid"),
        pytest.param({"iat": int(time.time()) + 3600}, id="issued in the future"),
        pytest.param({"aud": "somebody else"}, id="an audience where none is expected"),
        pytest.param({"aud": ["a", "b"]}, id="several audiences where none is expected"),
        pytest.param({"sub": None}, id="nobody"),
    ],
)
def test_claims_that_do_not_hold(demo: Demo, claims: dict[str, object]) -> None:
    assert_a_stranger(demo, demo.mint(**claims))


WRONG_TYPES: dict[str, list[Any]] = {
    "exp": ["9999999999", True, False, None, [], [9999999999], {}, {"exp": 1}],
    "nbf": ["1", True, None, [], {}],
    "iat": ["1", True, None, [], {}],
    "sub": [7, 7.5, True, [], ["u-7"], {}, {"id": "u-7"}],
    "jti": [7, True, [], {}],
}


@pytest.mark.parametrize(
    ("claim", "value"), [(claim, value) for claim, values in WRONG_TYPES.items() for value in values]
)
def test_t38_a_registered_claim_of_the_wrong_type(demo: Demo, claim: str, value: object) -> None:
    assert_a_stranger(demo, under_the_true_key(demo, HS256, ADA | {claim: value}))


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE", "none ", "", "null"])
def test_t36_alg_none_in_any_spelling(demo: Demo, alg: str) -> None:
    assert_a_stranger(demo, tokens.unsigned({"alg": alg, "typ": "JWT"}, ADA))
    assert_a_stranger(demo, under_the_true_key(demo, {"alg": alg, "typ": "JWT"}, ADA))


@pytest.mark.parametrize(
    "alg", [None, 256, True, ["HS256"], {"HS256": 1}, "hs256", "HS256 ", "RS256", "ES256", "EdDSA"]
)
def test_t36_no_other_algorithm(demo: Demo, alg: object) -> None:
    assert_a_stranger(demo, under_the_true_key(demo, {"alg": alg, "typ": "JWT"}, ADA))


@pytest.mark.parametrize(("alg", "digest"), [("HS384", "sha384"), ("HS512", "sha512")])
def test_t36_not_even_a_longer_hash_under_the_same_secret(demo: Demo, alg: str, digest: str) -> None:
    assert demo.secret is not None
    assert_a_stranger(demo, tokens.by_hand({"alg": alg}, ADA, demo.secret, digest))


def test_t36_a_header_without_an_algorithm(demo: Demo) -> None:
    assert_a_stranger(demo, under_the_true_key(demo, {"typ": "JWT"}, ADA))


@pytest.mark.parametrize("crit", [["exp"], ["b64"], ["x"], [], [1], "exp", None, True, {}])
def test_t37_any_crit(demo: Demo, crit: object) -> None:
    header = HS256 | {"crit": crit, "exp": 1, "b64": True, "x": 1}
    assert_a_stranger(demo, under_the_true_key(demo, header, ADA))


def test_t37_a_key_that_the_token_brings_along(demo: Demo) -> None:
    own = secrets.token_bytes(48)
    jwk = {"kty": "oct", "k": tokens.b64(own), "alg": "HS256"}
    assert_a_stranger(demo, tokens.by_hand(HS256 | {"jwk": jwk}, ADA, own))


def deep(levels: int) -> bytes:
    return b'{"sub": "u-7", "name": "Ada", "deep": ' + b"[" * levels + b"]" * levels + b"}"


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"null", id="null"),
        pytest.param(b'"u-7"', id="text"),
        pytest.param(b'[{"sub": "u-7"}]', id="list"),
        pytest.param(b'{"sub": "u-7"', id="cut"),
        pytest.param(b'{"sub": "u-7"} {}', id="more after the end"),
        pytest.param(b'{"sub": "u-7",}', id="trailing comma"),
        pytest.param(b"{'sub': 'u-7'}", id="single quotes"),
        pytest.param(b'\xef\xbb\xbf{"sub": "u-7"}', id="byte order mark"),
        pytest.param('{"sub": "u-7"}'.encode("utf-16"), id="UTF-16"),
        pytest.param(b'{"sub": "u-7", "name": "\\ud800"}', id="lone surrogate"),
        pytest.param(b'{"sub": "u-7", "name": "\xff"}', id="not UTF-8"),
        pytest.param(b'{"sub": "u-7", "exp": NaN}', id="NaN"),
        pytest.param(b'{"sub": "u-7", "exp": Infinity}', id="Infinity"),
        pytest.param(b'{"sub": "u-7", "other": NaN}', id="NaN elsewhere"),
        pytest.param(b'{"sub": "u-7", "exp": 1e999}', id="an endless number"),
        pytest.param(deep(129), id="a level too deep"),
        pytest.param(deep(20_000), id="t39 far too deep"),
    ],
)
def test_t39_a_payload_that_is_not_plain_json(demo: Demo, payload: bytes) -> None:
    assert_a_stranger(demo, under_the_true_key(demo, HS256, payload))


def test_t39_a_header_that_nests_without_end(demo: Demo) -> None:
    header = b'{"alg": "HS256", "x": ' + b'{"a":' * 8000 + b"1" + b"}" * 8000 + b"}"
    assert_a_stranger(demo, under_the_true_key(demo, header, ADA))


@pytest.mark.parametrize("spaces", [0, 1, 2])
def test_base64_has_one_alphabet_and_no_padding(demo: Demo, spaces: int) -> None:
    """Ordinary base64 under a true signature: `+` and `/` instead of `-` and `_`, and `=` at the end."""
    assert demo.secret is not None
    payload = json.dumps(ADA | {"x": "~~~???>>>" * 3}).encode() + b" " * spaces
    signed = f"{tokens.b64(json.dumps(HS256).encode())}.{base64.b64encode(payload).decode()}"
    assert set(signed) & set("+/=")
    assert_a_stranger(demo, f"{signed}.{tokens.signature(signed, demo.secret)}")


@pytest.mark.parametrize("text", ["x", ".", "..", "...", "a.b", "a.b.c", "a.b.c.d", "a.b.c.d.e", "é.é.é", "-", "null"])
def test_what_is_not_a_token_at_all(demo: Demo, text: str) -> None:
    assert_sent_to_login(demo.get("/ops/", ("Authorization", f"Bearer {text}")), "/ops/")


def test_t39_sixty_kilobytes_of_rubbish(demo: Demo) -> None:
    for token in ("A" * 60_000, "a." * 30_000, "." * 60_000, f"{'A' * 30_000}.{'B' * 29_000}.C"):
        assert_sent_to_login(demo.get("/ops/", ("Authorization", f"Bearer {token}")), "/ops/")


def test_t39_two_hundred_kilobytes_under_a_true_signature(demo: Demo) -> None:
    token = demo.mint(scope="x" * 150_000)
    assert len(token) > 200_000
    reply = demo.get("/ops/", token=token)
    assert reply.status in (303, 431)
    assert_no_way_in(reply)


@pytest.mark.parametrize(
    "value",
    [
        "{token}",
        "Basic {token}",
        "Token {token}",
        "JWT {token}",
        "Bearer",
        "Bearer ",
        "Bearer:{token}",
        "Bearer={token}",
        "Bearer{token}",
        "Bearer\t{token}",
        "Bearer\u00a0{token}",
        "Bearer {token} extra",
        "Bearer {token},",
        "Bearer {token}, Bearer {token}",
        "Bearer token={token}",
        'Bearer "{token}"',
        "Bearer {token};q=1",
        "Bearer \u00ff{token}",
        "Bear\u00e9r {token}",
        "Basic QTpC, Bearer {token}",
    ],
)
def test_t40_one_way_to_write_the_header(demo: Demo, value: str) -> None:
    assert_sent_to_login(demo.get("/ops/", ("Authorization", value.format(token=demo.mint()))), "/ops/")


@pytest.mark.parametrize("control", ["\x00", "\x0b", "\x0c", "\x1f", "\x7f", "\x85", "\r"])
def test_t40_controls_in_the_header(demo: Demo, control: str) -> None:
    for value in (f"Bearer{control}{demo.mint()}", f"Bearer {control}{demo.mint()}", f"Bearer {demo.mint()}{control}x"):
        assert_no_way_in(demo.get("/ops/", ("Authorization", value)))


@pytest.mark.parametrize("second", ["Bearer {token}", "Bearer x", "Basic QTpC", ""])
def test_t40_two_authorization_headers(demo: Demo, second: str) -> None:
    token = demo.mint()
    first, other = ("Authorization", f"Bearer {token}"), ("authorization", second.format(token=token))
    assert_sent_to_login(demo.get("/ops/", first, other), "/ops/")
    assert_sent_to_login(demo.get("/ops/", other, first), "/ops/")


@pytest.mark.parametrize("name", ["X-Authorization", "Proxy-Authorization", "Authorization2", "X-Api-Key"])
def test_another_header_is_not_a_credential(demo: Demo, name: str) -> None:
    assert_sent_to_login(demo.get("/ops/", (name, f"Bearer {demo.mint()}")), "/ops/")
