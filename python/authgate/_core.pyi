"""The native module; see `authgate` for what is public."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, TypeVar, final, overload

from typing_extensions import disjoint_base

from authgate.events import OnEvent

__all__ = [
    "AsgiGate",
    "Delegate",
    "Forward",
    "Gate",
    "JwtBackend",
    "Lease",
    "LoginForm",
    "Question",
    "Reply",
    "Send",
    "User",
    "__version__",
    "_restore_user",
]

__version__: str

_T = TypeVar("_T")

@disjoint_base
class AsgiGate:
    """An ASGI application behind a gate; the native half of `authgate.AuthGateMiddleware`."""

    def __init__(self, app: Callable[..., Awaitable[Any]], gate: Gate) -> None: ...
    @property
    def app(self) -> Callable[..., Awaitable[Any]]: ...
    def __call__(self, scope: Any, receive: Any, send: Any) -> Awaitable[None]: ...

@final
class Gate:
    """A gate: settings, keys and backends, prepared once and shared by all requests and threads."""

    def __new__(
        cls,
        backends: list[Any],
        settings: Any,
        *,
        keeps_records: bool,
        clock: Callable[[], float] | None,
        on_event: OnEvent | None,
    ) -> Gate: ...
    def begin(self, place: Any, path: str | None = None) -> Any: ...
    def sign_out_everywhere(self, user: str) -> None: ...

@final
class Question:
    """What the core asks; answered once."""

    @property
    def kind(self) -> str: ...
    @property
    def arguments(self) -> tuple[Any, ...]: ...
    def resume(self, answer: Any) -> Any: ...
    def unavailable(self, why: str) -> Any: ...

@final
class Reply:
    """An answer of the gate's own, ready to be sent."""

    @property
    def status(self) -> int: ...
    @property
    def reason(self) -> str: ...
    @property
    def user(self) -> str | None: ...
    @property
    def headers(self) -> list[tuple[bytes, bytes]]: ...
    @property
    def body(self) -> bytes: ...
    @property
    def form(self) -> LoginForm | None: ...
    def with_own_page(self, html: str, policy: str) -> Reply: ...
    def messages(self) -> tuple[dict[str, Any], dict[str, Any]]: ...

@final
class LoginForm:
    """The form that somebody signs in with, as data: post `username`, `password` and `next` to `action`."""

    @property
    def action(self) -> str: ...
    @property
    def next(self) -> str | None: ...
    @property
    def username(self) -> str: ...
    @property
    def error(self) -> str | None: ...
    @property
    def wait(self) -> float | None: ...
    @property
    def fragment(self) -> bool: ...

@final
class Forward:
    """Leave to pass a request on."""

    def to_asgi(self, app: Any, receive: Any, send: Any) -> Awaitable[None]: ...
    def to_wsgi(self) -> tuple[dict[str, Any], list[tuple[str, str]], bool, Lease]: ...

@final
class Delegate:
    """A custom backend answers this itself."""

    @property
    def backend(self) -> str: ...
    @property
    def page(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def next(self) -> str: ...
    @property
    def place(self) -> dict[str, Any]: ...
    def answered(self) -> None: ...
    def unavailable(self, why: str) -> Reply: ...

@final
class Lease:
    """How long an admission is good for."""

    def holds(self) -> bool: ...
    def left(self) -> float | None: ...
    @property
    def is_revocable(self) -> bool: ...

@final
class Send:
    """An ASGI `send` that ends when the admission does."""

    def __call__(self, message: Any) -> Awaitable[None]: ...

@disjoint_base
class JwtBackend:
    """Checks bearer tokens: the native half of `authgate.JWTAuthBackend`."""

    def __init__(self, settings: Mapping[str, Any]) -> None: ...
    def verify(self, token: str | bytes, now: float | None = None) -> User | None: ...
    def explain(self, token: str | bytes, now: float | None = None) -> str | None: ...
    def authenticate_headers(
        self, headers: Iterable[Iterable[str | bytes]], now: float | None = None
    ) -> User | None: ...

@disjoint_base
class User:
    """Who was admitted."""

    def __init__(
        self, id: Any, name: Any, is_admin: bool = True, roles: Iterable[Any] | str | None = None, **extra: Any
    ) -> None: ...
    @property
    def id(self) -> Any: ...
    @property
    def name(self) -> Any: ...
    @property
    def is_admin(self) -> bool: ...
    @property
    def roles(self) -> tuple[str, ...]: ...
    @property
    def extra(self) -> dict[str, Any]: ...
    def __getitem__(self, key: Any, /) -> Any: ...
    @overload
    def get(self, key: Any, /) -> Any: ...
    @overload
    def get(self, key: Any, default: _T, /) -> Any | _T: ...
    def __contains__(self, key: Any, /) -> bool: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

def _restore_user(
    class_: type[User], id: Any, name: Any, is_admin: Any, roles: Any, extra: dict[str, Any], /
) -> User: ...
