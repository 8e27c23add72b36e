"""The Redis of the page: its account, TLS, a memory that is full, a snapshot that is old, and answers that are slow."""

from __future__ import annotations

import shutil
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from balancer import PAGE
from gates import KINDS, Crowd, Sharing, at, gate, is_refused, several, signed_in, timed
from own_authority import signed_for_localhost
from serve.operators import block
from shared_redis import LASTING, Redis, redis
from support.checks import until
from support.people import Person
from support.program import Running, authgate
from support.wire import Address

STALE = 0.6
PASSWORD = "pa55-of-the-account"


@pytest.mark.parametrize("kind", KINDS)
def test_the_account_of_the_page_may_do_all_that_a_gate_does_and_no_more(
    kind: str, crowd: Crowd, sharing: Sharing, store: Redis
) -> None:
    rights = block(PAGE.read_text(), "text", "ACL SETUSER").replace("PASSWORD", PASSWORD).split()
    with store.client() as owner:
        owner.execute_command(*rights)
        owner.execute_command("ACL", "SETUSER", "default", "off")
    own = replace(sharing, url=store.named(f"authgate:{PASSWORD}@"))
    with several(crowd, own, kind, "tokio") as (one, other):
        one.hide(PASSWORD)
        ada = signed_in(one)
        assert Person(one, "bob", "not-his-password").try_to_sign_in().status == 401
        assert at(ada, other).is_in()
        assert at(ada, other).sign_out().status == 303
        until(lambda: is_refused(at(ada, one)), "she is out", 1)
        again = signed_in(one)
        ended = authgate("sign-out", "ada", "--store", own.url)
        assert ended.returncode == 0, ended
        until(lambda: is_refused(at(again, one)), "she is out again", 1)
        assert "NOPERM" not in one.log() + other.log()
    with store.client(username="authgate", password=PASSWORD) as account:
        for command in (["KEYS", "*"], ["FLUSHALL"], ["CONFIG", "GET", "*"], ["GET", "another:key"]):
            with pytest.raises(Exception, match="(?i)permission"):
                account.execute_command(*command)


@pytest.mark.parametrize("kind", ["tokio", "smol"])
def test_over_tls_the_named_authority_alone_is_trusted(kind: str, crowd: Crowd, tmp_path: Path) -> None:
    folders = [tmp_path / "ours", tmp_path / "theirs"]
    for folder in folders:
        folder.mkdir()
    (ours, certificate), (theirs, _) = (signed_for_localhost(folder) for folder in folders)
    with redis() as store:
        plain = ["--port", str(store.address[1])]
        tls = ["--port", "0", "--tls-port", plain[1], "--tls-auth-clients", "no"]
        store.kill()
        store.flags += [*tls, "--tls-cert-file", str(certificate.chain), "--tls-key-file", str(certificate.key)]
        store.tls = str(ours)
        store.start()
        secure = Sharing(f"rediss://localhost:{store.address[1]}/0")
        with gate(kind, crowd, secure, "--redis-ca-file", ours) as site:
            assert signed_in(site).is_in()
            ended = authgate("sign-out", "ada", "--store", secure.url, "--redis-ca-file", ours)
            assert ended.returncode == 0, ended
        for flags in ([], ["--redis-ca-file", str(theirs)]):
            with gate(kind, crowd, secure, *flags) as site:
                assert Person(site, "ada", "enigma").try_to_sign_in().status == 503
                assert site.get("/").status == 303
        with gate(kind, crowd, Sharing(f"redis://localhost:{store.address[1]}/0")) as site:
            assert Person(site, "ada", "enigma").try_to_sign_in().status == 503


@pytest.mark.parametrize("kind", KINDS)
def test_t23_a_redis_that_is_full_keeps_sessions_and_tells_no_lies(
    kind: str, crowd: Crowd, sharing: Sharing, store: Redis
) -> None:
    with gate(kind, crowd, sharing) as one, gate("smol", crowd, sharing) as other, store.client() as owner:
        ada, bob = signed_in(one), signed_in(one, "bob")
        owner.config_set("maxmemory-policy", "noeviction")
        owner.config_set("maxmemory", "1mb")
        time.sleep(STALE)
        assert ada.is_in() and bob.is_in(), "who is in stays in"
        fresh = Person(one, "user-1", "enigma").try_to_sign_in().status
        assert fresh == 503 or sharing.name == "sealed", "there is no room for a record"
        kept = at(ada, one)
        status = ada.sign_out().status
        if status == 303:  # then it has happened
            time.sleep(STALE)
            assert is_refused(kept) and is_refused(at(kept, other))
        assert status in (303, 503)
        owner.config_set("maxmemory", "0")
        until(lambda: at(kept, one).sign_out().status == 303, "and now it does", 3)
        until(lambda: is_refused(at(kept, other)), "everywhere", 1)
        assert bob.is_in() and at(bob, other).is_in()


@pytest.mark.parametrize("way", ["sealed"])
def test_t23_an_old_snapshot_brings_nobody_back(crowd: Crowd, way: str, sealing: Path) -> None:
    """A gate that has heard more than Redis knows notices, and everybody signs in again."""
    with redis(*LASTING) as store:
        sharing = Sharing(store.url, sealing)
        with several(crowd, sharing, *KINDS) as gates:
            bob = signed_in(gates[0], "bob")
            store.kill()
            shutil.copytree(store.folder / "appendonlydir", store.folder / "snapshot")
            store.start()
            until(partial(answers, bob), "it is back", 3)
            ada = signed_in(gates[0])
            kept = at(ada, gates[0])
            assert ada.sign_out().status == 303
            time.sleep(STALE)
            store.kill()
            shutil.rmtree(store.folder / "appendonlydir")
            (store.folder / "snapshot").rename(store.folder / "appendonlydir")
            store.start()
            time.sleep(STALE)
            with gate("tokio", crowd, sharing) as fresh:
                until(partial(answers, at(bob, gates[0])), "the first gate notices", 3)
                for each in (*gates, fresh):
                    until(partial(answers, at(kept, each)), "it is back", 3)
                    until(partial(is_refused, at(kept, each)), "nobody comes back", 1)
                assert is_refused(at(bob, gates[0])), "who was in cannot be told from who was out"
                again = signed_in(fresh, "bob")
                for each in (*gates, fresh):
                    until(at(again, each).is_in, "and whoever signs in is in", 2)


def test_t23_when_somebody_empties_redis_everybody_signs_in_again(crowd: Crowd, sharing: Sharing, store: Redis) -> None:
    with several(crowd, sharing, *KINDS) as gates:
        ada, bob = signed_in(gates[0]), signed_in(gates[1], "bob")
        kept = at(ada, gates[0])
        ada.sign_out()
        with store.client() as owner:
            owner.flushall()
        time.sleep(STALE)
        for each in gates:
            assert is_refused(at(kept, each)) and is_refused(at(bob, each))
        again = signed_in(gates[2])
        assert all(at(again, each).is_in() for each in gates)


@contextmanager
def slow_line(to: Address, delay: float) -> Iterator[Address]:
    """A way to Redis on which each answer takes its time."""
    listener = socket.create_server(("127.0.0.1", 0))
    opened: list[socket.socket] = []

    def pass_on(source: socket.socket, target: socket.socket, wait: float) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                time.sleep(wait)
                target.sendall(data)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def accept() -> None:
        with suppress(OSError):
            while True:
                near = listener.accept()[0]
                far = socket.create_connection(to)
                opened.extend([near, far])
                threading.Thread(target=pass_on, args=[near, far, 0], daemon=True).start()
                threading.Thread(target=pass_on, args=[far, near, delay], daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listener.getsockname()
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for end in opened:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


@pytest.mark.parametrize(("way", "delay"), [("records", 0.2), ("sealed", 0.2), ("records", 1.5)])
def test_t32_a_slow_redis_is_waited_for_three_seconds_at_most(
    delay: float, crowd: Crowd, sharing: Sharing, store: Redis
) -> None:
    """Each answer may take a second, and all that one request asks of it three."""
    with slow_line(store.address, delay) as line, gate("tokio", crowd, sharing) as quick:
        ada = signed_in(quick)
        slow = replace(sharing, url=f"redis://127.0.0.1:{line[1]}/0")

        def visit(gate: Running) -> str:
            reply, took = timed(lambda: gate.get("/"))
            assert reply.status == 303 and took < 0.5, "a stranger waits for nothing"
            number = KINDS.index(gate.runtime)  # nobody waits for anybody else's tries to be counted
            reply, took = timed(Person(gate, f"user-{number}", "enigma", f"127.0.5.{number + 1}").try_to_sign_in)
            assert reply.status == (503 if delay > 1 else 303) and took < 3.5, (gate.runtime, reply.status, took)
            told = f"{sharing.name}, answers after {delay} s, {gate.runtime}: sign-in {reply.status} after {took:.2f} s"
            reply, took = timed(lambda: at(ada, gate).get("/"))
            assert reply.status == (503 if delay > 1 else 200) and took < 3.5, (gate.runtime, reply.status, took)
            return told

        with several(crowd, slow, *KINDS) as gates, ThreadPoolExecutor(len(KINDS)) as pool:
            print("", *pool.map(visit, gates), sep="\n")


def answers(person: Person) -> bool:
    return person.get("/").status != 503
