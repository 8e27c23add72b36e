"""AsyncMQ's dashboard behind this gate, under the names of `asyncmq.contrib.dashboard.admin`."""

from __future__ import annotations

try:
    from asyncmq.contrib.dashboard.admin.core import AsyncMQAdmin as _Admin
    from asyncmq.contrib.dashboard.admin.middleware import AuthGateMiddleware as _TheirGate
except ImportError as _missing:
    raise ImportError(
        f"authgate.asyncmq needs AsyncMQ and its dashboard, and {_missing}; install asyncmq and lilya, "
        "or import from authgate itself"
    ) from _missing

from typing import Any

from lilya.middleware import DefineMiddleware

from authgate._core import Gate, User
from authgate._dashboard import NoStore, OnePolicy
from authgate._hosted import answer_at, gate_of, sign_in, sign_out
from authgate._trail import Trail
from authgate.backends import AuthBackend
from authgate.middleware import AuthGateMiddleware
from authgate.passwords import SimpleUsernamePasswordBackend
from authgate.tokens import JWTAuthBackend

__all__ = [
    "AsyncMQAdmin",
    "AuthBackend",
    "AuthGateMiddleware",
    "JWTAuthBackend",
    "SimpleUsernamePasswordBackend",
    "User",
]


class AsyncMQAdmin(_Admin):  # type: ignore[misc, unused-ignore]
    """AsyncMQ's `AsyncMQAdmin`, with the same arguments, whose dashboard is behind this gate.

    Websockets are gated, too; pages of signed-in users are not kept by caches; and sign-ins, sign-outs and
    refusals stand on the dashboard's audit page. `trusted_proxies` are addresses or networks, and count for
    the backend's pages as well.

    Raises `ConfigError` at once for a setting that the gate refuses.
    """

    def _build_child(self) -> Any:
        if not self.enable_login:
            return super()._build_child()
        given: Any = self.backend
        trail = Trail()
        self.backend = _pages(given, self.trusted_proxies, trail)
        try:
            child = super()._build_child()
        finally:
            self.backend = given
        _change_the_gate(child, given, trail)
        return child


def _change_the_gate(child: Any, backend: Any, trail: Trail) -> None:
    stack = child.custom_middleware
    places = [place for place, one in enumerate(stack) if one.middleware is _TheirGate]
    if len(places) != 1:
        # Better no dashboard than one whose gate is not the one that was asked for.
        raise RuntimeError(
            f"this version of AsyncMQ has {len(places)} gates where one is known; "
            "use its own AsyncMQAdmin with authgate's backends"
        )
    settings = {**stack[places[0]].kwargs, "authenticate": backend.authenticate, "on_event": trail}
    # Lilya makes a middleware when the first request comes. A setting of no use is to be told now.
    AuthGateMiddleware(_nothing, **settings)
    stack[places[0] : places[0] + 1] = [
        DefineMiddleware(AuthGateMiddleware, **settings),
        DefineMiddleware(NoStore),
    ]
    stack.insert(0, DefineMiddleware(OnePolicy))


async def _nothing(*_: Any) -> None:
    """Stands for the dashboard while settings are tried."""


class _Pages:
    """A backend of ours whose pages know this dashboard's proxies and audit trail."""

    def __init__(self, backend: Any, gate: Gate) -> None:
        self.backend = backend
        self.gate = gate
        self.authenticate = backend.authenticate
        self.routes = backend.routes


class _PasswordPages(_Pages):
    async def login(self, request: Any) -> Any:
        return await sign_in(self.backend, self.gate, request)

    async def logout(self, request: Any) -> Any:
        return await sign_out(self.backend, self.gate, request)


class _TokenPages(_Pages):
    async def login(self, request: Any) -> Any:
        return answer_at(self.gate, request, "/login")

    async def logout(self, request: Any) -> Any:
        return answer_at(self.gate, request, "/logout")


def _pages(backend: Any, trusted_proxies: Any, trail: Trail) -> Any:
    """The backend itself, unless its pages are the gate's own: a subclass may have others."""
    own = (type(backend).login, type(backend).logout)
    if own == (SimpleUsernamePasswordBackend.login, SimpleUsernamePasswordBackend.logout):
        proxies = backend.trusted_proxies or trusted_proxies
        return _PasswordPages(backend, gate_of(True, proxies, trail))
    if own == (JWTAuthBackend.login, JWTAuthBackend.logout):
        return _TokenPages(backend, gate_of(backend, trusted_proxies, trail))
    return backend
