"""`RedisStore` and stores like it: clients that somebody has, TLS, passwords, what is sent twice, forks, stores of one's own."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis as redis_py
import redis.asyncio
from authgate import ConfigError, Endings, Sessions, SharedStore, Unavailable
from authgate._core import RedisLayout
from authgate.redis import RedisStore
from authgate.wsgi import AuthGate

from doors import Door
from redis_server import Redis, redis_server
from servers import Server, serving
from test_session_stores import Store
from world import SECRET, SECRETS, password, wsgi_dashboard

SESSION_ID = "A" * 43


@pytest.fixture(scope="module")
def server() -> Iterator[Redis]:
    with redis_server() as redis:
        yield redis


def door(kind: str, store: Any, **more: Any) -> Door:
    return Door(kind, session=Sessions.records(store), clock=time.time, **more)


@pytest.mark.parametrize("decodes", [False, True])
def test_a_client_that_somebody_has_already_is_taken(server: Redis, kind: str, decodes: bool) -> None:
    client = redis_py.Redis.from_url(server.url, decode_responses=decodes)
    one, other = door(kind, RedisStore(client, prefix="mine:")), door(kind, RedisStore(server.url, prefix="mine:"))
    one.sign_in()
    other.cookie = one.cookie
    assert other.ask("/queues")["x-seen-user"] == one.ask("/queues")["x-seen-user"] == "Ada"
    one.gate.sign_out_everywhere("ada")
    time.sleep(0.6)
    assert other.ask("/queues").status == 303
    assert all(str(key).lstrip("b'").startswith("mine:") for key in client.keys("mine:*"))


def test_stores_of_different_prefixes_know_nothing_of_each_other(server: Redis, kind: str) -> None:
    one, other = door(kind, RedisStore(server.url, prefix="one:")), door(kind, RedisStore(server.url, prefix="two:"))
    one.sign_in()
    other.cookie = one.cookie
    assert other.ask("/queues").status == 303


def test_an_asynchronous_client_is_refused_and_why() -> None:
    with pytest.raises(TypeError, match="session: this client of redis-py is asynchronous; give a URL, or a `redis.Redis`"):
        RedisStore(redis.asyncio.Redis())


@pytest.mark.parametrize("path", ["ops", "0x", "1/2", "-1"])
def test_a_database_is_a_number(path: str) -> None:
    with pytest.raises(ConfigError, match="no database number; write redis://host:6379/0"):
        RedisStore(f"redis://127.0.0.1:6379/{path}")


@pytest.mark.parametrize("what", [5, object()], ids=["number", "object"])
def test_what_cannot_be_asked_is_refused(what: Any) -> None:
    with pytest.raises(TypeError, match="session: a .* is no Redis that can be asked; give a URL, or a `redis.Redis`"):
        RedisStore(what)
    with pytest.raises(TypeError, match="prefix: a int is no text"):
        RedisStore("redis://localhost", prefix=5)  # type: ignore[arg-type]


def test_without_redis_py_one_sentence_says_what_to_install() -> None:
    code = """
import sys
sys.modules["redis"] = None
import authgate, authgate.redis
assert isinstance(authgate.Sessions.records(), authgate.Sessions)
try:
    authgate.Sessions.records("redis://localhost")
except authgate.ConfigError as error:
    print(error, error.argument)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True)
    text = "session: Redis is asked through redis-py, which is not installed; pip install 'authgate[redis]' session\n"
    assert done.stdout == text


def test_nobody_who_shares_no_redis_imports_redis_py() -> None:
    code = "import authgate, authgate.wsgi, sys; assert 'redis' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], timeout=30, check=True)


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that vouches for itself, and its key."""
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "redis of the tests")])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / "cert.pem", folder / "key.pem"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return public, private


def test_tls_and_users_with_passwords(kind: str, tmp_path: Path) -> None:
    public, private = certificate(tmp_path)
    tls = ["--tls-port", "{tls}", "--tls-cert-file", str(public), "--tls-key-file", str(private)]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    secret = "p@ss/word:100%"
    SECRETS.append(secret)
    options = [part.replace("{tls}", str(port)) for part in [*tls, "--tls-auth-clients", "no"]]
    users = ["--user", "ops", "on", f">{secret}", "~*", "+@all", "--user", "default", "off"]
    with redis_server(*options, *users):
        url = f"rediss://ops:p%40ss%2Fword%3A100%25@127.0.0.1:{port}/0?ssl_ca_certs={public}"
        one = door(kind, url)
        assert one.sign_in().status == 303
        assert one.ask("/queues")["x-seen-user"] == "Ada"
        for wrong in (
            url.replace("word", "wort"),
            url.partition("?")[0],
            url.replace("rediss", "redis").partition("?")[0],
            f"redis://127.0.0.1:{port}",
        ):
            stranger = door(kind, wrong)
            assert stranger.sign_in().status == 503
            assert secret not in str(stranger.told) and "p%40" not in str(stranger.told)


class Deaf:
    """A server that takes what a client says about itself, and goes away at any command."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"redis://127.0.0.1:{self._socket.getsockname()[1]}/0"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                while said := connection.recv(65_536):
                    if b"CLIENT" not in said:
                        self.heard.append(said)
                        break
                    connection.sendall(b"+OK\r\n" * said.count(b"CLIENT"))

    def close(self) -> None:
        self._socket.close()


class Demoted(Deaf):
    """One that is a replica since a moment ago."""

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._refuse, args=(connection,), daemon=True).start()

    def _refuse(self, connection: socket.socket) -> None:
        self.heard.append(b"")
        with connection, contextlib.suppress(OSError):
            while said := connection.recv(65_536):
                greets = said.count(b"CLIENT")
                connection.sendall(b"+OK\r\n" * greets or b"-READONLY You can't write against a read only replica.\r\n")


def test_a_server_that_is_no_primary_any_more_is_connected_to_anew(kind: str) -> None:
    replica = Demoted()
    store = RedisStore(replica.url)

    async def thrice() -> None:
        for _ in range(3):
            with pytest.raises(redis_py.ReadOnlyError):
                await store.asynchronous.end_user("ada", 0.0)  # type: ignore[misc]

    if kind == "asgi":
        asyncio.run(thrice())
    else:
        for _ in range(3):
            with pytest.raises(redis_py.ReadOnlyError):
                store.end_user("ada", 0.0)
    replica.close()
    assert len(replica.heard) == 3


class Dribbling(Deaf):
    """One that answers, a byte at a time, and is never done."""

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._dribble, args=(connection,), daemon=True).start()

    def _dribble(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            while b"CLIENT" in (said := connection.recv(65_536)):
                connection.sendall(b"+OK\r\n" * said.count(b"CLIENT"))
            connection.sendall(b"$1000\r\n")
            for _ in range(20):
                connection.sendall(b"x")
                time.sleep(0.2)


def test_an_answer_that_never_ends_is_not_waited_for(kind: str) -> None:
    slow = Dribbling()
    store = RedisStore(slow.url)
    begun = time.monotonic()
    with pytest.raises(TimeoutError, match="Redis gave no answer within 1 s"):
        if kind == "wsgi":
            store.load(SESSION_ID)
        else:
            asyncio.run(store.asynchronous.load(SESSION_ID))  # type: ignore[arg-type]
    assert 0.9 < time.monotonic() - begun < 1.5
    slow.close()


def test_each_event_loop_has_connections_of_its_own(server: Redis) -> None:
    store = RedisStore(server.url)
    loops = [asyncio.new_event_loop() for _ in range(2)]
    for _ in range(3):
        for loop in loops:
            assert loop.run_until_complete(store.asynchronous.load(SESSION_ID)) is None  # type: ignore[arg-type]
    for loop in loops:
        loop.close()


def record(server: Redis) -> bytes:
    """A record, as the gate writes it."""
    one = door("wsgi", RedisStore(server.url, prefix="record:"))
    one.sign_in()
    client = redis_py.Redis.from_url(server.url)
    return client.get(client.keys("record:session:*")[0])  # type: ignore[return-value, index]


CALLS: dict[str, tuple[int, Any]] = {
    "load": (2, lambda store, data: store.load(SESSION_ID)),
    "endings": (2, lambda store, data: store.endings(None, 60.0)),
    "counts": (2, lambda store, data: store.counts(["n:" + "B" * 21 + "A"])),
    "create": (1, lambda store, data: store.create(SESSION_ID, data, 0.0)),
    "renew": (1, lambda store, data: store.renew(SESSION_ID, data, 0.0)),
    "remove": (1, lambda store, data: store.remove(SESSION_ID)),
    "end_user": (1, lambda store, data: store.end_user("ada", 0.0)),
    "swap_counts": (1, lambda store, data: store.swap_counts([("n:" + "B" * 21 + "A", None, "2:1", 5.0)])),
}


@pytest.mark.parametrize("call", CALLS)
def test_only_reads_are_sent_twice(server: Redis, kind: str, call: str) -> None:
    times, act = CALLS[call]
    data, deaf = record(server), Deaf()
    store = RedisStore(deaf.url)
    try:
        with pytest.raises(redis_py.ConnectionError):
            if kind == "wsgi":
                act(store, data)
            else:
                asyncio.run(act(store.asynchronous, data))
    finally:
        deaf.close()
    assert len(deaf.heard) == times


@pytest.mark.parametrize("call", CALLS)
def test_a_call_is_one_round_trip(server: Redis, kind: str, call: str) -> None:
    data = record(server)
    act = CALLS[call][1]
    store = RedisStore(server.url, prefix="trips:")
    watched = redis_py.Redis.from_url(server.url)

    async def twice() -> int:
        await act(store.asynchronous, data)
        before = watched.info("stats")["total_commands_processed"]  # type: ignore[index]
        await act(store.asynchronous, data)
        return int(before)

    if kind == "asgi":
        before = asyncio.run(twice())
    else:
        act(store, data)
        before = int(watched.info("stats")["total_commands_processed"])  # type: ignore[index]
        act(store, data)
    calls = watched.info("commandstats")
    after = int(watched.info("stats")["total_commands_processed"])  # type: ignore[index]
    assert "cmdstat_evalsha" in calls  # type: ignore[operator]
    script = {"endings": True, "remove": True, "end_user": True, "swap_counts": True}.get(call, False)
    # INFO itself is counted, and so are the commands of a script.
    assert after - before - 2 >= 1 and (script or after - before - 2 == 1)


def test_what_is_not_create_d_is_not_there(server: Redis) -> None:
    store, data = RedisStore(server.url, prefix="plain:"), record(server)
    assert store.load(SESSION_ID) is None
    assert store.renew(SESSION_ID, data, 0.0) is False
    assert store.create(SESSION_ID, data, 0.0) is True
    assert store.create(SESSION_ID, data, 0.0) is False
    assert store.load(SESSION_ID) == data
    assert store.renew(SESSION_ID, data, 0.0) is True
    store.remove(SESSION_ID)
    assert store.load(SESSION_ID) is None
    key = "n:" + "B" * 21 + "A"
    assert store.counts([key]) == [None]
    assert store.swap_counts([(key, None, "2:1", 5.0)]) is True
    assert store.swap_counts([(key, None, "3:1", 5.0)]) is False
    assert store.counts([key]) == [b"2:1"]
    assert store.swap_counts([(key, "2:1", None, None)]) is True
    assert isinstance(store, SharedStore) and isinstance(store.asynchronous, SharedStore)


def test_the_latest_position_goes_with_whatever_tells_of_an_ending() -> None:
    layout = RedisLayout("ops:")
    assert layout.remove(SESSION_ID)[0] == [b"3", b"ops:endings", b"ops:endings:about", b"ops:session:" + SESSION_ID.encode(), b"", SESSION_ID.encode()]
    layout.told(b"10-4")
    layout.told(b"9-99")
    layout.told(b"10-3")
    layout.told(b"rubbish")
    for words, script in (layout.remove(SESSION_ID), layout.end_user("ada", 1.5), layout.endings("7-0", 60.0)):
        assert b"10-4" in words and script is not None
    layout.news([b"11-0", b"0", b"0", b"0"])
    assert b"11-0" in layout.end_user("ada", 0.0)[0]
    with pytest.raises(ValueError, match="cannot be read"):
        layout.news([b"11-0"])


def wrongs(server: Server) -> list[int]:
    form = {"Content_Type": "application/x-www-form-urlencoded", "Sec_Fetch_Site": "same-origin"}
    return [server.ask("/login", "POST", "username=ada&password=wrong", **form).status for _ in range(11)]


UVICORN = ("-m", "uvicorn", "--host", "127.0.0.1", "--port", "{port}", "--workers", "2", "apps:asgi")
GUNICORN = ("-m", "gunicorn", "-b", "127.0.0.1:{port}", "-w2")
WORKERS = {
    "uvicorn": UVICORN,
    "gunicorn": (*GUNICORN, "apps:wsgi"),
    "gunicorn, forked from one that has asked": (*GUNICORN, "--preload", "asked_before:wsgi"),
    "gunicorn, threads": (*GUNICORN, "--threads", "8", "apps:wsgi"),
}


@pytest.mark.parametrize("sessions", ["redis", "sealed+redis"])
@pytest.mark.parametrize("command", WORKERS)
def test_t26_workers_share_what_is_in_redis(server: Redis, command: str, sessions: str) -> None:
    env = {"SESSIONS": sessions, "REDIS": server.url}
    form = {"Content_Type": "application/x-www-form-urlencoded", "Sec_Fetch_Site": "same-origin"}
    redis_py.Redis.from_url(server.url).flushall()
    with serving(*WORKERS[command], **env) as workers:
        answer = workers.ask("/login", "POST", "username=grace&password=hopper-1906", **form)
        cookie = answer.cookie
        seen = [workers.ask("/queues", Cookie=cookie)["x-seen-user"] for _ in range(16)]
        assert set(seen) == {"Grace"}
        assert workers.ask("/logout", "POST", "", Cookie=cookie, **form).status == 303
        time.sleep(0.6)
        assert {workers.ask("/queues", Cookie=cookie).status for _ in range(16)} == {303}
        redis_py.Redis.from_url(server.url).flushall()
        assert wrongs(workers) == [401] * 10 + [429]


def test_a_fork_makes_clients_of_its_own(server: Redis) -> None:
    store = RedisStore(server.url, prefix="fork:")
    assert asyncio.run(store.asynchronous.load(SESSION_ID)) is None  # type: ignore[misc, arg-type]
    assert store.load(SESSION_ID) is None
    child = os.fork()
    if child == 0:
        signal.alarm(30)
        ok = store.load(SESSION_ID) is None and asyncio.run(store.asynchronous.load(SESSION_ID)) is None  # type: ignore[misc, arg-type]
        os._exit(0 if ok else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert store.load(SESSION_ID) is None


class Own(Store):
    """A shared store of somebody's own, in a dictionary."""

    def __init__(self) -> None:
        super().__init__()
        self.ended: list[tuple[str, str, float]] = []
        self.counted: dict[str, str] = {}
        self.delay = 0.0

    def remove(self, session_id: str) -> None:
        super().remove(session_id)
        self.ended.append(("session", session_id, time.time()))

    def end_user(self, user: str, ago: float) -> None:
        self.ended.append(("user", user, time.time() - ago))

    def endings(self, position: str | None, lifetime: float) -> Endings:
        time.sleep(self.delay)
        news = self.ended[int(position or 0) :]
        told: dict[str, list[tuple[str, float]]] = {kind: [] for kind in ("session", "user")}
        for kind, whom, at in news:
            told[kind].append((whom, at))
        return Endings(
            position=str(len(self.ended)), floor=0.0, now=time.time(), sessions=told["session"], users=told["user"]
        )

    def counts(self, keys: Any) -> list[str | None]:
        time.sleep(self.delay)
        return [self.counted.get(key) for key in keys]

    def swap_counts(self, changes: Any) -> bool:
        time.sleep(self.delay)
        if any(self.counted.get(key) != was for key, was, _, _ in changes):
            return False
        for key, _, becomes, _ in changes:
            if becomes is None:
                self.counted.pop(key, None)
            else:
                self.counted[key] = becomes
        return True


class AsyncOwn(Own):
    """The same, some of it awaited."""

    async def endings(self, position: str | None, lifetime: float) -> Endings:  # type: ignore[override]
        await asyncio.sleep(self.delay)
        return Own.endings(self, position, lifetime)

    async def end_user(self, user: str, ago: float) -> None:  # type: ignore[override]
        await asyncio.sleep(self.delay)
        Own.end_user(self, user, ago)


OWN = {"asgi": ("asgi", Own), "asgi, asynchronous": ("asgi", AsyncOwn), "wsgi": ("wsgi", Own)}


@pytest.mark.parametrize("make", OWN)
def test_a_store_of_ones_own_is_shared(make: str) -> None:
    kind, own = OWN[make]
    store = own()
    one, other = door(kind, store), Door(kind, session=Sessions.sealed(SECRET).sharing(store), clock=time.time)
    assert one.sign_in().status == other.sign_in().status == 303
    assert one.ask("/")["x-seen-user"] == other.ask("/")["x-seen-user"] == "Ada"
    one.gate.sign_out_everywhere("ada")
    time.sleep(0.6)
    assert one.ask("/").status == other.ask("/").status == 303
    gates = [door(kind, store) for _ in range(2)]
    assert [gates[number % 2].sign_in("eve", "wrong").status for number in range(11)] == [401] * 10 + [429]


def test_a_store_of_ones_own_that_is_slow_keeps_nobody_waiting_for_long(kind: str) -> None:
    store = Own()
    one = door(kind, store)
    store.delay = 1.2
    begun = time.monotonic()
    assert one.sign_in().status == 503
    # Under WSGI what has begun is waited for.
    assert time.monotonic() - begun < (3.4 if kind == "asgi" else 4)
    assert "the session store" in one.told[-1].detail


@pytest.mark.parametrize("answer", [None, [], [b"1-1", b"0", b"0", b"0"], {"position": "1"}, True], ids=repr)
def test_t32_endings_that_are_none_let_nobody_in(kind: str, answer: Any) -> None:
    store = Own()
    one = door(kind, store)
    one.sign_in()
    store.endings = lambda *_: answer  # type: ignore[method-assign]
    time.sleep(0.6)
    assert one.ask("/").status == 503


def test_t23_whoever_could_not_be_told_is_known(kind: str) -> None:
    store = Own()
    one = door(kind, store)

    def down(*_: Any) -> None:
        raise ConnectionError("down")

    store.end_user = down  # type: ignore[method-assign]
    with pytest.raises(Unavailable, match="the sessions of 'ada' have ended here, .*ConnectionError: down"):
        one.gate.sign_out_everywhere("ada")


def test_endings_are_judged_where_they_are_made() -> None:
    good: dict[str, Any] = {"position": "1", "floor": 0.0, "now": 1.0}
    assert "position: \"1\"" in repr(Endings(**good))
    for wrong in ({"floor": float("nan")}, {"now": float("inf")}, {"sessions": [("x", 1.0)]}):
        with pytest.raises(ValueError):
            Endings(**{**good, **wrong})
    with pytest.raises(TypeError):
        Endings(**{**good, "users": ["ada"]})


def test_wsgi_takes_no_asynchronous_store_that_is_shared() -> None:
    class Half(Own):
        async def endings(self, position: str | None, lifetime: float) -> Any:
            return None

    with pytest.raises(TypeError, match="session: the store's endings is `async def`"):
        AuthGate(wsgi_dashboard, backend=password(), session=Sessions.records(Half()))


def test_a_store_that_shares_nothing_still_works(kind: str) -> None:
    store = Store()
    one, other = door(kind, store), door(kind, store)
    one.sign_in()
    other.cookie = one.cookie
    assert other.ask("/")["x-seen-user"] == "Ada"
    one.gate.sign_out_everywhere("ada")
    assert set(store.calls) == {"load", "create"}
