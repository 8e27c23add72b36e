"""Sessions, sign-outs and counts of wrong passwords in a Redis or Valkey that many processes share, through redis-py.

What is sent and what the replies mean is the native side's, so that dashboards in Rust and in Python share one sign-in.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Sequence
from concurrent.futures import TimeoutError as FutureTimeout
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from authgate._asking import threads
from authgate._core import Endings
from authgate._redis_asks import Ask, Asks, Change
from authgate.errors import ConfigError

if TYPE_CHECKING:
    import redis

DEADLINE = 1.0
"""How long an answer may take, in seconds, all that redis-py does for it included."""
MOST_CONNECTIONS = 32
"""The most connections of one event loop. Who finds none waits."""


class RedisStore:
    """A `SharedStore` in Redis 6.2 or newer, or Valkey: one primary, as what a replica tells may have ended.

    Its own methods block, for WSGI; under ASGI, `asynchronous` is asked. No answer is waited for longer than 1 s, and but for
    reads from a connection that has gone nothing is sent twice.
    """

    def __init__(self, server: str | redis.Redis, *, prefix: str = "authgate:") -> None:
        """
        Args:
            server: The URL of a Redis: `redis://host:6379/0`, `rediss://user:password@host:6380/0` for TLS, or
                `unix:///run/redis.sock`; what is special in a password is percent-encoded, and redis-py's options may follow `?`.
                Or a client of redis-py's that is not asynchronous, such as a Sentinel's `master_for(…)` gives. It keeps the
                timeouts and retries that it has, and under ASGI it is asked in threads.
            prefix: Begins every key. Stores of different prefixes know nothing of each other.

        Raises:
            TypeError: A server that is neither, or a prefix that is no text.
            ConfigError: A URL that cannot be read, or there is no redis-py.
        """
        if not isinstance(prefix, str):
            raise TypeError(f"prefix: a {type(prefix).__name__} is no text")
        _redis()
        self._asks = Asks(prefix)
        self._prefix = prefix
        self.asynchronous: RedisStore | _Asynchronous = self
        if isinstance(server, str):
            self._client: Any = _client(server)
            self.asynchronous = _Asynchronous(server, self._asks)
        else:
            command = getattr(server, "execute_command", None)
            if inspect.iscoroutinefunction(command):
                raise TypeError("session: this client of redis-py is asynchronous; give a URL, or a `redis.Redis`")
            if command is None:
                text = f"session: a {type(server).__name__} is no Redis that can be asked; give a URL, or a `redis.Redis`"
                raise TypeError(text)
            self._client = server

    def __repr__(self) -> str:
        pool = getattr(self._client, "connection_pool", None)
        known = getattr(pool, "connection_kwargs", {})
        where = known.get("path") or ":".join(str(known[name]) for name in ("host", "port") if name in known)
        return f"RedisStore({where or type(self._client).__name__!r}, prefix={self._prefix!r})"

    def load(self, session_id: str, /) -> bytes | None:
        """As in `SessionStore`."""
        return self._now(self._asks.load(session_id))  # type: ignore[no-any-return]

    def create(self, session_id: str, data: bytes, until: float, /) -> bool:
        """As in `SessionStore`."""
        return self._now(self._asks.create(session_id, data))  # type: ignore[no-any-return]

    def renew(self, session_id: str, data: bytes, until: float, /) -> bool:
        """As in `SessionStore`."""
        return self._now(self._asks.renew(session_id, data))  # type: ignore[no-any-return]

    def remove(self, session_id: str, /) -> None:
        """As in `SharedStore`."""
        self._now(self._asks.remove(session_id))

    def endings(self, position: str | None, lifetime: float, /) -> Endings:
        """As in `SharedStore`."""
        return self._now(self._asks.endings(position, lifetime))  # type: ignore[no-any-return]

    def end_user(self, user: str, ago: float, /) -> None:
        """As in `SharedStore`."""
        self._now(self._asks.end_user(user, ago))

    def counts(self, keys: Sequence[str], /) -> Sequence[bytes | None]:
        """As in `SharedStore`."""
        return self._now(self._asks.counts(keys))  # type: ignore[no-any-return]

    def swap_counts(self, changes: Sequence[Change], /) -> bool:
        """As in `SharedStore`."""
        return self._now(self._asks.swap_counts(changes))  # type: ignore[no-any-return]

    def _now(self, ask: Ask) -> Any:
        # In a thread: a name that cannot be resolved, say, knows no timeout.
        future = threads("redis").submit(lambda: ask.read(self._execute(ask)))
        try:
            return future.result(DEADLINE)
        except FutureTimeout:
            future.cancel()
            raise _late() from None

    def _execute(self, ask: Ask) -> Any:
        try:
            return self._send(ask)
        except _redis().exceptions.ConnectionError:
            if not ask.again:
                raise
            return self._send(ask)

    def _send(self, ask: Ask) -> Any:
        try:
            return self._client.execute_command(*ask.words)
        except _redis().exceptions.NoScriptError:
            return self._client.execute_command(*ask.whole)
        except _demotions():
            self._client.connection_pool.disconnect(inuse_connections=False)
            raise


class _Asynchronous:
    """The same store from an event loop. Each loop has a client of its own, made when it is first asked."""

    def __init__(self, url: str, asks: Asks) -> None:
        self._url = url
        self._asks = asks
        self._clients: WeakKeyDictionary[asyncio.AbstractEventLoop, Any] = WeakKeyDictionary()

    async def load(self, session_id: str, /) -> bytes | None:
        return await self._later(self._asks.load(session_id))  # type: ignore[no-any-return]

    async def create(self, session_id: str, data: bytes, until: float, /) -> bool:
        return await self._later(self._asks.create(session_id, data))  # type: ignore[no-any-return]

    async def renew(self, session_id: str, data: bytes, until: float, /) -> bool:
        return await self._later(self._asks.renew(session_id, data))  # type: ignore[no-any-return]

    async def remove(self, session_id: str, /) -> None:
        await self._later(self._asks.remove(session_id))

    async def endings(self, position: str | None, lifetime: float, /) -> Endings:
        return await self._later(self._asks.endings(position, lifetime))  # type: ignore[no-any-return]

    async def end_user(self, user: str, ago: float, /) -> None:
        await self._later(self._asks.end_user(user, ago))

    async def counts(self, keys: Sequence[str], /) -> Sequence[bytes | None]:
        return await self._later(self._asks.counts(keys))  # type: ignore[no-any-return]

    async def swap_counts(self, changes: Sequence[Change], /) -> bool:
        return await self._later(self._asks.swap_counts(changes))  # type: ignore[no-any-return]

    async def _later(self, ask: Ask) -> Any:
        try:
            return ask.read(await asyncio.wait_for(self._execute(ask), DEADLINE))
        except asyncio.TimeoutError:
            raise _late() from None

    async def _execute(self, ask: Ask) -> Any:
        try:
            return await self._send(ask)
        except _redis().exceptions.ConnectionError:
            if not ask.again:
                raise
            return await self._send(ask)

    async def _send(self, ask: Ask) -> Any:
        client = self._client()
        try:
            return await client.execute_command(*ask.words)
        except _redis().exceptions.NoScriptError:
            return await client.execute_command(*ask.whole)
        except _demotions():
            await client.connection_pool.disconnect(inuse_connections=False)
            raise

    def _client(self) -> Any:
        # A process that was forked runs a loop of its own, and so has connections of its own.
        loop = asyncio.get_running_loop()
        client = self._clients.get(loop)
        if client is None:
            client = self._clients[loop] = _asynchronous_client(self._url)
        return client


def _late() -> TimeoutError:
    return TimeoutError(f"Redis gave no answer within {DEADLINE:g} s")


def _redis() -> Any:
    try:
        import redis
    except ImportError:
        text = "session: Redis is asked through redis-py, which is not installed; pip install 'authgate[redis]'"
        raise ConfigError("session", text) from None
    return redis


def _demotions() -> tuple[type[Exception], ...]:
    """What a server says that is no primary any more. Whoever is asked next is connected to anew, and may be the one that is."""
    exceptions = _redis().exceptions
    return exceptions.ReadOnlyError, exceptions.MasterDownError


def _options() -> dict[str, Any]:
    """Nothing waits longer than an answer may take, and nothing is sent again behind our back."""
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    return {
        "socket_timeout": DEADLINE,
        "socket_connect_timeout": DEADLINE,
        "retry": Retry(NoBackoff(), 0),
        "protocol": 2,
    }


def _client(url: str) -> Any:
    try:
        client = _redis().Redis.from_url(url, **_options())
        pool = client.connection_pool
        # Options that there are not show only where a connection is made. It connects to nothing yet.
        pool.connection_class(**pool.connection_kwargs)
        database = urlsplit(url).path.strip("/")
    except (ValueError, TypeError):
        # What redis-py says of it may hold a part of the password.
        text = (
            "session: the URL of the Redis cannot be read; write redis://user:password@host:6379/0, "
            "with what is special in the password percent-encoded, and redis-py's options after `?`"
        )
        raise ConfigError("session", text) from None
    if database and not database.isdecimal() and not url.startswith("unix:"):
        # redis-py would take the first, and these gates would share nothing with those that another program sends there.
        text = "session: what follows the host of the Redis is no database number; write redis://host:6379/0"
        raise ConfigError("session", text)
    return client


def _asynchronous_client(url: str) -> Any:
    import redis.asyncio
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff

    options = {**_options(), "retry": Retry(NoBackoff(), 0)}
    pool = redis.asyncio.BlockingConnectionPool.from_url(
        url, max_connections=MOST_CONNECTIONS, timeout=DEADLINE, **options
    )
    return redis.asyncio.Redis(connection_pool=pool)
