"""`JWTAuthBackend`'s arguments: what each takes, and how a mistake is told."""

from __future__ import annotations

import inspect
import json
import pickle
import warnings
from datetime import timedelta
from decimal import Decimal
from typing import Any

import jwt
import pytest
from asyncmq.contrib.dashboard.admin.backends.jwt import JWTAuthBackend as Theirs

from authgate import ConfigError, JWTAuthBackend, ShortSecretWarning

from differential import cases

SECRET = cases.SECRET
RSA = cases.public("RS256")
JWKS = json.loads((cases.KEYS / "jwks.json").read_text())


def read(name: str) -> str:
    return (cases.KEYS / f"{name}.pem").read_text()


GOOD: list[dict[str, Any]] = [
    {},
    {"secret": SECRET.encode()},
    {"algorithms": ("HS256",)},
    {"algorithms": {"HS512"}},
    {"algorithms": (name for name in ["HS256", "HS384", "HS256"])},
    {"audience": "a"},
    {"audience": ("a", "b")},
    {"audience": {"a": 1}},
    {"issuer": "a"},
    {"issuer": {"a", "b"}},
    {"header": "X-Token"},
    {"scheme": "JWT"},
    {"user_claim": "é", "user_name_claim": "a b", "admin_claim": "https://x/admin", "roles_claim": "x"},
    {"leeway": 0.5},
    {"leeway": -60},
    {"leeway": timedelta(minutes=1)},
    {"leeway": True},
    {"verify_options": None},
    {"verify_options": {}},
    {"verify_options": {"verify_signature": True, "verify_exp": 0, "require": ("exp",), "strict_aud": False}},
    {"verify_options": {"enforce_minimum_key_length": True}},
    {"verify_options": {"strict_aud": True}, "audience": "a"},
    {"secret": RSA, "algorithms": ["RS256", "PS512"]},
    {"secret": read("ed25519").encode(), "algorithms": ["EdDSA"]},
    {"secret": None, "keys": [RSA, read("p-256")], "algorithms": ["RS256", "ES256"]},
    {"secret": None, "keys": JWKS["keys"][:1], "algorithms": ["RS256"]},
    {"secret": None, "keys": [json.dumps(JWKS["keys"][1])], "algorithms": ["ES256"]},
    {"secret": None, "jwks": JWKS, "algorithms": ["RS256", "EdDSA"]},
    {"secret": None, "jwks": json.dumps(JWKS).encode(), "algorithms": ["ES512"]},
    {"secret": None, "keys": [{"kty": "oct", "k": cases.encode(SECRET.encode())}]},
    {"keys": [RSA], "algorithms": ["HS256", "RS256"]},
    {"keys": []},
]

# The argument that is told, and what else the message has.
REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"secret": None}, "secret", "no key for HS256"),
    ({"secret": None, "algorithms": ["RS256"]}, "secret", "PEM"),
    ({"secret": ""}, "secret", "0 bytes"),
    ({"secret": "x" * 31}, "secret", "31 bytes"),
    ({"secret": "é" * 15}, "secret", "30 bytes"),
    ({"secret": "x\ud800" + "x" * 40}, "secret", "surrogate"),
    (
        {"secret": "x" * 40, "algorithms": ["HS512"], "verify_options": {"enforce_minimum_key_length": 1}},
        "secret",
        "64",
    ),
    ({"secret": RSA}, "secret", "PEM"),
    ({"secret": "\ufeff " + RSA}, "secret", "PEM"),
    ({"secret": RSA, "algorithms": ["HS256", "RS256"]}, "secret", "PEM"),
    ({"secret": json.dumps(JWKS)}, "secret", "JWK"),
    ({"secret": read("rsa2048.private"), "algorithms": ["RS256"]}, "secret", "private"),
    ({"secret": read("rsa1024"), "algorithms": ["RS256"]}, "secret", "2048"),
    ({"secret": SECRET, "algorithms": ["RS256"]}, "secret", "BEGIN PUBLIC KEY"),
    ({"secret": b"\xff" * 40, "algorithms": ["RS256"]}, "secret", "BEGIN PUBLIC KEY"),
    ({"algorithms": []}, "algorithms", "empty"),
    ({"algorithms": ["none"]}, "algorithms", "none"),
    ({"algorithms": ["HS256", "NONE"]}, "algorithms", "NONE"),
    ({"algorithms": ["hs256"]}, "algorithms", "hs256"),
    ({"algorithms": ["HS256", "RS256"]}, "algorithms", "RS256"),
    ({"audience": ""}, "audience", "nobody"),
    ({"audience": []}, "audience", "nobody"),
    ({"issuer": ["a", ""]}, "issuer", "nobody"),
    ({"header": ""}, "header", "Authorization"),
    ({"header": "X Token"}, "header", "X Token"),
    ({"scheme": "Bearer "}, "scheme", "Bearer"),
    ({"user_claim": ""}, "user_claim", "empty"),
    ({"user_name_claim": ""}, "user_name_claim", "empty"),
    ({"admin_claim": ""}, "admin_claim", "empty"),
    ({"roles_claim": ""}, "roles_claim", "empty"),
    ({"leeway": float("nan")}, "leeway", "NaN"),
    ({"leeway": float("inf")}, "leeway", "inf"),
    ({"leeway": 10**400}, "leeway", "inf"),
    ({"leeway": timedelta(days=-99_999)}, "leeway", "seconds"),
    ({"verify_options": {"verify_signature": False}}, "verify_options", "always"),
    ({"verify_options": {"verify_signature": None}}, "verify_options", "always"),
    ({"verify_options": {"verify_expp": True}}, "verify_options", "verify_expp"),
    ({"verify_options": {"strict_aud": True}}, "verify_options", "audience"),
    ({"verify_options": {"strict_aud": True}, "audience": ["a"]}, "verify_options", "audience"),
    ({"verify_options": {"require": [str(n) for n in range(65)]}}, "verify_options", "64"),
    ({"secret": None, "keys": []}, "secret", "keys"),
    ({"keys": ["x"]}, "keys", "BEGIN"),
    ({"keys": ["{}"]}, "keys", "JWK"),
    ({"keys": [{"kty": "RSA"}]}, "keys", "JWK"),
    ({"keys": [{"kty": {1}}]}, "keys", "JSON"),
    ({"keys": [read("p-256.private")]}, "keys", "private"),
    ({"keys": [read("p-256")]}, "algorithms", "fits none"),
    ({"secret": None, "keys": [{"kty": "oct", "k": "AAAA"}]}, "keys", "3 bytes"),
    ({"jwks": ""}, "jwks", "JWK Set"),
    ({"jwks": {"keys": []}}, "jwks", "no key"),
    ({"jwks": {"kty": "RSA"}}, "jwks", "JWK Set"),
    ({"secret": None, "jwks": JWKS, "algorithms": ["HS256"]}, "algorithms", "HS256"),
]

WRONG: list[tuple[str, list[Any]]] = [
    ("secret", [1, ["x"], bytearray(b"x" * 40)]),
    ("algorithms", ["HS256", None, 1, [1], [None], [b"HS256"]]),
    ("audience", [1, [1], b"a", ["a", None]]),
    ("issuer", [1, [1], b"a", ["a", None]]),
    ("header", [None, 1, b"X"]),
    ("scheme", [None, 1, b"X"]),
    ("user_claim", [None, 1]),
    ("user_name_claim", [None, 1]),
    ("admin_claim", [None, 1]),
    ("roles_claim", [None, 1, ["roles"]]),
    ("leeway", [None, "1", Decimal(1), 1j]),
    ("verify_options", [1, "x", ["verify_exp"], {"require": "exp"}, {"require": None}, {"require": [1]}]),
    ("keys", [RSA, RSA.encode(), JWKS["keys"][0], 1, [1], [None]]),
    ("jwks", [1, [], [JWKS]]),
]


@pytest.mark.parametrize("settings", GOOD, ids=str)
def test_what_makes_sense_is_taken(settings: dict[str, Any]) -> None:
    JWTAuthBackend(**({"secret": SECRET} | settings))


@pytest.mark.parametrize(("settings", "argument", "text"), REFUSED)
def test_t36_what_does_not_is_refused_at_construction(
    settings: dict[str, Any], argument: str, text: str
) -> None:
    settings = {"secret": SECRET} | settings
    with pytest.raises(ConfigError) as refused:
        JWTAuthBackend(**settings)
    told = str(refused.value)
    assert refused.value.argument == argument and told.startswith(f"{argument}: ") and text in told
    assert isinstance(refused.value, ValueError)
    assert not settings["secret"] or str(settings["secret"]) not in told


@pytest.mark.parametrize(("argument", "value"), [(name, value) for name, values in WRONG for value in values])
def test_a_wrong_type_is_named(argument: str, value: Any) -> None:
    with pytest.raises(TypeError, match=f"^{argument}: "):
        JWTAuthBackend(**({"secret": SECRET} | {argument: value}))


def test_the_signature_is_asyncmqs_and_three_arguments_more() -> None:
    theirs = inspect.signature(Theirs.__init__).parameters
    ours = inspect.signature(JWTAuthBackend.__init__).parameters
    for name, parameter in theirs.items():
        assert (ours[name].kind, ours[name].default) == (parameter.kind, parameter.default), name
    assert set(ours) - set(theirs) == {"keys", "jwks", "jwks_url"}
    with pytest.raises(TypeError):
        JWTAuthBackend(SECRET)  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        JWTAuthBackend(secret=SECRET, algorithm="HS256")  # type: ignore[call-arg]


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"algorithms": ("HS256", "HS512"), "audience": "a", "issuer": "b", "leeway": 5},
        {"verify_options": {}, "header": "X-T", "scheme": "T", "user_claim": "a", "user_name_claim": "b"},
        {"verify_options": {"verify_exp": False}, "admin_claim": "c", "roles_claim": "d"},
    ],
)
def test_settings_can_be_read_as_from_asyncmqs_and_not_changed(settings: dict[str, Any]) -> None:
    ours, theirs = JWTAuthBackend(secret=SECRET, **settings), Theirs(secret=SECRET, **settings)
    for name, value in vars(theirs).items():
        if name == "secret":
            continue
        assert getattr(ours, name) == value, name
        with pytest.raises(AttributeError, match=f"^{name}: "):
            setattr(ours, name, value)
    ours.other = 1


def test_the_secret_is_neither_an_attribute_nor_printed_nor_pickled() -> None:
    backend = JWTAuthBackend(secret=SECRET, keys=[{"kty": "oct", "k": cases.encode(SECRET.encode())}])
    assert not hasattr(backend, "secret") and not hasattr(backend, "keys")
    for text in (repr(backend), str(backend), str(vars(backend))):
        assert "secret" not in text and SECRET not in text
    assert repr(backend) == "JWTAuthBackend(algorithms=['HS256'], header='Authorization', scheme='Bearer')"
    with pytest.raises(TypeError):
        pickle.dumps(backend)


def test_a_short_secret_works_with_a_warning() -> None:
    with pytest.warns(ShortSecretWarning, match="40 bytes are fewer than HS384 and HS512") as told:
        backend = JWTAuthBackend(secret="x" * 40, algorithms=["HS256", "HS384", "HS512"])
    assert told[0].filename == __file__
    for algorithm in cases.HMAC:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            token = jwt.encode({"sub": "ada"}, "x" * 40, algorithm)
        assert backend.verify(token) is not None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        JWTAuthBackend(secret="x" * 32)
        JWTAuthBackend(secret="x" * 64, algorithms=cases.HMAC)


def test_a_subclass_may_take_other_arguments() -> None:
    class Tenant(JWTAuthBackend):
        def __init__(self, tenant: str) -> None:
            self.tenant = tenant
            super().__init__(secret=SECRET, audience=tenant)

    backend = Tenant("acme")
    assert backend.tenant == "acme" and repr(backend).startswith("Tenant(")
    assert backend.verify(jwt.encode({"sub": "ada", "aud": "acme"}, SECRET)) is not None
    assert backend.verify(jwt.encode({"sub": "ada", "aud": "else"}, SECRET)) is None

    class Forgetful(JWTAuthBackend):
        def __init__(self) -> None:
            pass

    with pytest.raises(TypeError, match="super"):
        Forgetful().verify("x")
    assert repr(Forgetful()) == "<Forgetful, not set up>"
    with pytest.raises(TypeError, match="once"):
        backend.__init__("again")  # type: ignore[misc]


def test_t35_no_option_turns_the_signature_off() -> None:
    off = dict.fromkeys(
        ("verify_exp", "verify_nbf", "verify_iat", "verify_aud", "verify_iss", "verify_sub", "verify_jti")
    )
    backend = JWTAuthBackend(secret=SECRET, verify_options=off)
    claims = {"sub": "ada", "exp": 1, "nbf": "x", "aud": "x", "jti": 1}
    assert backend.verify(jwt.encode(claims, SECRET)) is not None
    assert backend.verify(jwt.encode(claims, SECRET[::-1])) is None


def test_changing_the_options_afterwards_changes_nothing() -> None:
    options = {"verify_exp": True}
    backend = JWTAuthBackend(secret=SECRET, verify_options=options)
    options["verify_exp"] = False
    assert backend.verify_options == {"verify_exp": True}
    with pytest.raises(TypeError):
        backend.verify_options["verify_exp"] = False  # type: ignore[index]
    assert backend.verify(jwt.encode({"sub": "ada", "exp": 1}, SECRET)) is None


def test_keys_rotate_by_their_id() -> None:
    old, new = b"o" * 32, b"n" * 32
    keys = [{"kty": "oct", "k": cases.encode(key), "kid": kid} for key, kid in ((old, "old"), (new, "new"))]
    for backend in (JWTAuthBackend(keys=keys), JWTAuthBackend(jwks={"keys": keys})):
        for key, kid, opens in (
            (old, "old", True),
            (new, "new", True),
            (old, "new", False),
            (new, "x", True),
        ):
            token = jwt.encode({"sub": "ada"}, key, headers={"kid": kid})
            assert (backend.verify(token) is not None) is opens
        assert backend.verify(jwt.encode({"sub": "ada"}, new)) is not None


def test_there_are_no_extra_routes() -> None:
    assert JWTAuthBackend(secret=SECRET).routes() == []
