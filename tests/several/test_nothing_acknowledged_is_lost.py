"""Redis is killed in the middle of sign-ins and sign-outs. What somebody was told has happened, has happened; or everybody signs in anew."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from gates import Crowd, Sharing, at, gate, is_refused, several, signed_in
from shared_redis import LASTING, Redis, redis
from support.checks import until
from support.people import Person
from support.program import Running
from support.wire import HungUp

STALE = 0.6  # what a gate heard less than half a second ago still counts


@dataclass
class Diary:
    """What people were told."""

    inside: list[Person] = field(default_factory=list)
    outside: list[Person] = field(default_factory=list)
    unsure: list[Person] = field(default_factory=list)

    @property
    def size(self) -> int:
        return len(self.inside) + len(self.outside)

    def has(self, wanted: int) -> bool:
        return self.size >= wanted

    def visit(self, gate: Running, number: int) -> None:
        """Signs in, and out again every other time, and notes what was acknowledged."""
        person = Person(gate, f"user-{number % 40}", "enigma", f"127.0.{3 + number // 250}.{number % 250 + 1}")
        try:
            reply = person.try_to_sign_in()
        except (HungUp, OSError):
            return
        if reply.status != 303:
            assert reply.status == 503, reply
            return
        person.take(reply)
        if number % 2:
            self.inside.append(person)
            return
        kept = at(person, gate)
        try:
            answered = person.sign_out().status
        except (HungUp, OSError):
            answered = 503
        assert answered in (303, 503)
        (self.outside if answered == 303 else self.unsure).append(kept)


def answers(person: Person) -> bool:
    return person.get("/").status != 503


def in_the_middle(gates: list[Running], store: Redis, kills: int) -> Diary:
    """People come and go at all gates, and Redis is killed and started meanwhile."""
    diary, over = Diary(), threading.Event()
    numbers = iter(range(10**6))

    def come_and_go(gate: Running) -> None:
        while not over.wait(0.005):
            diary.visit(gate, next(numbers))

    visitors = [threading.Thread(target=come_and_go, args=[gate], daemon=True) for gate in gates for _ in range(3)]
    for visitor in visitors:
        visitor.start()
    for _ in range(kills):
        wanted = diary.size + 20
        until(partial(diary.has, wanted), "people come and go", 20)
        store.kill()
        time.sleep(0.3)
        store.start()
    over.set()
    for visitor in visitors:
        visitor.join(20)
    return diary


def test_t23_with_persistence_nothing_that_was_acknowledged_is_lost(crowd: Crowd, way: str, sealing: Path) -> None:
    with redis(*LASTING) as store:
        sharing = Sharing(store.url, sealing if way == "sealed" else None)
        with several(crowd, sharing, "tokio", "smol") as gates:
            diary = in_the_middle(gates, store, kills=3)
            print(f"\n{way}: {len(diary.inside)} in, {len(diary.outside)} out, {len(diary.unsure)} told neither")
            assert diary.inside and diary.outside
            with gate("tokio", crowd, sharing) as fresh:
                time.sleep(STALE)
                for each in (*gates, fresh):
                    until(partial(answers, at(diary.inside[0], each)), "it recovers", 5)
                    lost = [person for person in diary.inside if not at(person, each).is_in()]
                    assert not lost, f"{len(lost)} of {len(diary.inside)} lost their sessions"
                    back = [person for person in diary.outside if not is_refused(at(person, each))]
                    assert not back, f"{len(back)} of {len(diary.outside)} came back"


def test_t23_without_persistence_everybody_signs_in_again_and_nobody_comes_back(
    crowd: Crowd, sharing: Sharing, store: Redis
) -> None:
    with several(crowd, sharing, "tokio", "smol", "python") as gates:
        inside = [signed_in(gate, "bob") for gate in gates]
        outside = [signed_in(gate) for gate in gates]
        for person in outside:
            kept = at(person, person.demo)
            person.sign_out()
            person.cookie = kept.cookie
        store.lose_everything()
        time.sleep(STALE)
        with gate("smol", crowd, sharing) as fresh:
            for each in (*gates, fresh):
                until(partial(answers, at(outside[0], each)), "it recovers", 5)
                assert all(is_refused(at(person, each)) for person in outside)
                assert all(is_refused(at(person, each)) for person in inside), (
                    "they cannot be told from who was signed out"
                )
                again = signed_in(each)
                assert all(at(again, other).is_in() for other in gates), "she is in again everywhere"


@pytest.mark.parametrize("kind", ["tokio", "smol"])
def test_t23_who_was_disabled_while_redis_was_down_is_signed_out_elsewhere_once_it_is_back(
    kind: str, crowd: Crowd, tmp_path: Path, way: str, sealing: Path
) -> None:
    """The other gate has a file of users of its own, in which nothing changes."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    with redis(*LASTING) as store:
        sharing = Sharing(store.url, sealing if way == "sealed" else None)
        with gate(kind, crowd, sharing) as one, gate("tokio", Crowd(elsewhere), sharing) as other:
            ada = signed_in(one)
            assert at(ada, other).is_in()
            store.kill()
            crowd.write(disabled=("ada",))
            until(
                lambda: "ada" in one.log().split("cannot be told")[-1] and "cannot be told" in one.log(), "it tries", 10
            )
            store.start()
            until(lambda: at(ada, other).get("/").status == 303, "she is out there, too", 5)
