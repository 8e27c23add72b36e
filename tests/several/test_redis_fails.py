"""Redis freezes, dies and comes back while people and programs are at work: 503 for who has a session, nothing for everybody else."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable

import pytest

from gates import KINDS, Crowd, Sharing, at, gate, is_refused, several, signed_in
from shared_redis import LASTING, Redis, redis
from support import tokens
from support.checks import until
from support.people import Person
from support.program import Running
from support.wire import Reply
from traffic import Traffic

PATIENCE = 3.5  # a request's deadline is 3 s
STALE = 0.6  # what a gate heard less than half a second ago still counts
RECOVERY = 2.5  # a gate tries again within a second, and may be in the middle of a try that takes one


@pytest.fixture
def store() -> object:
    with redis(*LASTING) as started:
        yield started


def kinds(ada: Person, left: Person, way: str, secret: str) -> dict[str, Callable[[Running], Reply]]:
    """Requests as they come in a day: with a session, with one that has been signed out, without any, forged, by programs."""
    token = tokens.honest(secret)
    forged = f"authgate={secrets.token_urlsafe(32 if way == 'records' else 120)}"
    numbers = iter(range(10**6))

    def sign_in(gate: Running) -> Reply:
        number = next(numbers)
        return Person(gate, f"user-{number % 40}", "enigma", f"127.0.2.{number % 250 + 1}").try_to_sign_in()

    return {
        "session": lambda gate: at(ada, gate).get("/"),
        "signed out": lambda gate: at(left, gate).get("/"),
        "forged cookie": lambda gate: gate.get("/", ("Cookie", forged)),
        "stranger": lambda gate: gate.get("/"),
        "token": lambda gate: gate.get("/", tokens.bearer(token)),
        "public page": lambda gate: gate.get("/public/page"),
        "sign-in": sign_in,
    }


def test_t32_a_redis_that_freezes_and_dies_lets_nobody_in_and_throws_nobody_out(
    crowd: Crowd, sharing: Sharing, store: Redis, secret: str
) -> None:
    with several(crowd, sharing, *KINDS, secret=secret) as gates:
        ada, left = signed_in(gates[0]), signed_in(gates[0])
        kept = at(left, gates[0])
        left.sign_out()
        time.sleep(STALE)
        traffic = Traffic(gates)
        with traffic.flowing(kinds(ada, kept, sharing.name, secret)):
            traffic.phase("up", 1)
            store.freeze()
            traffic.phase("frozen", 4)
            store.thaw()
            traffic.phase("thawed", 3)
            traffic.phase("dying", 0)
            store.kill()
            traffic.phase("dead", 2.5)
            traffic.phase("starting", 0)
            store.start()
            traffic.phase("restarted", 3)
        print(traffic.report(f"Redis fails, sessions as {sharing.name}"))
        print("recovery:", {phase: traffic.recovered("session", 200, phase) for phase in ("thawed", "restarted")})
        must_hold(traffic)
        for gate in gates:
            assert at(ada, gate).is_in() and is_refused(at(kept, gate))


def must_hold(traffic: Traffic) -> None:
    for kind in ("signed out", "forged cookie"):
        assert traffic.statuses(kind) <= {303, 503}, f"{kind}: somebody was let in"
    for kind, status in (("stranger", 303), ("token", 200), ("public page", 200)):
        assert traffic.statuses(kind) == {status}, kind
        assert traffic.longest(kind) < 1.0, f"{kind} waited for Redis"
    for kind in ("session", "sign-in"):
        assert traffic.statuses(kind) <= {200, 303, 503}
        assert traffic.longest(kind) < PATIENCE, kind
    assert traffic.statuses("session") == {200, 503}, "nobody with a session is sent to sign in"
    assert traffic.statuses("session", "up") == {200} and traffic.statuses("sign-in", "up") == {303}
    for phase in ("frozen", "dead"):
        for kind in ("session", "sign-in", "signed out"):
            assert traffic.statuses(kind, phase, after=STALE) == {503}, f"{kind}, {phase}"
    for phase in ("thawed", "restarted"):
        assert traffic.statuses("session", phase, after=RECOVERY) == {200}, phase
        assert traffic.statuses("sign-in", phase, after=RECOVERY) == {303}, phase
        assert traffic.statuses("signed out", phase, after=RECOVERY) == {303}, phase
        assert max(traffic.recovered("session", 200, phase).values()) < RECOVERY


@pytest.mark.parametrize("kind", ["tokio", "smol", "python"])
def test_t32_a_gate_that_starts_without_its_redis_serves_strangers_and_recovers(
    kind: str, crowd: Crowd, sharing: Sharing, store: Redis, secret: str
) -> None:
    with gate("tokio", crowd, sharing) as before:
        ada = signed_in(before)
        store.kill()
        with gate(kind, crowd, sharing, secret=secret) as late:
            assert late.get("/").status == 303
            assert late.get("/", tokens.bearer(late.mint())).status == 200
            assert at(ada, late).get("/").status == 503
            assert Person(late, "bob", "enigma").try_to_sign_in().status == 503
            store.start()
            until(lambda: at(ada, late).get("/").status == 200, "it recovers", RECOVERY)
            assert signed_in(late, "bob").is_in()
        until(lambda: ada.get("/").status == 200, "the other does, too", RECOVERY)


def test_t32_a_sign_out_that_could_not_be_told_is_503_and_the_browser_keeps_its_cookie(
    runtime: str, crowd: Crowd, sharing: Sharing, store: Redis
) -> None:
    with gate(runtime, crowd, sharing) as one:
        ada = signed_in(one)
        store.freeze()
        reply = ada.sign_out()
        assert (reply.status, reply.all("Set-Cookie")) == (503, [])
        store.thaw()
        until(lambda: ada.get("/").status != 503, "it recovers", RECOVERY)
        until(lambda: ada.sign_out().status == 303, "and then it is done", RECOVERY)
        assert is_refused(ada)
