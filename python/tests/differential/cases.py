"""Random tokens, honest ones and others, with random settings: whatever may tell two verifiers apart."""

from __future__ import annotations

import base64
import json
import random
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from jwt.algorithms import get_default_algorithms

KEYS = Path(__file__).parents[3] / "tests" / "keys"
SECRET = "a secret of sixty-four bytes that is known to the tests only ...."
NOW = 1_800_000_000

HMAC = ["HS256", "HS384", "HS512"]
PUBLIC = {
    "RS256": "rsa2048",
    "RS384": "rsa2048",
    "RS512": "rsa2048",
    "PS256": "rsa2048",
    "PS384": "rsa2048",
    "PS512": "rsa2048",
    "ES256": "p-256",
    "ES384": "p-384",
    "ES512": "p-521",
    "EdDSA": "ed25519",
}
TIMES = ("exp", "nbf", "iat")
REGISTERED = (*TIMES, "iss", "aud", "sub", "jti")
SWITCHES = ("verify_exp", "verify_nbf", "verify_iat", "verify_aud", "verify_iss", "verify_sub", "verify_jti")

# The JSON of every type, and of what is nearly one.
ODD = (
    [
        "null",
        "true",
        "false",
        "0",
        "1",
        "-1",
        "-0",
        "1.5",
        "0.0",
        "-0.0",
        "1e3",
        "1e-400",
        "1e400",
        '""',
        '"x"',
    ]
    + ["[]", '["x"]', "[1]", '["x",1]', "[null]", "[[]]", "{}", '{"a":1}', '"1"', '" 1 "', '"1_0"', '"١"']
    + [
        "NaN",
        "Infinity",
        "-Infinity",
        '"\\ud83d"',
        '"\\ud83d\\ude00"',
        '"\\u0000"',
        '"é😀"',
        '"\\/"',
        "01",
        "1.",
    ]
    + [
        "12345678901234567890123456789",
        "-12345678901234567890123456789",
        "7" * 4300,
        "7" * 4301,
        "1." + "7" * 4400,
    ]
    + [
        '"' + "7" * 4301 + '"',
        "+1",
        "0x1",
        "undefined",
        "'x'",
        '"a\tb"',
        '"\\x41"',
        "[1,]",
        "1E5",
        "1e+2",
        "9" * 400,
    ]
)
ADMINS = [
    "true",
    "false",
    '"true"',
    '" Yes\\n"',
    '"ON"',
    '"1"',
    "1",
    '"no"',
    '"\\u001ctrue"',
    '"\\u00a0yes"',
    '"ｙes"',
]
ROLES = ['["ops"]', '["ops","viewer"]', '"ops"', "[]", '["ops",7,-3]', "null", '["",null,0,"x"]', '"a b"']
ODD_ROLES = [
    '["a",true]',
    "[1.5]",
    '[["x"]]',
    '[{"a":1}]',
    "7",
    "true",
    "false",
    "0",
    '{"ops":true}',
    '""',
    "[0.0]",
]


@dataclass
class Case:
    """One question to both: settings, a request's header fields, and the moment it is asked."""

    settings: dict[str, Any]
    fields: list[tuple[bytes, bytes]]
    now: float
    token: str = ""
    header: bytes = b""
    payload: bytes = b""
    tampered: bool = False
    notes: list[str] = field(default_factory=list)


def settings(random: random.Random) -> dict[str, Any]:
    """Constructor arguments; most of them sensible."""
    pick: dict[str, Any] = {}
    if random.random() < 0.7:
        pick["secret"] = SECRET
        pick["algorithms"] = random.choice(
            [["HS256"], ["HS256"], ["HS384"], ["HS512"], ("HS256", "HS512"), HMAC]
        )
    else:
        algorithm = random.choice(list(PUBLIC))
        pick["secret"] = public(algorithm)
        pick["algorithms"] = [algorithm]
        if algorithm[1] == "S" and algorithm[0] in "RP" and random.random() < 0.3:
            pick["algorithms"] = ["RS256", "PS512", algorithm]
    options: dict[str, Any] = {}
    for name in SWITCHES:
        if random.random() < 0.12:
            options[name] = random.choice([True, False, False, 0, 1, "", "yes", None, []])
    if random.random() < 0.2:
        options["require"] = random.sample(["exp", "nbf", "iat", "iss", "aud", "sub", "jti", "tenant", ""], 2)
    choices: dict[str, list[Any]] = {
        "audience": [None, None, "dash", "dash", ["dash", "ops"], ("ops",), {"dash"}],
        "issuer": [None, None, None, "me", ["me", "you"], ("you",)],
        "leeway": [0, 0, 0, 5, 0.5, -5, -0.25, 0.125, 3600, timedelta(seconds=1.5), 0.1, 0.0003, 0.0003, 1e9],
        "header": ["Authorization"] * 8 + ["X-Token", "authorization"],
        "scheme": ["Bearer"] * 8 + ["JWT", "bearer", "X-y.z"],
        "user_claim": ["sub"] * 6 + ["uid", "uid", "exp", "clé"],
        "user_name_claim": ["name"] * 6 + ["nick", "sub", "jti", "roles"],
        "admin_claim": ["is_admin"] * 6 + ["admin", "name"],
        "roles_claim": ["roles"] * 6 + ["groups", "aud", "name"],
    }
    for name, values in choices.items():
        if random.random() < 0.5:
            pick[name] = random.choice(values)
    if random.random() < 0.1 and isinstance(pick.get("audience"), str):
        options["strict_aud"] = random.choice([True, 1])
    if options or random.random() < 0.1:
        pick["verify_options"] = options
    return pick


def case(random: random.Random, settings: dict[str, Any]) -> Case:
    """A request for these settings: an honest one, or one with a few oddities."""
    now = NOW + random.choice([0, random.randrange(80) / 8])
    algorithm = random.choice(list(settings["algorithms"]))
    oddities = random.choice([0, 0, 0, 1, 1, 1, 1, 2, 3])
    claims = honest_claims(random, settings, now)
    members = [("alg", json.dumps(algorithm)), ("typ", '"JWT"')]
    changes = [random.choice([_odd_claim] * 8 + [_odd_time] * 5 + [_odd_rights] * 3) for _ in range(oddities)]
    for change in changes:
        change(random, settings, claims, now)
    if random.random() < 0.15:
        _odd_header(random, members)
    random.shuffle(claims)
    payload, header = _text(random, claims), _text(random, members)
    if random.random() < 0.06:
        payload = _odd_text(random, payload)
    if random.random() < 0.03:
        header = _odd_text(random, header)
    signed_with = algorithm if random.random() < 0.98 else random.choice(HMAC)
    token = sign(signed_with, header, payload)
    tampered = random.random() < 0.12
    if tampered:
        token = _tamper(random, token)
    name = settings.get("header", "Authorization")
    value = _value(random, settings.get("scheme", "Bearer"), token)
    fields = [(b"host", b"x"), (name.lower().encode(), value)]
    if random.random() < 0.02:
        fields.append((name.lower().encode(), random.choice([value, b"Bearer x", b""])))
    return Case(settings, fields, now, token, header, payload, tampered)


def honest_claims(random: random.Random, settings: dict[str, Any], now: float) -> list[tuple[str, str]]:
    """What a good issuer writes for these settings."""
    seconds = int(now)
    audience, issuer = settings.get("audience"), settings.get("issuer")
    claims = {
        "sub": '"ada"',
        "name": '"Ada Lovelace"',
        settings.get("user_claim", "sub"): random.choice(
            ['"ada"', '"7"', '"-x"', '"é"'] + ["42", "1.5", "-3"]
        ),
        settings.get("user_name_claim", "name"): random.choice(
            ['"Ada"', '"7"', '"ada"', "7", "42", '""', "null"]
        ),
        settings.get("admin_claim", "is_admin"): random.choice(ADMINS),
        settings.get("roles_claim", "roles"): random.choice(ROLES),
    }
    if random.random() < 0.3:
        claims.pop(settings.get("user_name_claim", "name"))
    if not claims.get("sub", "").startswith('"'):
        claims["sub"] = '"ada"'
    if random.random() < 0.7:
        claims |= {"exp": str(seconds + 7200), "iat": str(seconds - 7200), "nbf": str(seconds - 7200)}
    if audience is not None:
        names = [audience] if isinstance(audience, str) else sorted(audience)
        claims["aud"] = json.dumps(random.choice([names[0]] * 3 + [names, [*names, "else"]]))
    if issuer is not None:
        claims["iss"] = json.dumps(issuer if isinstance(issuer, str) else issuer[0])
    for name in settings.get("verify_options", {}).get("require", ()):
        claims.setdefault(name, '"x"' if name not in TIMES else str(seconds + 7200 if name == "exp" else 0))
    return list(claims.items())


def _odd_claim(
    random: random.Random, settings: dict[str, Any], claims: list[tuple[str, str]], now: float
) -> None:
    del now
    own = [settings.get("user_claim", "sub"), settings.get("user_name_claim", "name")]
    name = random.choice([*REGISTERED, *REGISTERED, *own, *own, "tenant", "other"])
    if random.random() < 0.9:
        claims[:] = [claim for claim in claims if claim[0] != name]
    deep = random.choice([20, 126, 127, 128, 200, 20_000])
    value = random.choice(
        [*ODD, *ODD, "[" * deep + "]" * deep, '{"a":' * deep + "1" + "}" * deep, "", '"' + "x" * 70_000 + '"']
    )
    if value:
        claims.append((name, value))


def _odd_time(
    random: random.Random, settings: dict[str, Any], claims: list[tuple[str, str]], now: float
) -> None:
    leeway = settings.get("leeway", 0)
    leeway = leeway.total_seconds() if isinstance(leeway, timedelta) else leeway
    near = int(now + random.choice([-leeway, leeway, 0])) + random.choice([-1, 0, 1])
    name = random.choice(TIMES)
    shapes = [
        "{0}",
        "{0}",
        "{0}.0",
        "{0}.5",
        "{0}.9999999999",
        "-{0}",
        "{0}e0",
        '"{0}"',
        "{0}00000000000000000000",
        "{0}e290",
        "0.{0}e10",
    ]
    claims[:] = [claim for claim in claims if claim[0] != name]
    claims.append((name, random.choice(shapes).format(near)))


def _odd_rights(
    random: random.Random, settings: dict[str, Any], claims: list[tuple[str, str]], now: float
) -> None:
    del now
    name = settings.get("roles_claim", "roles")
    claims[:] = [claim for claim in claims if claim[0] != name]
    claims.append((name, random.choice(ODD_ROLES)))
    claims.append((settings.get("admin_claim", "is_admin"), random.choice([*ADMINS, *ODD])))


def _odd_header(random: random.Random, members: list[tuple[str, str]]) -> None:
    algorithms = ["none", "None", "hs256", "HS256 ", "", "RS256", "ES256", "HS999"]
    changes: list[tuple[str, list[str]]] = [
        (
            "alg",
            [json.dumps(name) for name in algorithms] + ["null", "1", '["HS256"]', "{}", '"\\u0048S256"'],
        ),
        ("kid", ['"x"', "1", "null", '["x"]', '""', '"\\ud83d"', '"é"']),
        ("typ", ['"at+jwt"', "null", "1", "[]"]),
        ("crit", ["[]", '["exp"]', '["b64"]', "null", '"b64"', "[1]", '["b64","b64"]']),
        ("b64", ["true", "false", "null", "0", "1", '"no"']),
        ("jwk", ['{"kty":"oct","k":"AA"}', "1"]),
        ("x", ["NaN", "7" * 4301, "7" * 4300, "[" * 200 + "]" * 200, "[" * 100 + "]" * 100]),
        ("cty", ['"JWT"']),
    ]
    for _ in range(random.choice([1, 1, 2])):
        name, values = random.choice(changes)
        if random.random() < 0.6:
            members[:] = [member for member in members if member[0] != name]
        members.insert(random.randrange(len(members) + 1), (name, random.choice(values)))
        if name == "crit":
            members.append(("b64", "true"))
    if not any(name == "alg" for name, _ in members) and random.random() < 0.5:
        members.append(("alg", '"HS256"'))


def _text(random: random.Random, members: list[tuple[str, str]]) -> bytes:
    space = random.choice(["", "", "", " ", "\n\t "])
    escape = random.random() < 0.1
    names = [json.dumps(name, ensure_ascii=escape) for name, _ in members]
    if escape:
        names = ['"' + "".join(f"\\u{ord(c):04x}" for c in name) + '"' for name, _ in members]
    parts = (f"{name}{space}:{space}{value}" for name, (_, value) in zip(names, members, strict=True))
    return (space + "{" + f"{space},".join(parts) + "}" + space).encode("utf-8", "surrogatepass")


def _odd_text(random: random.Random, text: bytes) -> bytes:
    plain = text.decode("utf-8", "surrogatepass")
    return random.choice(
        [
            b"\xef\xbb\xbf" + text,
            plain.encode("utf-16-le", "surrogatepass"),
            plain.encode("utf-16", "surrogatepass"),
            plain.encode("utf-32-be", "surrogatepass"),
            text.replace(b'"Ada', b'"\xed\xa0\xbdAda'),
            text.replace(b'"Ada', b'"\xffAda'),
            text.replace(b'"Ada', b'"\xc0\x80'),
            text + b"x",
            text + b"\0",
            text + b"\x0b",
            b"\xc2\xa0" + text,
            text[:-1],
            text[:-1] + b",}",
            b"[" + text + b"]",
            b"",
            b"null",
            text.replace(b'"', b"'"),
            b"/**/" + text,
            text + text,
        ]
    )


def _tamper(random: random.Random, token: str) -> str:
    at = random.randrange(len(token))
    parts = token.split(".")
    part = random.randrange(len(parts))
    padded = [p + "=" * (-len(p) % 4) if i == part else p for i, p in enumerate(parts)]
    over = [p + "=" * random.choice([1, 2, 3, 4]) if i == part else p for i, p in enumerate(parts)]
    last = [p[:-1] + chr(ord(p[-1:] or "A") + 1) if i == part else p for i, p in enumerate(parts)]
    return random.choice(
        [
            token[:at] + random.choice("ABab09-_+/=. \n\té") + token[at + 1 :],
            token[:at] + token[at + 1 :],
            token[:at] + random.choice("A=.\n +/") + token[at:],
            ".".join(padded),
            ".".join(padded),
            ".".join(over),
            ".".join(last),
            ".".join(parts[:2]) + ".",
            ".".join(parts[:2]),
            ".".join([*parts, "x"]),
            ".".join(reversed(parts)),
            token.replace("-", "+").replace("_", "/"),
            token + random.choice(" \n\t."),
            token[:-4],
            "",
            ".",
            "..",
        ]
    )


def _value(random: random.Random, scheme: str, token: str) -> bytes:
    if random.random() < 0.9:
        return f"{scheme} {token}".encode()
    swapped = scheme.swapcase()
    return random.choice(
        [
            f"{swapped} {token}",
            f"{scheme}  {token}",
            f" {scheme} {token}",
            f"\t{scheme} {token}",
            f"{scheme}\t {token}",
            f"{scheme}\t{token}",
            f"{scheme}\x1f {token}",
            f"{scheme} {token} ",
            f"{scheme} {token}\t",
            f"{scheme}{token}",
            f"{scheme}: {token}",
            f"{scheme}",
            f"{scheme} ",
            token,
            f"Basic {token}",
            f"{scheme} {scheme} {token}",
            f"{scheme} {token},{scheme} {token}",
            f"{scheme} \xe9{token}",
            "",
        ]
    ).encode("latin-1" if random.random() < 0.5 and token.isascii() else "utf-8")


def sign(algorithm: str, header: bytes, payload: bytes) -> str:
    """A compact JWS of exactly these bytes."""
    message = f"{encode(header)}.{encode(payload)}"
    maker, key = signer(algorithm)
    return f"{message}.{encode(maker.sign(message.encode(), key))}"


@cache
def signer(algorithm: str) -> tuple[Any, Any]:
    maker = get_default_algorithms()[algorithm]
    if algorithm in HMAC:
        return maker, SECRET.encode()
    return maker, maker.prepare_key((KEYS / f"{PUBLIC[algorithm]}.private.pem").read_text())


@cache
def public(algorithm: str) -> str:
    return (KEYS / f"{PUBLIC[algorithm]}.pem").read_text()


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def witness(shown: dict[str, Any]) -> Case:
    """The case that `tests/differences.toml` shows a difference with."""
    settings = {"secret": SECRET, "algorithms": ["HS256"]} | json.loads(shown.get("settings", "{}"))
    keys = {f"{{{name}}}": (KEYS / f"{name}.pem").read_text() for name in ("p-256", "p-384")}
    settings["secret"] = keys.get(settings["secret"], settings["secret"])
    claims = shown.get("claims", '{"sub":"ada"}')
    claims = claims.replace("{long}", "x" * 70_000).replace("{deep}", "[" * 130 + "]" * 130)
    header, payload = shown.get("header", '{"alg":"HS256"}').encode(), claims.encode("utf-8", "surrogatepass")
    token = sign("HS256", header, payload)
    token = shown.get("token", "{token}").replace("{token}", token)
    value = shown.get("value", "Bearer {token}").replace("{token}", token)
    fields = [(b"host", b"x")] + [(b"authorization", value.encode())] * (2 if shown.get("twice") else 1)
    return Case(settings, fields, float(shown.get("now", NOW)), token, header, payload)
