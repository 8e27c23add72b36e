"""Several gates on one Redis, of either kind: what is done at one holds at the others; and a Redis that is down."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from authgate import ConfigError, Sessions, Unavailable
from authgate.redis import RedisStore

from doors import KINDS, Door
from redis_server import Redis, redis_server
from world import HOST, SECRET, SECRETS, socket_of

STALE = 0.6
"""A moment longer than a gate remembers what it has heard."""
MODES: dict[str, Callable[[Any], Sessions]] = {
    "records": Sessions.records,
    "sealed": lambda store: Sessions.sealed(SECRET).sharing(store),
}


@pytest.fixture(scope="module")
def server() -> Iterator[Redis]:
    with redis_server() as redis:
        yield redis


@pytest.fixture
def redis(server: Redis) -> Redis:
    """Where nobody has been yet."""
    server.kill()
    server.start()
    return server


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def at(kind: str, redis: Redis | str, mode: str, *, app: Any = None, **more: Any) -> Door:
    """A gate in a process of its own, as far as the store can tell."""
    url = redis if isinstance(redis, str) else redis.url
    return Door(kind, app, session=MODES[mode](url).using(**more), clock=time.time)


@pytest.mark.parametrize(("here", "there"), itertools.product(KINDS, KINDS))
def test_who_signs_in_at_one_gate_is_known_at_the_other(redis: Redis, mode: str, here: str, there: str) -> None:
    one, other = at(here, redis, mode), at(there, redis, mode)
    assert one.sign_in().status == 303
    other.cookie = one.cookie
    assert other.ask("/queues")["x-seen-user"] == "Ada"


@pytest.mark.parametrize(("here", "there"), itertools.product(KINDS, KINDS))
def test_t23_who_signs_out_at_one_gate_is_out_at_the_other(redis: Redis, mode: str, here: str, there: str) -> None:
    one, other = at(here, redis, mode), at(there, redis, mode)
    one.sign_in()
    cookie = other.cookie = one.cookie
    assert other.ask("/queues").status == 200
    assert one.sign_out().status == 303
    time.sleep(STALE)
    assert other.ask("/queues").status == 303
    fresh = at(there, redis, mode)
    fresh.cookie = cookie
    assert fresh.ask("/queues").status == 303, "a gate that starts hears all that has ended before"


def test_t23_all_sessions_of_a_user_end_everywhere_and_new_ones_do_not(redis: Redis, mode: str, kind: str) -> None:
    one, other = at(kind, redis, mode), at(kind, redis, mode)
    one.sign_in()
    other.sign_in()
    bob = at(kind, redis, mode)
    bob.sign_in("grace", "hopper-1906")
    one.gate.sign_out_everywhere("ada")
    assert one.ask("/queues").status == 303
    time.sleep(STALE)
    assert other.ask("/queues").status == 303
    assert bob.ask("/queues").status == 200
    assert other.sign_in().status == 303
    one.cookie = other.cookie
    time.sleep(STALE)
    assert one.ask("/queues").status == other.ask("/queues").status == 200


def test_t28_all_gates_have_one_budget_of_tries(redis: Redis, mode: str, kind: str) -> None:
    gates = [at(kind, redis, mode), at(kind, redis, mode)]
    for number in range(10):
        assert gates[number % 2].sign_in("ada", "wrong").status == 401
    assert [gate.sign_in().status for gate in gates] == [429, 429]


def timed(door: Door) -> tuple[int, float]:
    begun = time.monotonic()
    status = door.ask("/queues").status
    return status, time.monotonic() - begun


def test_t32_a_redis_that_is_frozen_is_503_for_sessions_alone(redis: Redis, mode: str, kind: str) -> None:
    door, stranger = at(kind, redis, mode), at(kind, redis, mode)
    door.sign_in()
    cookie = door.cookie
    time.sleep(STALE)
    with redis.stopped():
        status, took = timed(door)
        assert status == 503 and 0.9 < took < 1.6
        assert door.cookie == cookie, "nobody is thrown out"
        status, took = timed(stranger)
        assert status == 303 and took < 0.3
        begun = time.monotonic()
        assert stranger.sign_in().status == 503
        assert time.monotonic() - begun < 3.5
        begun = time.monotonic()
        with pytest.raises(Unavailable, match="'grace' have ended here, .* could not be told; call it again"):
            door.gate.sign_out_everywhere("grace")
        assert time.monotonic() - begun < 1.5
    assert door.ask("/queues")["x-seen-user"] == "Ada", "and it needs no restart"


def test_t32_a_redis_that_is_gone_is_503_for_sessions_and_revives_nobody(redis: Redis, mode: str, kind: str) -> None:
    door, stranger = at(kind, redis, mode), at(kind, redis, mode)
    door.sign_in()
    time.sleep(STALE)
    redis.kill()
    status, took = timed(door)
    assert status == 503 and took < 1.6
    assert "Connection refused" in door.told[-1].detail or "connection" in door.told[-1].detail.lower()
    assert timed(stranger)[0] == 303
    with pytest.raises(Unavailable):
        door.gate.sign_out_everywhere("grace")
    redis.start()
    assert door.ask("/queues").status == 303, "it has lost everything"
    assert door.sign_in().status == 303
    stranger.cookie = door.cookie
    assert stranger.ask("/queues")["x-seen-user"] == "Ada", "and it needs no restart"


def test_t32_sessions_that_ended_while_nobody_could_be_told_have_ended_here(redis: Redis, mode: str, kind: str) -> None:
    door = at(kind, redis, mode)
    door.sign_in()
    with redis.stopped(), pytest.raises(Unavailable):
        door.gate.sign_out_everywhere("ada")
    time.sleep(STALE)
    assert door.ask("/queues").status == 303


class Ticks:
    """An application that sends something all the time, until it is cut, or for ten seconds."""

    async def asgi(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.accept"})
            while (await receive())["type"] != "websocket.disconnect":
                pass
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(100):
            await send({"type": "http.response.body", "body": b".", "more_body": True})
            await asyncio.sleep(0.1)

    def wsgi(self, environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        for _ in range(100):
            yield b"."
            time.sleep(0.1)


def seconds_until_cut(door: Door, *, websocket: bool = False, path: str = "/events") -> float:
    """How long a stream goes on; ten seconds if it is not cut."""
    begun = time.monotonic()

    async def send(message: Any) -> None:
        pass

    async def receive() -> Any:
        await asyncio.Event().wait()

    with contextlib.suppress(ConnectionError):
        if websocket:
            assert door.cookie is not None
            fields = [HOST, ("Cookie", door.cookie), ("Origin", "http://dash.example")]
            asyncio.run(asyncio.wait_for(door.gate(socket_of(path, fields), receive, send), 10))
        elif door.kind == "asgi":
            asyncio.run(door.gate(door.scope(path), receive, send))
        else:
            for _ in door.gate(door.scope(path), lambda *_: None):
                pass
    return time.monotonic() - begun


STREAMS = {"events": ("asgi", False), "websocket": ("asgi", True), "body": ("wsgi", False)}


@pytest.mark.parametrize("stream", STREAMS)
def test_t13_a_stream_ends_when_its_user_signs_out_elsewhere(redis: Redis, mode: str, stream: str) -> None:
    kind, websocket = STREAMS[stream]
    ticks = Ticks()
    door = at(kind, redis, mode, app=ticks.asgi if kind == "asgi" else ticks.wsgi)
    other = at("wsgi", redis, mode)
    door.sign_in()
    other.cookie = door.cookie
    later = threading.Timer(1.5, other.sign_out)
    later.start()
    took = seconds_until_cut(door, websocket=websocket)
    later.join()
    assert 1.4 < took < 3.5


@pytest.mark.parametrize("stream", STREAMS)
def test_t13_a_stream_goes_on_for_a_while_without_redis(redis: Redis, stream: str) -> None:
    kind, websocket = STREAMS[stream]
    ticks = Ticks()
    door = at(kind, redis, "sealed", app=ticks.asgi if kind == "asgi" else ticks.wsgi, grace=3.0)
    door.sign_in()
    stop = contextlib.ExitStack()
    later = threading.Timer(0.2, lambda: stop.enter_context(redis.stopped()))
    later.start()
    took = seconds_until_cut(door, websocket=websocket)
    later.join()
    stop.close()
    assert 2.5 < took < 5.5


def test_t13_a_stream_is_not_held_up_by_a_redis_that_is_frozen(redis: Redis, kind: str) -> None:
    """Ten messages a second, and none waits longer than a quarter of one."""
    arrived: list[float] = []

    class Slow(Ticks):
        async def asgi(self, scope: Any, receive: Any, send: Any) -> None:
            async def told(message: Any) -> None:
                await send(message)
                arrived.append(time.monotonic())

            await super().asgi(scope, receive, told)

        def wsgi(self, environ: Any, start_response: Any) -> Any:
            for chunk in super().wsgi(environ, start_response):
                yield chunk
                arrived.append(time.monotonic())

    app = Slow()
    door = at(kind, redis, "sealed", app=app.asgi if kind == "asgi" else app.wsgi, grace=4.0)
    door.sign_in()
    with redis.stopped():
        seconds_until_cut(door)
    gaps = [after - before for before, after in itertools.pairwise(arrived)]
    assert len(arrived) > 20 and max(gaps) < 0.6


def test_a_gate_without_sharing_settings_takes_none() -> None:
    with pytest.raises(ConfigError, match="session: stale and grace go with a store that is shared"):
        Door("asgi", session=Sessions.sealed(SECRET).using(stale=1.0))
    with pytest.raises(ConfigError, match="session: records are shared by way of the store"):
        Sessions.records().sharing("redis://127.0.0.1:1/0")
    with pytest.raises(TypeError, match="session: a int is no store that can be shared; it needs load"):
        Sessions.sealed(SECRET).sharing(5)  # type: ignore[arg-type]


@pytest.mark.parametrize(("name", "value"), [("stale", 61), ("grace", 3601), ("grace", 0.1)])
def test_what_is_stale_for_too_long_is_refused(name: str, value: float) -> None:
    session = Sessions.sealed(SECRET).sharing("redis://127.0.0.1:1/0").using(**{name: value})
    with pytest.raises(ConfigError, match="^session: "):
        Door("asgi", session=session)


def test_a_gate_may_ask_less_often(redis: Redis, kind: str) -> None:
    one, other = at(kind, redis, "sealed", stale=2.0), at(kind, redis, "sealed")
    one.sign_in()
    cookie = other.cookie = one.cookie
    other.sign_out()
    one.cookie = cookie
    assert one.ask("/queues").status == 200, "it was heard a moment ago"
    time.sleep(2.1)
    assert one.ask("/queues").status == 303


def test_nothing_told_holds_a_password() -> None:
    password = "s3cret/with:colons"
    SECRETS.append(password)
    for url in (f"redis://:{password}@127.0.0.1:6379/0", f"http://ada:{password}@127.0.0.1/", password, "redis://:s3cret@localhost?timeouts=5"):
        with pytest.raises(ConfigError) as caught:
            RedisStore(url)
        assert str(caught.value).startswith("session: the URL of the Redis cannot be read; write redis://")
        assert "s3cret" not in f"{caught.value} {caught.value.__cause__}"
        assert caught.value.__suppress_context__
    store = RedisStore("redis://ada:s3cret@redis.example:6380/1", prefix="ops:")
    assert repr(store) == "RedisStore('redis.example:6380', prefix='ops:')"
    assert "s3cret" not in repr(Sessions.records(store))
