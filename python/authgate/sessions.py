"""How sign-ins are kept: sealed into the cookie, or as records in a store."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, Protocol, runtime_checkable

from authgate._checks import seconds
from authgate._core import Endings
from authgate.errors import ConfigError


@runtime_checkable
class SessionStore(Protocol):
    """Keeps records of sessions. Each method may be `def` or `async def`; under WSGI all must be `def`.

    `session_id` is a digest of what the visitor's cookie holds: whoever reads the store cannot make a cookie of it.
    `data` is to be given back as it was. Whatever is raised counts as "could not ask", which is answered 503.

    A store that has both kinds of methods may be `def` itself, and have an attribute `asynchronous`: a store whose methods are
    `async def`, which is asked instead of it under ASGI.
    """

    def load(self, session_id: str, /) -> bytes | None | Awaitable[bytes | None]:
        """The record of this id, unless there is none (any more)."""

    def create(self, session_id: str, data: bytes, until: float, /) -> bool | Awaitable[bool]:
        """Keeps a new record; `False` if there is one of this id already, which stays as it was.

        It may be forgotten from `until` on, which is a moment in seconds since 1970.
        """

    def renew(self, session_id: str, data: bytes, until: float, /) -> bool | Awaitable[bool]:
        """Replaces a record; `False` if there is none of this id (any more), and then none is made."""

    def remove(self, session_id: str, /) -> object:
        """Removes a record for good. It is no fault if there is none."""


@runtime_checkable
class SharedStore(SessionStore, Protocol):
    """A store that the gates of many processes share: sessions, what has ended before its time, and how often passwords were
    wrong. `authgate.redis.RedisStore` is one. What it must keep beyond a `SessionStore`:

    - An ending that it was told of, by `remove` or `end_user`, is in the answer of every later `endings`, wherever that begins,
      until it is older than the longest lifetime that anybody has asked with. `remove` is an ending even if there was no record.
    - Whatever it has lost or thrown away is below the `floor` that it tells, so that nobody comes back.
    - Moments are by its own clock, in seconds since 1970, and that does not go back.
    - `swap_counts` is one atomic step.
    """

    def endings(self, position: str | None, lifetime: float, /) -> Endings | Awaitable[Endings]:
        """What has ended since `position`, which an earlier answer told; `None`: from the beginning. Whoever asks keeps sessions
        for `lifetime` seconds at most."""

    def end_user(self, user: str, ago: float, /) -> object:
        """Ends all sessions of the user with this id that were issued until `ago` seconds before now."""

    def counts(self, keys: Sequence[str], /) -> Sequence[bytes | str | None] | Awaitable[Sequence[bytes | str | None]]:
        """The texts that are kept under these keys, in this order; `None` for one that there is not."""

    def swap_counts(
        self, changes: Sequence[tuple[str, str | None, str | None, float | None]], /
    ) -> bool | Awaitable[bool]:
        """Makes all these changes, or none of them: `False` if a count is not what it was.

        Each is a key, what it was, what it becomes, and for how many seconds that is kept; `None` stands for no count.
        """


@dataclass(frozen=True)
class Sessions:
    """How sessions are kept, for how long, and in what cookie. Made by `Sessions.sealed` or `Sessions.records`."""

    secrets: tuple[bytes, ...] | None = None
    """The secrets that seal; `None` keeps records."""
    store: SessionStore | None = None
    """Where records are kept; `None` is this process's memory. A `SharedStore` is shared; of sealed sessions it knows what has
    ended."""
    idle: float = 1800.0
    """How long a session may be unused, in seconds."""
    lifetime: float = 43_200.0
    """How long a session lives at most, however much it is used, in seconds; a year at most."""
    renew_every: float | None = None
    """How often a session in use is renewed at most, in seconds. Default: a minute, or a quarter of the idle time."""
    cookie_name: str = "authgate"
    """Over TLS, `__Host-` goes before it, or `__Secure-` if a path or a domain is set."""
    cookie_path: str = "/"
    cookie_domain: str | None = None
    same_site: Literal["lax", "strict"] = "lax"
    always_secure: bool = False
    """Marks the cookie `Secure` although requests seem to arrive over plain HTTP."""
    stale: float = 0.5
    """Where a store is shared: how long a session that was ended elsewhere may hold here, in seconds; a minute at most."""
    grace: float = 30.0
    """Where a store is shared: how long a stream goes on while the store cannot be asked, in seconds; an hour at most."""

    def __post_init__(self) -> None:
        if self.secrets is not None and not (
            isinstance(self.secrets, tuple) and all(isinstance(secret, bytes) for secret in self.secrets)
        ):
            raise TypeError("session: secrets: a tuple of bytes is wanted; use Sessions.sealed(secret)")
        for name in ("idle", "lifetime", "renew_every", "stale", "grace"):
            value = getattr(self, name)
            if value is not None or name != "renew_every":
                seconds(f"session: {name}", value)
        for name in ("cookie_name", "cookie_path", "cookie_domain", "same_site"):
            value = getattr(self, name)
            if not isinstance(value, str) and (value is not None or name != "cookie_domain"):
                raise TypeError(f"session: {name}: a {type(value).__name__} is no text")

    @classmethod
    def sealed(cls, *secrets: str | bytes) -> Sessions:
        """Seals sessions into the cookie itself. Any number of processes can share the secrets, each of at least 32 bytes.

        The first seals; all of them open, so that they can be rotated: put the new one first, and take the old one away
        once its sessions have ended. A sign-out is remembered by the process that heard of it, unless a store is shared: see
        `sharing`.

        Raises `TypeError` for a secret that is neither text nor bytes, and `ConfigError` if there is none.
        """
        for secret in secrets:
            if not isinstance(secret, str | bytes):
                raise TypeError(f"session: a secret is text or bytes, not {type(secret).__name__}")
        if not secrets:
            raise ConfigError("session", "session: sealed sessions have no secret; make one with secrets.token_hex(32)")
        return cls(secrets=tuple(secret.encode() if isinstance(secret, str) else secret for secret in secrets))

    @classmethod
    def records(cls, store: SessionStore | str | None = None) -> Sessions:
        """Keeps sessions as records in `store`; by default in this process's memory, for one process alone.

        The URL of a Redis stands for `authgate.redis.RedisStore(url)`. Whoever has the same `SharedStore` shares sessions,
        sign-outs, and the count of wrong passwords.
        """
        store = _opened(store)
        if store is not None and not isinstance(store, SessionStore):
            raise TypeError(f"session: {type(store).__name__} is no store; it needs load, create, renew and remove")
        return cls(store=store)

    def sharing(self, store: SharedStore | str) -> Sessions:
        """The same, with sign-outs and the count of wrong passwords shared by way of `store`.

        `Sessions.sealed(secret).sharing(url)`, say: the URL of a Redis stands for `authgate.redis.RedisStore(url)`. Records are
        shared by `Sessions.records(store)`.
        """
        opened = _opened(store)
        if not isinstance(opened, SharedStore):
            text = "it needs load, create, renew, remove, endings, end_user, counts and swap_counts"
            raise TypeError(f"session: a {type(store).__name__} is no store that can be shared; {text}")
        if self.secrets is None:
            text = "session: records are shared by way of the store that keeps them; write Sessions.records(store)"
            raise ConfigError("session", text)
        return replace(self, store=opened)

    @property
    def shares(self) -> bool:
        """Whether gates share these sessions by way of the store."""
        return isinstance(self.store, SharedStore)

    def using(self, **settings: object) -> Sessions:
        """The same with other settings: `Sessions.sealed(secret).using(idle=900, lifetime=28_800)`."""
        known = [field.name for field in fields(self) if field.name not in ("secrets", "store")]
        for name in settings:
            if name not in known:
                raise TypeError(f"session: {name} is no setting; choose from {', '.join(known)}")
        return replace(self, **settings)  # type: ignore[arg-type]

    def __repr__(self) -> str:
        kind = "sealed" if self.secrets is not None else "records"
        shared = f", shared by {type(self.store).__name__}" if self.shares else ""
        return f"Sessions.{kind}(idle={self.idle}, lifetime={self.lifetime}, cookie_name={self.cookie_name!r}{shared})"


def _opened(store: Any) -> Any:
    """The store itself, or the one at a URL."""
    if not isinstance(store, str):
        return store
    from authgate.redis import RedisStore

    return RedisStore(store)
