"""An open stream ends when its user signs out at another gate, and outlives a Redis that is away for a while."""

from __future__ import annotations

import time
from contextlib import ExitStack

from gates import KINDS, Crowd, Sharing, at, several, signed_in
from shared_redis import Redis

SOON = 2.5  # the gate looks once a second, and what it has heard may be half a second old
AWAY = 5.0  # less than the 30 s that a stream is given


def test_t13_a_stream_ends_when_its_user_signs_out_at_another_gate(crowd: Crowd, sharing: Sharing) -> None:
    with several(crowd, sharing, *KINDS) as gates, ExitStack() as stack:
        bob = signed_in(gates[0], "bob")
        people = [signed_in(gate) for gate in gates]
        his = stack.enter_context(bob.events())
        hers = [stack.enter_context(person.events()) for person in people]
        for stream in (his, *hers):
            stream.wait_for(b"data: hello")
        quiet = time.time() + 1.2
        assert not any(stream.ended_by(quiet) for stream in (his, *hers)), "it ended before anybody signed out"
        for number, (person, stream) in enumerate(zip(people, hers, strict=True)):
            began = time.time()
            assert at(person, gates[(number + 1) % len(gates)]).sign_out().status == 303
            assert stream.ended_by(began + SOON), f"{person.demo.runtime}: still open after {SOON} s"
        assert not his.ended_by(time.time() + 0.5), "nobody signed him out"


def test_a_stream_outlives_a_redis_that_freezes_for_some_seconds(crowd: Crowd, sharing: Sharing, store: Redis) -> None:
    with several(crowd, sharing, *KINDS) as gates, ExitStack() as stack:
        people = [signed_in(gate) for gate in gates]
        streams = {person.demo.runtime: stack.enter_context(person.events()) for person in people}
        for stream in streams.values():
            stream.wait_for(b"data: hello")
        store.freeze()
        away = time.time() + AWAY
        try:
            assert not [kind for kind, stream in streams.items() if stream.ended_by(away)], "they ended with Redis"
        finally:
            store.thaw()
        back = time.time() + 1.5
        assert not [kind for kind, stream in streams.items() if stream.ended_by(back)], (
            "they ended when Redis came back"
        )
        for person in people:
            assert person.sign_out().status == 303
        soon = time.time() + SOON
        assert all(stream.ended_by(soon) for stream in streams.values()), "they hear nothing any more"
