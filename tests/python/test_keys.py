"""Public keys, key sets, audience and issuer: what the demo's flags make of a token."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from support import tokens
from support.checks import assert_sent_to_login
from support.program import Demo, running

ADA = {"sub": "u-7", "name": "Ada Lovelace"}
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
SPKI = PublicFormat.SubjectPublicKeyInfo


def pem_of(key: Any) -> bytes:
    pem = key.public_key().public_bytes(Encoding.PEM, SPKI)
    assert isinstance(pem, bytes)
    return pem


def opens(demo: Demo, token: str) -> bool:
    """Whether the token lets its sender in; anything but a clear yes or a clear no fails the test."""
    reply = demo.get("/ops/", token=token)
    if reply.status != 200:
        assert_sent_to_login(reply, "/ops/")
    return reply.status == 200


@pytest.fixture(scope="module")
def rsa_demo(runtime: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    path = tmp_path_factory.mktemp("keys") / "public.pem"
    path.write_bytes(pem_of(RSA_KEY))
    with running(runtime, "--public-key-file", path, "--algorithm", "RS256") as demo:
        yield demo


def test_a_public_key_accepts_what_its_private_key_signed(rsa_demo: Demo) -> None:
    assert opens(rsa_demo, jwt.encode(ADA, RSA_KEY, "RS256"))


def test_another_private_key_is_refused(rsa_demo: Demo) -> None:
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    assert not opens(rsa_demo, jwt.encode(ADA, other, "RS256"))


@pytest.mark.parametrize("alg", ["RS384", "RS512", "PS256"])
def test_t36_an_algorithm_that_was_not_named_is_refused(rsa_demo: Demo, alg: str) -> None:
    assert not opens(rsa_demo, jwt.encode(ADA, RSA_KEY, alg))


def test_t36_the_public_key_is_never_an_hmac_secret(rsa_demo: Demo) -> None:
    pem = pem_of(RSA_KEY)
    der = RSA_KEY.public_key().public_bytes(Encoding.DER, SPKI)
    pkcs1 = RSA_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.PKCS1)
    for secret in (pem, pem.rstrip(), pem.replace(b"\n", b"\r\n"), der, pkcs1, b""):
        for alg, digest in (("HS256", "sha256"), ("RS256", "sha256"), ("HS512", "sha512")):
            assert not opens(rsa_demo, tokens.by_hand({"alg": alg, "typ": "JWT"}, ADA, secret, digest))


def test_t36_a_token_without_signature_is_refused_by_a_public_key_too(rsa_demo: Demo) -> None:
    for alg in ("none", "None", "RS256", "HS256"):
        assert not opens(rsa_demo, tokens.unsigned({"alg": alg}, ADA))


@pytest.mark.parametrize(
    ("alg", "key"),
    [
        ("RS512", RSA_KEY),
        ("PS256", RSA_KEY),
        ("ES256", ec.generate_private_key(ec.SECP256R1())),
        ("ES384", ec.generate_private_key(ec.SECP384R1())),
        ("EdDSA", ed25519.Ed25519PrivateKey.generate()),
    ],
)
def test_every_family_of_signatures_works(runtime: str, tmp_path: Path, alg: str, key: Any) -> None:
    path = tmp_path / "public.pem"
    path.write_bytes(pem_of(key))
    with running(runtime, "--public-key-file", path, "--algorithm", alg) as demo:
        token = jwt.encode(ADA, key, alg)
        assert opens(demo, token)
        assert not opens(demo, token[:-8] + ("A" * 8 if token[-8:] != "A" * 8 else "B" * 8))


def jwk_of(key: Any, alg: Any, kid: str | None) -> dict[str, object]:
    jwk: dict[str, object] = alg.to_jwk(key.public_key(), as_dict=True)
    return jwk | {"use": "sig"} | ({"kid": kid} if kid else {})


def test_a_key_set_finds_its_key_by_kid_and_by_trying(runtime: str, tmp_path: Path) -> None:
    curve = ec.generate_private_key(ec.SECP256R1())
    keys = [
        jwk_of(RSA_KEY, jwt.algorithms.RSAAlgorithm, "old") | {"alg": "RS256"},
        jwk_of(curve, jwt.algorithms.ECAlgorithm, "new") | {"alg": "ES256"},
    ]
    path = tmp_path / "jwks.json"
    path.write_text(json.dumps({"keys": keys}))
    with running(runtime, "--jwks-file", path, "--algorithm", "RS256", "--algorithm", "ES256") as demo:
        assert opens(demo, jwt.encode(ADA, RSA_KEY, "RS256", headers={"kid": "old"}))
        assert opens(demo, jwt.encode(ADA, curve, "ES256", headers={"kid": "new"}))
        assert opens(demo, jwt.encode(ADA, curve, "ES256"))
        assert not opens(demo, jwt.encode(ADA, ec.generate_private_key(ec.SECP256R1()), "ES256", {"kid": "new"}))
        assert not opens(demo, jwt.encode(ADA, RSA_KEY, "RS256", headers={"kid": "new"}))


@pytest.fixture(scope="module")
def strict_demo(runtime: str, secret: str) -> Iterator[Demo]:
    with running(runtime, "--audience", "dashboard", "--issuer", "https://issuer.example", secret=secret) as demo:
        yield demo


GOOD = {"aud": "dashboard", "iss": "https://issuer.example"}


@pytest.mark.parametrize("audience", ["dashboard", ["dashboard"], ["other", "dashboard"]])
def test_the_audience_may_be_one_or_one_of_many(strict_demo: Demo, audience: object) -> None:
    assert opens(strict_demo, strict_demo.mint(**GOOD | {"aud": audience}))


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": None},
        {"aud": "other"},
        {"aud": "Dashboard"},
        {"aud": "dashboard "},
        {"aud": ["other"]},
        {"aud": []},
        {"aud": ["dashboard", 7]},
        {"aud": 7},
        {"aud": {"dashboard": True}},
        {"aud": True},
        {"iss": None},
        {"iss": "https://issuer.example/"},
        {"iss": "https://evil.example"},
        {"iss": ["https://issuer.example"]},
        {"iss": 7},
        {"iss": ""},
    ],
)
def test_t38_a_configured_audience_and_issuer_are_demanded(strict_demo: Demo, claims: dict[str, object]) -> None:
    """By hand, as PyJWT itself refuses to make some of these."""
    assert strict_demo.secret is not None
    wanted = {name: value for name, value in (ADA | GOOD | claims).items() if value is not None}
    assert not opens(strict_demo, tokens.by_hand({"alg": "HS256"}, wanted, strict_demo.secret))


def test_the_demo_s_own_token_meets_its_own_demands(strict_demo: Demo) -> None:
    assert strict_demo.token is not None
    assert opens(strict_demo, strict_demo.token)


def test_a_token_for_one_demo_is_worthless_at_another(runtime: str, demo: Demo) -> None:
    with running(runtime) as other:
        assert other.token is not None and demo.token is not None
        assert opens(other, other.token)
        assert not opens(other, demo.token)
        assert not opens(demo, other.token)
        assert not opens(other, demo.mint(exp=int(time.time()) + 60))
