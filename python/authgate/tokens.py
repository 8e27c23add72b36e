"""Bearer tokens, under the names of AsyncMQ's `JWTAuthBackend`."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from authgate._asking import in_thread
from authgate._core import JwtBackend, User
from authgate._headers import header_fields
from authgate._token_pages import TokenPages
from authgate.errors import ConfigError

# How many bytes a secret should have: as many as the hash (RFC 7518, section 3.2).
_HASH_BYTES = {"HS256": 32, "HS384": 48, "HS512": 64}

# PyJWT's options that are on or off.
_SWITCHES = frozenset(
    (
        "verify_exp",
        "verify_nbf",
        "verify_iat",
        "verify_aud",
        "verify_iss",
        "verify_sub",
        "verify_jti",
        "strict_aud",
        "verify_signature",
        "enforce_minimum_key_length",
    )
)


class ShortSecretWarning(UserWarning):
    """A secret is long enough for AsyncMQ's rule, 32 bytes, and shorter than the hash of an algorithm."""


class JWTAuthBackend(TokenPages, JwtBackend):
    """The stateless backend: `Authorization: Bearer <token>`, a JSON Web Token that somebody else has signed.

    The arguments, their defaults and their meaning are AsyncMQ's, and behind it PyJWT's:

    - `secret`: the HMAC secret of HS*, at least 32 bytes; else the public key as PEM text.
    - `algorithms`: names of the algorithms that are allowed. Default HS256.
    - `audience`: one or several, of which a token must name one. Default None: no `aud` is accepted.
    - `issuer`: one or several, of which a token must name one. Default None: any, or none.
    - `header`, `scheme`: the header field with the token, and the word before it.
    - `user_claim`, `user_name_claim`, `admin_claim`, `roles_claim`: the claims that a user is made of.
    - `leeway`: how far the issuer's clock may be off, in seconds or as a `timedelta`; below zero is stricter.
    - `verify_options`: PyJWT's `options`. What is not named is checked, too.

    And two of its own, for several keys:

    - `keys`: more keys: public keys as PEM text, or JWKs as JSON text or dict. A token's `kid` selects one.
    - `jwks`: a JWK Set, as JSON text or dict.

    And one for the keys of an identity provider:

    - `jwks_url`: where it publishes its JWK Set, as an `https://` address (`http://` on this machine alone). Name the
      `algorithms` that it signs with. The set is fetched when the first token comes, kept up from then on, and asked for a key
      that it lacks at most every 10 seconds. While the provider is down the last set serves for a day; whoever needs a key that
      nobody has is answered 503, or `authgate.Unavailable` is raised. A thread of each process fetches.

    The settings can be read as attributes of the same names, all but the keys. They are fixed: to change one,
    make a new backend.

    Raises `ConfigError` (a `ValueError`) for a setting that is refused, and `TypeError` for one of the wrong
    type; both name the argument. Warns with `ShortSecretWarning`.
    """

    algorithms: list[str]
    audience: str | list[str] | None
    issuer: str | list[str] | None
    header: str
    scheme: str
    user_claim: str
    user_name_claim: str
    admin_claim: str
    roles_claim: str
    leeway: float | timedelta
    verify_options: Mapping[str, Any]
    _fetches: bool = False

    def __init__(
        self,
        *,
        secret: str | bytes | None = None,
        algorithms: Iterable[str] = ("HS256",),
        audience: str | Iterable[str] | None = None,
        issuer: str | Iterable[str] | None = None,
        header: str = "Authorization",
        scheme: str = "Bearer",
        user_claim: str = "sub",
        user_name_claim: str = "name",
        admin_claim: str = "is_admin",
        roles_claim: str = "roles",
        leeway: float | timedelta = 0,
        verify_options: Mapping[str, Any] | None = None,
        keys: Iterable[str | bytes | Mapping[str, Any]] | None = None,
        jwks: str | bytes | Mapping[str, Any] | None = None,
        jwks_url: str | None = None,
    ) -> None:
        settings: dict[str, Any] = {
            "algorithms": _algorithms(algorithms),
            "audience": _names("audience", audience),
            "issuer": _names("issuer", issuer),
            "header": _text("header", header),
            "scheme": _text("scheme", scheme),
            "user_claim": _text("user_claim", user_claim),
            "user_name_claim": _text("user_name_claim", user_name_claim),
            "admin_claim": _text("admin_claim", admin_claim),
            "roles_claim": _text("roles_claim", roles_claim),
            "leeway": leeway,
            "verify_options": _options(verify_options),
        }
        options: Mapping[str, Any] = settings["verify_options"]
        if options.get("strict_aud") and not isinstance(audience, str):
            raise _refused("verify_options", "strict_aud needs one audience", "set `audience` to one string")
        strict = bool(options.get("enforce_minimum_key_length"))
        several = {"audience": _several(settings["audience"]), "issuer": _several(settings["issuer"])}
        super().__init__(
            settings
            | several
            | {
                "keys": _keys(secret, settings["algorithms"], keys, jwks, strict, fetched=jwks_url is not None),
                "jwks_url": None if jwks_url is None else _text("jwks_url", jwks_url),
                "leeway": _seconds(leeway),
                "switches": {name: bool(on) for name, on in options.items() if name in _SWITCHES},
                "require": _required(options.get("require", ())),
            }
        )
        self.__dict__.update(settings)
        self._fetches = jwks_url is not None

    def __setattr__(self, name: str, value: Any) -> None:
        if name in JWTAuthBackend.__annotations__ and name in self.__dict__:
            raise AttributeError(f"{name}: it is fixed at construction; make a new backend")
        super().__setattr__(name, value)

    def __repr__(self) -> str:
        kind = type(self).__name__
        if "algorithms" not in self.__dict__:
            return f"<{kind}, not set up>"
        return f"{kind}(algorithms={self.algorithms!r}, header={self.header!r}, scheme={self.scheme!r})"

    async def authenticate(self, request: Any) -> User | None:
        """The user whom the request's token proves, or None.

        `request` is Lilya's, Starlette's or any with `scope` or `headers`, an ASGI scope or a WSGI environ;
        what is none of these is a `TypeError`. A token, whatever it is, raises nothing. Where its key must be fetched, the
        event loop is free meanwhile; `authgate.Unavailable` is raised if there are no keys to judge it by.
        """
        fields = header_fields(request, self.header)
        if not self._fetches:
            return self.authenticate_headers(fields)
        fields = list(fields)
        if self.wants_keys(fields):
            return await in_thread(self.authenticate_headers, fields, what="keys")
        return self.authenticate_headers(fields)

    def routes(self) -> list[Any]:
        """Extra public paths that the backend answers itself: none."""
        return []


def _refused(argument: str, problem: str, remedy: str) -> ConfigError:
    return ConfigError(argument, f"{argument}: {problem}; {remedy}")


def _wrong_type(argument: str, wanted: str, value: object) -> TypeError:
    return TypeError(f"{argument}: {wanted} is wanted, not {type(value).__name__}")


def _text(argument: str, value: object) -> str:
    if not isinstance(value, str):
        raise _wrong_type(argument, "a str", value)
    _bytes(argument, value)
    return value


def _bytes(argument: str, value: str | bytes) -> bytes:
    try:
        return value.encode() if isinstance(value, str) else value
    except UnicodeEncodeError:
        raise _refused(argument, "it has half a surrogate pair", "give valid Unicode") from None


def _names(argument: str, value: object) -> str | list[str] | None:
    if value is None or isinstance(value, str):
        return value if value is None else _text(argument, value)
    if not isinstance(value, Iterable):
        raise _wrong_type(argument, "a str or several", value)
    return [_text(argument, name) for name in value]


def _several(names: str | list[str] | None) -> list[str] | None:
    return [names] if isinstance(names, str) else names


def _algorithms(value: object) -> list[str]:
    if isinstance(value, str):
        raise TypeError(f"algorithms: a list of names is wanted, not one str; write [{value!r}]")
    if not isinstance(value, Iterable):
        raise _wrong_type("algorithms", "a list of names", value)
    names = [_text("algorithms", name) for name in value]
    if not names:
        raise _refused("algorithms", "the list is empty", "allow at least one, such as HS256")
    return names


def _seconds(leeway: object) -> float:
    if isinstance(leeway, timedelta):
        return leeway.total_seconds()
    if not isinstance(leeway, (int, float)):
        raise _wrong_type("leeway", "a number of seconds or a timedelta", leeway)
    try:
        return float(leeway)
    except OverflowError:
        return float("inf")


def _options(value: object) -> Mapping[str, Any]:
    if value is not None and not isinstance(value, Mapping):
        raise _wrong_type("verify_options", "a mapping of PyJWT's options", value)
    # An empty mapping means the default, as it does in AsyncMQ.
    options = dict(value or {"verify_exp": True})
    for name in options:
        if name not in _SWITCHES and name != "require":
            raise _refused("verify_options", f"{name!r} is no option", "write one of PyJWT's")
    if not options.get("verify_signature", True):
        raise _refused(
            "verify_options", "verify_signature is off", "leave it out: signatures are always checked"
        )
    return MappingProxyType(options)


def _required(value: object) -> list[str]:
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise _wrong_type("verify_options", "for `require` a list of claims", value)
    return [_text("verify_options", claim) for claim in value]


def _keys(
    secret: object, algorithms: list[str], keys: object, jwks: object, strict: bool, *, fetched: bool
) -> list[tuple[str, str, bytes]]:
    """Every key that is given: the argument, its kind, and its text."""
    found: list[tuple[str, str, bytes]] = []
    hmac = [name for name in algorithms if name in _HASH_BYTES]
    if secret is not None:
        if not isinstance(secret, (str, bytes)):
            raise _wrong_type("secret", "a str or bytes", secret)
        material = _bytes("secret", secret)
        kind = ("secret" if strict else "compatible secret") if hmac else "pem"
        found.append(("secret", kind, material))
        _warn_of_short(len(material), hmac, strict)
    if keys is not None:
        if isinstance(keys, (str, bytes, Mapping)) or not isinstance(keys, Iterable):
            raise _wrong_type("keys", "a list of keys", keys)
        found += [_key(key) for key in keys]
    if jwks is not None:
        found.append(("jwks", "jwks", _json("jwks", jwks)))
    if not found and not fetched:
        what = "a secret" if hmac else "a public key as PEM text"
        raise _refused(
            "secret", f"no key for {', '.join(algorithms) or 'anything'}", f"give {what}, `keys`, `jwks` or `jwks_url`"
        )
    return found


def _key(key: object) -> tuple[str, str, bytes]:
    text = _json("keys", key)
    return ("keys", "jwk" if text.lstrip().startswith(b"{") else "pem", text)


def _json(argument: str, value: object) -> bytes:
    if isinstance(value, (str, bytes)):
        return _bytes(argument, value)
    if not isinstance(value, Mapping):
        raise _wrong_type(argument, "text or a dict", value)
    try:
        return json.dumps(dict(value)).encode()
    except (TypeError, ValueError):
        raise _refused(argument, "this dict is no JSON", "give it as it was published") from None


def _warn_of_short(length: int, algorithms: list[str], strict: bool) -> None:
    short = [name for name in algorithms if 32 <= length < _HASH_BYTES[name]]
    if short and not strict:
        text = (
            f"secret: {length} bytes are fewer than {' and '.join(short)} should have (RFC 7518, section 3.2)"
        )
        warnings.warn(text, ShortSecretWarning, stacklevel=4)
