"""The tokens that dialogues name, as `tokens.toml` describes them."""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
import tomllib
from pathlib import Path

HERE = Path(__file__).resolve().parent

SECRET = "a secret of sixty-four bytes that is known to the tests only ...."
"""What signs tokens and seals sessions."""


@functools.cache
def tokens() -> dict[str, str]:
    """What `tokens.toml` describes."""
    return {name: token(**given) for name, given in tomllib.loads((HERE / "tokens.toml").read_text()).items()}


def token(payload: str, header: str = '{"alg":"HS256","typ":"JWT"}', signed: str = "well") -> str:
    """A compact JWS of exactly these texts."""
    text = payload.replace("{x40000}", "x" * 40_000)
    message = f"{b64(header.encode())}.{b64(text.encode())}"
    signers = {"well": hs256, "otherwise": lambda message: hs256(message, "x" * 64), "not": lambda _: b"", "es256": es256}
    return f"{message}.{b64(signers[signed](message.encode()))}"


def hs256(message: bytes, secret: str = SECRET) -> bytes:
    return hmac.digest(secret.encode(), message, hashlib.sha256)


def es256(message: bytes) -> bytes:
    """By the provider's key."""
    from cryptography.hazmat.primitives.asymmetric import ec, utils
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    key = load_pem_private_key((HERE / "keys" / "p-256.private.pem").read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    numbers = utils.decode_dss_signature(key.sign(message, ec.ECDSA(SHA256())))
    return b"".join(number.to_bytes(32, "big") for number in numbers)


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
