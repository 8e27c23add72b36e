"""`JWTAuthBackend`: whom a token proves, where it is looked for, and what the users are."""

from __future__ import annotations

import asyncio
import copy
import gc
import json
import pickle
import random
import threading
import time
import tracemalloc
from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import jwt
import pytest
from joserfc import jwt as jose
from joserfc.jwk import OctKey
from lilya.requests import Request as LilyaRequest
from starlette.requests import HTTPConnection
from starlette.requests import Request as StarletteRequest

from authgate import JWTAuthBackend, User

from differential import cases

SECRET = cases.SECRET
NOW = cases.NOW


def backend(**settings: Any) -> JWTAuthBackend:
    return JWTAuthBackend(**({"secret": SECRET} | settings))


def signed(**claims: Any) -> str:
    return jwt.encode({"sub": "ada"} | claims, SECRET, "HS256")


def raw(payload: str, header: str = '{"alg":"HS256"}') -> str:
    return cases.sign("HS256", header.encode(), payload.encode())


def user_of(payload: str, **settings: Any) -> User:
    user = backend(**settings).verify(raw(payload))
    assert user is not None, payload
    return user


def ask(request: Any, **settings: Any) -> User | None:
    return asyncio.run(backend(**settings).authenticate(request))


# Users


def test_a_user_has_the_claims_and_rights_of_the_token() -> None:
    claims = {
        "sub": "u-7",
        "name": "Ada",
        "is_admin": True,
        "roles": ["ops", 7],
        "tenant": {"id": [1.5, None]},
    }
    user = backend().verify(jwt.encode(claims, SECRET))
    assert isinstance(user, User)
    assert (user.id, user.name, user.is_admin, user.roles) == ("u-7", "Ada", True, ("ops", "7"))
    assert user.extra == {"claims": claims}
    assert (user["id"], user.get("claims"), user.get("x", 3), "claims" in user) == ("u-7", claims, 3, True)


@pytest.mark.parametrize(
    ("payload", "id", "name"),
    [
        ('{"uid":42,"name":"Ada"}', 42, "Ada"),
        ('{"uid":42}', 42, 42),
        ('{"uid":"42"}', "42", "42"),
        ('{"uid":-1.5,"name":""}', -1.5, -1.5),
        ('{"uid":1e3,"name":0}', 1000.0, 1000.0),
        ('{"uid":"7","name":7}', "7", 7),
        ('{"uid":7,"name":"7"}', 7, "7"),
        ('{"uid":"7","n\\u0061me":7.0}', "7", 7.0),
        ('{"uid":"ada","name":null}', "ada", "ada"),
        ('{"uid":"ada","name":["Ada"]}', "ada", ["Ada"]),
        ('{"uid":"ada","name":[]}', "ada", "ada"),
        ('{"uid":"ada","name":"ada"}', "ada", "ada"),
        ('{"uid":"-ada","name":"9lives"}', "-ada", "9lives"),
        (
            '{"uid":123456789012345678901234567890}',
            123456789012345678901234567890,
            123456789012345678901234567890,
        ),
        ('{"uid":"\\u00e9\\ud83d\\ude00"}', "é😀", "é😀"),
        ('{"uid":1,"uid":"last"}', "last", "last"),
    ],
)
def test_id_and_name_keep_the_type_that_the_token_gave_them(payload: str, id: Any, name: Any) -> None:
    user = user_of(payload, user_claim="uid")
    assert (user.id, type(user.id), user.name, type(user.name)) == (id, type(id), name, type(name))


@pytest.mark.parametrize("value", ["null", "true", "0", '""', "[]", "[1]", "{}", '{"a":1}', "0.0", "-0"])
def test_t31_what_cannot_identify_anybody_is_nobody(value: str) -> None:
    assert backend(user_claim="uid").verify(raw(f'{{"uid":{value}}}')) is None


@pytest.mark.parametrize("value", ["false", "1", "[true]", '{"true":true}', '"no"', "null", '["admin"]'])
def test_t31_only_true_and_the_words_for_it_make_an_administrator(value: str) -> None:
    assert user_of(f'{{"sub":"a","is_admin":{value}}}').is_admin is False
    assert user_of('{"sub":"a","is_admin":" YES "}').is_admin is True
    assert user_of('{"sub":"a","role":"admin","claims":{"is_admin":true}}').is_admin is False


@pytest.mark.parametrize(
    ("value", "roles"),
    [
        ("null", ()),
        ('"ops admin"', ("ops admin",)),
        ('["a","",null,"b",7,true,["x"],{"y":1},1.5]', ("a", "b", "7")),
        ("{}", ()),
        ('{"ops":true}', ()),
    ],
)
def test_roles_are_strings_and_integers(value: str, roles: tuple[str, ...]) -> None:
    assert user_of(f'{{"sub":"a","roles":{value}}}').roles == roles


def test_a_users_copies_are_equal_and_its_repr_has_no_claims() -> None:
    payload = '{"sub":"ada","email":"ada@example.org","roles":["ops"]}'
    user = user_of(payload)
    pickled: User = pickle.loads(pickle.dumps(user))
    for twin in (copy.copy(user), copy.deepcopy(user), pickled, user_of(payload)):
        assert twin == user and hash(twin) == hash(user) and twin is not user
        assert twin.extra == {"claims": {"sub": "ada", "email": "ada@example.org", "roles": ["ops"]}}
    assert repr(user) == "User(id='ada', name='ada', is_admin=False, roles=('ops',))"
    assert user != backend().verify(signed(email="eve@example.org", roles=["ops"]))


# Where the token is

CARRIERS: dict[str, Callable[[str], Any]] = {
    "an ASGI scope": lambda value: scope((b"authorization", value.encode())),
    "an ASGI scope with lists": lambda value: {
        "type": "http",
        "headers": [[b"authorization", value.encode()]],
    },
    "an ASGI scope with an iterator": lambda value: {
        "type": "http",
        "headers": iter([(b"authorization", value.encode())]),
    },
    "a websocket's scope": lambda value: {
        "type": "websocket",
        "headers": [(b"Authorization", value.encode())],
    },
    "Lilya": lambda value: LilyaRequest(scope((b"authorization", value.encode()))),
    "Starlette": lambda value: StarletteRequest(scope((b"authorization", value.encode()))),
    "Starlette, a connection": lambda value: HTTPConnection(scope((b"authorization", value.encode()))),
    "a WSGI environ": lambda value: {"REQUEST_METHOD": "GET", "HTTP_AUTHORIZATION": value},
    "a dict of headers": lambda value: SimpleNamespace(headers={"authorization": value}),
    "pairs of headers": lambda value: SimpleNamespace(headers=[("AUTHORIZATION", value), ("a", "b")]),
    "pairs of bytes": lambda value: SimpleNamespace(headers=[(b"Authorization", value.encode())]),
    "getlist": lambda value: SimpleNamespace(headers=Lists("getlist", [value])),
    "get_all": lambda value: SimpleNamespace(headers=Lists("get_all", [value])),
    "getall": lambda value: SimpleNamespace(headers=Lists("getall", [value])),
}


class Lists:
    """Headers that have a method for all values of a name; it says that there are none in its own way."""

    def __init__(self, method: str, values: list[str]) -> None:
        self.values = values
        setattr(self, method, getattr(self, f"_{method}"))

    def _getlist(self, name: str) -> list[str]:
        return self.values if name == "Authorization" else []

    def _get_all(self, name: str) -> list[str] | None:
        return self.values if name == "Authorization" else None

    def _getall(self, name: str) -> list[str]:
        if name != "Authorization":
            raise KeyError(name)
        return self.values


def scope(*fields: tuple[bytes, bytes]) -> dict[str, Any]:
    return {
        "type": "http",
        "method": "GET",
        "path": "/",
        "query_string": b"",
        "headers": [(b"host", b"x"), *fields],
    }


@pytest.mark.parametrize("carrier", CARRIERS.values(), ids=CARRIERS.keys())
def test_every_kind_of_request_is_read_alike(carrier: Callable[[str], Any]) -> None:
    user = ask(carrier(f"Bearer {signed()}"))
    assert user is not None and user.id == "ada"
    assert ask(carrier(f"bearer {signed()}")) == user
    assert ask(carrier(f"Bearer {signed()}"), header="X-Token") is None
    for value in (
        "",
        "Bearer",
        "Bearer ",
        signed(),
        f"Basic {signed()}",
        f"Bearer  {signed()}",
        f"Bearer {signed()}x",
    ):
        assert ask(carrier(value)) is None, value


def test_another_header_and_scheme_are_looked_for_where_they_are() -> None:
    settings = {"header": "X-Api-Token", "scheme": "Token"}
    value = f"token {signed()}"
    for request in (
        scope((b"x-api-token", value.encode())),
        {"REQUEST_METHOD": "GET", "HTTP_X_API_TOKEN": value},
    ):
        assert ask(request, **settings) is not None
        assert ask(request) is None


def test_t40_several_fields_prove_nothing() -> None:
    good = f"Bearer {signed()}"
    two = [(b"authorization", good.encode()), (b"Authorization", b"Bearer x")]
    for fields in (two, two[::-1], [two[0], two[0]], [two[0], (b"authorization", b"")]):
        assert ask(scope(*fields)) is None
        assert ask(StarletteRequest(scope(*fields))) is None
        assert ask(SimpleNamespace(headers=Lists("getlist", [value.decode() for _, value in fields]))) is None
    assert ask({"REQUEST_METHOD": "GET", "HTTP_AUTHORIZATION": f"{good},{good}"}) is None
    assert ask(SimpleNamespace(headers={"Authorization": good, "authorization": good})) is None


def test_t40_no_bytes_in_a_field_raise_anything() -> None:
    rng = random.Random(40)
    auth, good = backend(), f"Bearer {signed()}".encode()
    for _ in range(3000):
        value = bytearray(good if rng.random() < 0.7 else rng.randbytes(rng.randrange(60)))
        for _ in range(rng.randrange(1, 4)):
            value.insert(rng.randrange(len(value) + 1), rng.randrange(256))
        assert auth.authenticate_headers([(b"authorization", bytes(value))]) is None
        assert auth.authenticate_headers([("Authorization", value.decode("latin-1"))]) is None
    for text in ("Bearer \ud800", "Bearer é", "\u212aearer x", f"Bearer {signed()}\U0001f600"):
        assert auth.authenticate_headers([("Authorization", text)]) is None


def test_a_scope_that_has_no_fields_proves_nothing_and_its_iterator_is_given_back() -> None:
    assert ask({"type": "lifespan"}) is None
    assert ask({"REQUEST_METHOD": "GET"}) is None
    request = {"type": "http", "headers": iter([(b"authorization", f"Bearer {signed()}".encode())])}
    assert ask(request) is not None
    assert ask(request) is not None, "the application can still read it"


@pytest.mark.parametrize("request_", [None, 1, "x", object(), {}, {"a": 1}, []])
def test_what_is_no_request_is_a_type_error_that_names_it(request_: Any) -> None:
    with pytest.raises(TypeError, match="^request: "):
        ask(request_)


@pytest.mark.parametrize(
    "headers", [[(b"a",)], [1], [(1, 2)], [(b"authorization", 1)], 5, [(b"a", b"b", b"c")]]
)
def test_header_fields_of_the_wrong_type_are_the_callers_mistake(headers: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        backend().authenticate_headers(headers)


# One token


def test_text_and_bytes_are_tokens_and_nothing_else_is() -> None:
    auth, token = backend(), signed()
    assert auth.verify(token) == auth.verify(token.encode())
    for value in ("", ".", "..", "é", "\ud800", b"\xff", b"", token + "\n", token[:-1], "a" * 70_000):
        assert auth.verify(value) is None
        assert auth.explain(value)
    for other in (None, 1, bytearray(token.encode()), [token]):
        with pytest.raises(TypeError, match="^token: "):
            auth.verify(other)  # type: ignore[arg-type]


def test_the_reason_is_for_the_log_and_has_no_claim_in_it() -> None:
    auth = backend()
    assert auth.explain(signed()) is None
    told = auth.explain(signed(exp=1, email="ada@example.org"))
    assert told == "token-expired: the token has expired"
    assert (
        auth.explain(jwt.encode({"sub": "ada"}, SECRET[::-1]))
        == "token-signature: no key made the token's signature"
    )


def test_the_moment_may_be_named_and_is_the_present_otherwise() -> None:
    auth, token = backend(), signed(exp=NOW)
    assert auth.verify(token, NOW - 0.001) and auth.verify(token, now=NOW - 1)
    assert auth.verify(token, NOW) is None
    assert (
        auth.verify(signed(exp=int(time.time()) + 60))
        and auth.verify(signed(exp=int(time.time()) - 1)) is None
    )
    assert auth.verify(token, -1e300) and auth.verify(token, 1e300) is None
    for now in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match="^now: "):
            auth.verify(token, now)


@pytest.mark.parametrize("leeway", [10, 10.0, timedelta(seconds=10), -10, 0.5, timedelta(milliseconds=-500)])
def test_leeway_is_in_seconds_and_may_be_negative(leeway: Any) -> None:
    seconds = leeway.total_seconds() if isinstance(leeway, timedelta) else leeway
    auth = backend(leeway=leeway)
    assert (
        auth.verify(signed(exp=NOW), NOW + seconds - 0.001)
        and auth.verify(signed(exp=NOW), NOW + seconds) is None
    )
    assert (
        auth.verify(signed(nbf=NOW), NOW - seconds)
        and auth.verify(signed(nbf=NOW), NOW - seconds - 0.001) is None
    )


def test_t37_keys_that_the_token_brings_along_are_not_used() -> None:
    own = {"kty": "oct", "k": cases.encode(b"x" * 32)}
    forged = jwt.encode(
        {"sub": "ada"}, "x" * 32, headers={"jwk": own, "jku": "https://evil.example", "x5c": ["x"]}
    )
    assert backend().verify(forged) is None


def test_t39_deep_nesting_and_great_length_end_in_a_refusal() -> None:
    for levels in (126, 127, 5000, 20_000):
        deep = raw('{"sub":"ada","x":' + "[" * levels + "]" * levels + "}")
        assert (backend().verify(deep) is not None) is (levels == 126)
    assert backend().verify("." * 10_000_000) is None


@pytest.mark.parametrize("algorithm", [*cases.HMAC, *cases.PUBLIC])
def test_honest_tokens_of_every_algorithm_prove_their_user(algorithm: str) -> None:
    secret = SECRET if algorithm in cases.HMAC else cases.public(algorithm)
    private = (
        SECRET
        if algorithm in cases.HMAC
        else (cases.KEYS / f"{cases.PUBLIC[algorithm]}.private.pem").read_text()
    )
    token = jwt.encode({"sub": "ada", "exp": NOW + 60}, private, algorithm)
    for key in (secret, secret.encode()):
        user = JWTAuthBackend(secret=key, algorithms=[algorithm]).verify(token, NOW)
        assert user is not None and user.id == "ada"
    other = "HS384" if algorithm == "HS256" else "HS256"
    assert backend(algorithms=[other]).verify(token, NOW) is None


def test_other_issuers_write_tokens_that_are_read_alike() -> None:
    claims = {"sub": "ada", "name": "Ada ☃", "roles": ["ops"], "exp": NOW + 60, "aud": ["dash"], "iss": "me"}
    auth = backend(audience="dash", issuer="me")
    users = [auth.verify(jwt.encode(claims, SECRET), NOW)]
    for header in (
        {"alg": "HS256"},
        {"alg": "HS256", "typ": "JWT"},
        {"typ": "JWT", "alg": "HS256", "kid": "k"},
    ):
        users.append(auth.verify(jose.encode(header, claims, OctKey.import_key(SECRET)), NOW))
        users.append(
            auth.verify(raw(json.dumps(claims, ensure_ascii=False), json.dumps(header, indent=1)), NOW)
        )
    assert users[0] is not None and all(user == users[0] for user in users)


# Many


def test_threads_share_one_backend() -> None:
    auth = backend()
    tokens = [(f"u-{n}", signed(sub=f"u-{n}", roles=[f"r{n}"])) for n in range(200)]
    mistakes: list[Any] = []

    def work(seed: int) -> None:
        rng = random.Random(seed)
        try:
            for _ in range(5000):
                id, token = rng.choice(tokens)
                user = auth.verify(token)
                assert user is not None and user.id == id and user.roles == (f"r{id[2:]}",)
                assert auth.verify(token[:-5] + "AAAAA") is None
        except BaseException as mistake:
            mistakes.append(mistake)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert mistakes == []


def test_threads_may_read_one_user_for_the_first_time_together() -> None:
    auth, token = backend(), signed(n=1)
    for _ in range(200):
        user = auth.verify(token)
        read: list[Any] = []

        def work(user: Any = user, read: list[Any] = read) -> None:
            read.append((user.id, user.name, user.extra))

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(read) == 8 and all(one == read[0] and one[2] is read[0][2] for one in read)


def resident() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1])


def test_nothing_grows_with_the_number_of_tokens() -> None:
    auth, good = backend(), signed(roles=["ops"], email="ada@example.org")
    request = scope((b"authorization", f"Bearer {good}".encode()))

    def work(times: int) -> None:
        for _ in range(times):
            user = auth.verify(good)
            assert user is not None and user.name and user.roles and user.extra
            auth.verify(good + "x")
            auth.explain("x")
            auth.authenticate_headers(request["headers"])

    work(5000)
    gc.collect()
    objects, pages = len(gc.get_objects()), resident()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    work(20_000)
    gc.collect()
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    work(100_000)
    gc.collect()
    assert after - before < 10_000
    assert len(gc.get_objects()) - objects < 100
    assert resident() - pages < 1024, "four megabytes"
