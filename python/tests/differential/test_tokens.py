"""AsyncMQ's own backend, with PyJWT behind it, and ours, asked the same."""

from __future__ import annotations

import random
import warnings
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any

import pytest
from asyncmq.contrib.dashboard.admin.backends.jwt import JWTAuthBackend as Theirs
from lilya.requests import Request

from authgate import ConfigError, JWTAuthBackend

from . import cases
from .reasons import LISTED, REFUSED, UNUSABLE, Seen, grants_less

SETTINGS, TOKENS = 800, 16
SEED = 20_260_731


class Clock(datetime):
    """The time, as PyJWT asks for it."""

    moment = 0.0

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Clock:
        return cls.fromtimestamp(cls.moment, tz)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("jwt.api_jwt.datetime", Clock)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def ask_theirs(backend: Any, case: cases.Case) -> Any:
    Clock.moment = case.now
    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": case.fields}
    try:
        backend.authenticate(Request(scope)).send(None)
    except StopIteration as end:
        return end.value
    except Exception:
        # A request that ends in an error lets nobody in.
        return None
    raise AssertionError("it waits for something")


def facts(user: Any) -> tuple[Any, ...]:
    claims = user.extra["claims"]
    return type(user.id), repr(user.id), type(user.name), repr(user.name), user.is_admin, repr(claims)


def test_nobody_enters_whom_asyncmq_refuses_and_every_other_difference_is_listed() -> None:
    rng = random.Random(SEED)
    counts: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    accepted_by_algorithm: Counter[str] = Counter()
    for _ in range(SETTINGS):
        settings = cases.settings(rng)
        theirs, ours = Theirs(**settings), JWTAuthBackend(**settings)
        for _ in range(TOKENS):
            case = cases.case(rng, settings)
            their, our = ask_theirs(theirs, case), ours.authenticate_headers(case.fields, case.now)
            counts[f"theirs {their is not None}, ours {our is not None}"] += 1
            if their is None:
                assert our is None, f"ours lets {our} in: {case}"
                continue
            seen = Seen.of(case)
            if our is None:
                found = [name for name, holds in REFUSED.items() if holds(seen)]
                assert found, (
                    f"ours refuses, for no listed reason ({ours.explain(case.token, case.now)}): {case}"
                )
                reasons.update(found[:1] if len(found) == 1 else [])
                continue
            accepted_by_algorithm[seen.header["alg"]] += 1
            assert facts(our) == facts(their), case
            if our.roles != their.roles:
                claim = seen.claims.get(settings.get("roles_claim", "roles"))
                assert grants_less(claim, their.roles, our.roles), f"{their.roles} {our.roles}: {case}"
                counts["fewer roles"] += 1
    print(counts, reasons, accepted_by_algorithm, sep="\n")
    assert set(reasons) == set(REFUSED), "a reason that never was the only one is none"
    assert set(accepted_by_algorithm) == {*cases.HMAC, *cases.PUBLIC}
    assert counts["theirs True, ours True"] > 2000 and counts["theirs False, ours False"] > 1500


def test_mutated_honest_tokens_are_judged_alike() -> None:
    rng = random.Random(SEED)
    settings: dict[str, Any] = {"secret": cases.SECRET, "audience": "dash"}
    theirs, ours = Theirs(**settings), JWTAuthBackend(**settings)
    token = cases.sign(
        "HS256", b'{"alg":"HS256","typ":"JWT"}', b'{"sub":"ada","aud":"dash","exp":1900000000}'
    )
    for _ in range(1500):
        bytes_ = bytearray(token.encode())
        for _ in range(rng.choice([1, 1, 2, 3])):
            at = rng.randrange(len(bytes_))
            match rng.randrange(4):
                case 0:
                    bytes_[at] ^= 1 << rng.randrange(8)
                case 1:
                    bytes_.insert(at, rng.randrange(256))
                case 2:
                    del bytes_[at]
                case _:
                    bytes_[at:at] = bytes_[at : at + rng.randrange(8)]
        case = cases.Case(
            settings, [(b"host", b"x"), (b"authorization", b"Bearer " + bytes(bytes_))], cases.NOW
        )
        their, our = ask_theirs(theirs, case), ours.authenticate_headers(case.fields, case.now)
        assert (our is None) == (their is None), bytes_


CONSTRUCTIONS: list[dict[str, Any]] = [
    *(
        {"algorithms": value}
        for value in ([], ["none"], ["HS256", "none"], ["hs256"], ["ES256K"], ["ES521"], ["x"])
    ),
    *({"algorithms": [value]} for value in ("HS256", "HS384", "HS512")),
    *({"algorithms": [value], "secret": None} for value in cases.PUBLIC),
    *({"algorithms": [value], "secret": cases.public(value)} for value in cases.PUBLIC),
    *({"algorithms": [value], "secret": cases.SECRET} for value in cases.PUBLIC),
    {"algorithms": ["HS256", "RS256"]},
    {"algorithms": ["HS256", "RS256"], "secret": cases.public("RS256")},
    {"algorithms": ["ES256"], "secret": cases.public("ES384")},
    {"algorithms": ["RS256", "ES256"], "secret": cases.public("RS256")},
    {"secret": None},
    *({"secret": "x" * length} for length in (0, 1, 31, 32, 33)),
    *({"secret": cases.public(value)} for value in ("RS256", "ES256", "EdDSA")),
    {"secret": '{"kty":"oct","k":"' + "A" * 60 + '"}'},
    {"secret": "ssh-rsa " + "A" * 60},
    *(
        {"secret": (cases.KEYS / f"{name}.pem").read_text(), "algorithms": ["RS256"]}
        for name in ("rsa1024", "rsa2048.pkcs1")
    ),
    {"secret": (cases.KEYS / "rsa2048.private.pem").read_text(), "algorithms": ["RS256"]},
    *({"audience": value} for value in (None, "a", "", [], [""], ["a", ""], ("a",), {"a"}, {"a": 1})),
    *({"issuer": value} for value in (None, "a", "", [], [""], ["a", ""], ("a",), {"a"}, {"a": 1})),
    *({"header": value} for value in ("X-Token", "", "X Token", "X:", "x_y")),
    *({"scheme": value} for value in ("JWT", "", "a b", "a:", "a.b")),
    *(
        {name: value}
        for name in ("user_claim", "user_name_claim", "admin_claim", "roles_claim")
        for value in ("", "x y", "é")
    ),
    *(
        {"leeway": value}
        for value in (0, 1, -1, 0.5, 1e9, 1e10, float("nan"), float("inf"), -float("inf"), True)
    ),
    *(
        {"verify_options": value}
        for value in (None, {}, {"verify_exp": False}, {"verify_exp": 0, "require": ["exp"]})
    ),
    *(
        {"verify_options": value}
        for value in ({"verify_signature": False}, {"verify_signature": 0}, {"verify_signature": 1})
    ),
    *(
        {"verify_options": value}
        for value in ({"verify_ex": True}, {"": 1}, {"strict_aud": True}, {"strict_aud": False})
    ),
    {"verify_options": {"strict_aud": True}, "audience": ["a"]},
    {"verify_options": {"strict_aud": True}, "audience": "a"},
    {"verify_options": {"enforce_minimum_key_length": True}},
]


def test_what_asyncmq_accepts_at_construction_is_refused_for_listed_reasons_only() -> None:
    used = set()
    for changes in CONSTRUCTIONS:
        settings: dict[str, Any] = {"secret": cases.SECRET, "algorithms": ["HS256"]} | changes
        refusal = None
        try:
            JWTAuthBackend(**settings)
        except ConfigError as error:
            refusal = error
        try:
            Theirs(**settings)
        except ValueError:
            assert refusal, f"ours takes {changes}"
            continue
        if refusal:
            listed = [
                n for n, (name, holds) in UNUSABLE.items() if name == refusal.argument and holds(settings)
            ]
            assert listed, f"{changes}: {refusal}"
            assert str(refusal).startswith(f"{refusal.argument}: ")
            used.update(listed)
    assert used == set(UNUSABLE), set(UNUSABLE) - used


@pytest.mark.parametrize("difference", LISTED, ids=[difference["what"] for difference in LISTED])
def test_every_listed_difference_is_there(difference: dict[str, Any]) -> None:
    what, case = difference["what"], cases.witness(difference["witness"])
    theirs = Theirs(**case.settings)
    if what in UNUSABLE:
        argument, holds = UNUSABLE[what]
        assert holds(case.settings)
        with pytest.raises(ConfigError) as refused:
            JWTAuthBackend(**case.settings)
        assert refused.value.argument == argument
        return
    assert ask_theirs(theirs, case), "theirs refuses it, too"
    ours = JWTAuthBackend(**case.settings)
    assert ours.authenticate_headers(case.fields, case.now) is None, "ours takes it"
    assert REFUSED[what](Seen.of(case))


def test_there_is_one_list_of_differences() -> None:
    assert [difference["what"] for difference in LISTED] == [*REFUSED, *UNUSABLE]


def test_the_list_in_the_code_is_the_one_that_people_read() -> None:
    readme = Path(__file__).parents[2] / "README.md"
    text = readme.read_text()
    if "## Differences" not in text:
        pytest.skip("the README has no list yet")
    assert [name for name in [*REFUSED, *UNUSABLE] if name not in text] == []
