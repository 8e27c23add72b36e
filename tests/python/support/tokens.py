"""Tokens, honest ones through PyJWT and dishonest ones by hand."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import jwt

JsonLike = dict[str, Any] | bytes


def b64(data: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def as_bytes(part: JsonLike) -> bytes:
    return part if isinstance(part, bytes) else json.dumps(part).encode()


def honest(secret: str, **claims: Any) -> str:
    """An HS256 token as PyJWT makes it, valid for an hour unless `exp` says otherwise (None leaves it out)."""
    claims = {"sub": "u-7", "name": "Ada Lovelace", "exp": int(time.time()) + 3600} | claims
    return jwt.encode({key: value for key, value in claims.items() if value is not None}, secret, "HS256")


def signature(signed: str, secret: str | bytes, digest: str = "sha256") -> str:
    key = secret.encode() if isinstance(secret, str) else secret
    return b64(hmac.new(key, signed.encode(), getattr(hashlib, digest)).digest())


def by_hand(header: JsonLike, payload: JsonLike, secret: str | bytes, digest: str = "sha256") -> str:
    """Any header and any payload under a true HMAC signature."""
    signed = f"{b64(as_bytes(header))}.{b64(as_bytes(payload))}"
    return f"{signed}.{signature(signed, secret, digest)}"


def unsigned(header: JsonLike, payload: JsonLike) -> str:
    """A token whose signature is empty."""
    return f"{b64(as_bytes(header))}.{b64(as_bytes(payload))}."


def bearer(token: str) -> tuple[str, str]:
    return ("Authorization", f"Bearer {token}")
