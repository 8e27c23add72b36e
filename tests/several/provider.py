"""An identity provider: it publishes a JWK Set on the loopback, signs tokens, and can be slow, huge, absent or strange."""

from __future__ import annotations

import json
import ssl
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from serve.certificate import Certificate
from support.process import lasting_address

ISSUER = "https://issuer.example"
AUDIENCE = "dashboard"
CLAIMS = {"iss": ISSUER, "aud": AUDIENCE}


@dataclass(frozen=True)
class Key:
    """A key pair of the provider's."""

    kid: str
    algorithm: str = "RS256"

    @cached_property
    def private(self) -> Any:
        if self.algorithm == "ES256":
            return ec.generate_private_key(ec.SECP256R1())
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def published(self, **changes: str) -> dict[str, Any]:
        kind = ECAlgorithm if self.algorithm == "ES256" else RSAAlgorithm
        jwk = json.loads(kind.to_jwk(self.private.public_key()))
        jwk.pop("key_ops", None)
        return {**jwk, "kid": self.kid, "use": "sig", "alg": self.algorithm, **changes}

    def token(self, algorithm: str = "", kid: str = "", **claims: Any) -> str:
        told = {"sub": "u-7", "name": "Ada Lovelace", "exp": int(time.time()) + 3600, **CLAIMS, **claims}
        return jwt.encode(told, self.private, algorithm or self.algorithm, headers={"kid": kid or self.kid})


def shared_secret(kid: str, secret: str) -> dict[str, str]:
    """A key that signs by the same secret that it is checked with."""
    return {
        "kty": "oct",
        "kid": kid,
        "alg": "HS256",
        "use": "sig",
        "k": urlsafe_b64encode(secret.encode()).rstrip(b"=").decode(),
    }


def by_secret(secret: str, kid: str) -> str:
    claims = {"sub": "u-7", "exp": int(time.time()) + 3600, **CLAIMS}
    return jwt.encode(claims, secret, "HS256", headers={"kid": kid})


@dataclass
class Provider:
    """What it publishes, and how it answers; each can be changed at any moment."""

    keys: list[dict[str, Any]] = field(default_factory=list)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    padding: int = 0
    fetches: list[float] = field(default_factory=list)
    port: int = field(default_factory=lambda: lasting_address()[1])
    tls: Certificate | None = None
    server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        host = "localhost" if self.tls else "127.0.0.1"
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}/jwks.json"

    def start(self) -> None:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:  # noqa: N802
                provider.fetches.append(time.monotonic())
                time.sleep(provider.delay)
                body = json.dumps({"keys": provider.keys, "padding": "x" * provider.padding}).encode()
                try:
                    self.send_response(provider.status)
                    for name, value in provider.headers.items():
                        self.send_header(name, value)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                except OSError:
                    pass  # the gate has heard enough

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: object, client_address: object) -> None:
                pass  # a handshake that the gate broke off

        self.server = Server(("127.0.0.1", self.port), Handler)
        if self.tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.tls.chain, self.tls.key)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, args=[0.02], daemon=True).start()

    def stop(self) -> None:
        """Nobody listens there any more."""
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None


@contextmanager
def provider(*keys: Key | dict[str, Any], tls: Certificate | None = None) -> Iterator[Provider]:
    started = Provider([key.published() if isinstance(key, Key) else key for key in keys], tls=tls)
    started.start()
    try:
        yield started
    finally:
        started.stop()
