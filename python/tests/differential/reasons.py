"""Where authgate is stricter than AsyncMQ's backend with PyJWT: how to tell each difference from a case.

`tests/differences.toml` lists the same ones, with why and with a witness, and the README tells them to people.
What is on none of these lists, and whatever authgate lets in that the other one does not, is a mistake.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from .cases import HMAC, PUBLIC, TIMES, Case

_ALL = tomllib.loads((Path(__file__).parents[3] / "tests" / "differences.toml").read_text())["difference"]

# The list that Rust's tests read, too: what differs, with why and a witness.
LISTED: list[dict[str, Any]] = [difference for difference in _ALL if difference["with"] == "PyJWT"]


@dataclass
class Seen:
    """A case as PyJWT reads it."""

    case: Case
    header: Any
    claims: Any
    constants: bool = False
    texts: tuple[str, ...] = ()
    depth: int = 0

    @classmethod
    def of(cls, case: Case) -> Seen:
        texts: list[str] = []
        constants: list[str] = []
        depths: list[int] = [0]

        def pairs(members: list[tuple[str, Any]]) -> dict[str, Any]:
            for name, value in members:
                texts.append(name)
                texts.extend(_texts(value))
            return dict(members)

        def constant(name: str) -> float:
            constants.append(name)
            return float(name)

        read = []
        for part in (case.header, case.payload):
            try:
                read.append(json.loads(part, object_pairs_hook=pairs, parse_constant=constant))
                depths.append(_depth(part))
            except (ValueError, RecursionError):
                read.append(None)
        return cls(case, read[0], read[1], bool(constants), tuple(texts), max(depths))

    def setting(self, name: str, default: Any = None) -> Any:
        return self.case.settings.get(name, default)

    def is_on(self, option: str) -> bool:
        return bool((self.setting("verify_options") or {}).get(option, True))

    def times(self) -> Iterator[Any]:
        for name in TIMES:
            if name in self.claims and self.is_on(f"verify_{name}"):
                yield self.claims[name]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _depth(part: bytes) -> int:
    now = most = 0
    quoted = escaped = False
    for c in part.decode(json.detect_encoding(part), "surrogatepass"):
        if escaped:
            escaped = False
        elif quoted and c == "\\":
            escaped = True
        elif c == '"':
            quoted = not quoted
        elif not quoted and c in "[{":
            now += 1
            most = max(most, now)
        elif not quoted and c in "]}":
            now -= 1
    return most


def _is_lone(text: str) -> bool:
    return any("\ud800" <= c <= "\udfff" for c in text)


def _is_odd_scheme(seen: Seen) -> bool:
    value = seen.case.fields[1][1].decode("latin-1")
    prefix = value.split(" ", 1)[0]
    return prefix != prefix.strip()


def _is_fine_leeway(leeway: Any) -> bool:
    seconds = leeway.total_seconds() if isinstance(leeway, timedelta) else leeway
    return (seconds * 1000) % 1 > 1e-6


REFUSED: dict[str, Callable[[Seen], bool]] = {
    "base64 with padding": lambda seen: "=" in seen.case.token,
    "a number in a string as a time": lambda seen: any(isinstance(time, str) for time in seen.times()),
    "a boolean as a time": lambda seen: any(isinstance(time, bool) for time in seen.times()),
    "NaN or Infinity": lambda seen: seen.constants,
    "JSON in UTF-16 or UTF-32, or with a byte order mark": lambda seen: any(
        json.detect_encoding(part) != "utf-8" for part in (seen.case.header, seen.case.payload)
    ),
    "half a surrogate pair": lambda seen: any(map(_is_lone, seen.texts)),
    "JSON nested deeper than 127": lambda seen: seen.depth > 127,
    "a token of more than 64 KiB": lambda seen: len(seen.case.token) > 65_536,
    "several header fields": lambda seen: len(seen.case.fields) > 2,
    "white space other than one space around the scheme": _is_odd_scheme,
    "a header with `crit`": lambda seen: "crit" in seen.header,
    "a `b64` in the header that is no boolean": lambda seen: (
        not isinstance(seen.header.get("b64", True), bool)
    ),
    "an `iss` that is no string, although no issuer is set": lambda seen: (
        seen.setting("issuer") is None
        and seen.is_on("verify_iss")
        and not isinstance(seen.claims.get("iss"), (str, type(None)))
    ),
    "an `aud` that is zero, false or {}": lambda seen: (
        seen.is_on("verify_aud")
        and not seen.claims.get("aud")
        and not isinstance(seen.claims.get("aud"), (str, list, type(None)))
    ),
    "an id that is true, a list or an object": lambda seen: isinstance(
        seen.claims.get(seen.setting("user_claim", "sub")), (bool, list, dict)
    ),
    "a leeway finer than a millisecond": lambda seen: _is_fine_leeway(seen.setting("leeway", 0)),
}


def grants_less(roles: Any, theirs: tuple[str, ...], ours: tuple[str, ...]) -> bool:
    """Whether ours are theirs without the roles that no string or integer of the claim names."""
    listed = roles if isinstance(roles, list) else [roles]
    kept = [role for role in listed if role and type(role) in (str, int)]
    return len(ours) < len(theirs) and ours == tuple(map(str, kept))


NO_TOKEN = set(' "(),/:;<=>?@[\\]{}\t')


def _several(value: Any) -> list[Any]:
    return [value] if isinstance(value, str) else list(value or ())


def _options(settings: dict[str, Any]) -> dict[str, Any]:
    return settings.get("verify_options") or {}


KNOWN = (*HMAC, *PUBLIC)
OPTIONS = {"verify_exp", "verify_nbf", "verify_iat", "verify_aud", "verify_iss", "verify_sub", "verify_jti"}
OPTIONS |= {"strict_aud", "require", "verify_signature", "enforce_minimum_key_length"}

# At construction; the argument that the error names, and how to tell the reason.
UNUSABLE: dict[str, tuple[str, Callable[[dict[str, Any]], bool]]] = {
    "no algorithm, or one that is not supported": (
        "algorithms",
        lambda s: not s["algorithms"] or not set(s["algorithms"]) <= set(KNOWN),
    ),
    "no key": ("secret", lambda s: s.get("secret") is None),
    "a secret that is PEM, DER, SSH or JWK text": (
        "secret",
        lambda s: (
            any(a[:2] == "HS" for a in s["algorithms"])
            and any(mark in (s.get("secret") or "") for mark in ("BEGIN ", "ssh-rsa", '"kty"'))
        ),
    ),
    "a public key that is none: a secret, a private key, a certificate, RSA below 2048 bits, another curve": (
        "secret",
        lambda s: not any(a[:2] == "HS" for a in s["algorithms"]),
    ),
    "an algorithm that the key does not fit": ("algorithms", lambda s: len(s["algorithms"]) >= 1),
    "an audience that names nobody": ("audience", lambda s: not all(_several(s.get("audience")) or [""])),
    "an issuer that names nobody": ("issuer", lambda s: not all(_several(s.get("issuer")) or [""])),
    "a header that is no field name": (
        "header",
        lambda s: not s.get("header") or bool(NO_TOKEN & set(s["header"])),
    ),
    "a scheme that is no token": (
        "scheme",
        lambda s: not s.get("scheme") or bool(NO_TOKEN & set(s["scheme"])),
    ),
    "user_claim": ("user_claim", lambda s: s.get("user_claim") == ""),
    "user_name_claim": ("user_name_claim", lambda s: s.get("user_name_claim") == ""),
    "admin_claim": ("admin_claim", lambda s: s.get("admin_claim") == ""),
    "roles_claim": ("roles_claim", lambda s: s.get("roles_claim") == ""),
    "a leeway that is no number or beyond a century": (
        "leeway",
        lambda s: not -3_155_760_000 <= float(s.get("leeway", 0)) <= 3_155_760_000,
    ),
    "verify_signature off": ("verify_options", lambda s: not _options(s).get("verify_signature", True)),
    "an unknown option": ("verify_options", lambda s: not set(_options(s)) <= OPTIONS),
    "strict_aud without one audience": (
        "verify_options",
        lambda s: bool(_options(s).get("strict_aud")) and not isinstance(s.get("audience"), str),
    ),
}
