"""A session that nobody uses ends after the idle time, one in use goes on, and none outlives its lifetime."""

from __future__ import annotations

import time

from support.people import Person
from support.program import Demo, running


def visitor(demo: Demo) -> Person:
    person = Person(demo, demo.username or "", demo.password or "")
    person.sign_in()
    return person


def test_an_unused_session_ends_and_one_in_use_does_not(runtime: str, store: str) -> None:
    """To look at a session is to use it: so there are many, and each is looked at once, later and later."""
    with running(runtime, "--session-store", store, "--session-idle", "2s") as demo:
        busy = visitor(demo)
        start = time.monotonic()
        unused = [visitor(demo) for _ in range(40)]
        signed_in = time.monotonic()
        for person in unused:
            asked = time.monotonic()
            is_in = person.is_in()
            assert is_in or time.monotonic() - start >= 2, "it ended too early"
            assert not is_in or asked - signed_in < 3, "it did not end"
            assert is_in or asked - start < 8
            now = busy.get("/ops/queues")
            assert now.status == 200, "the session in use has ended"
            if now.all("Set-Cookie"):
                busy.take(now)
            if not is_in:
                break
            time.sleep(0.15)
        else:
            raise AssertionError("no unused session ended")


def test_no_session_outlives_its_lifetime(runtime: str, store: str) -> None:
    flags = ["--session-store", store, "--session-idle", "2s", "--session-lifetime", "3s"]
    with running(runtime, *flags) as demo:
        start = time.monotonic()
        person = visitor(demo)
        with person.events() as stream:
            while person.is_in():
                assert time.monotonic() < start + 6, "it outlives its lifetime"
                if (renewed := person.get("/ops/queues")).all("Set-Cookie") and renewed.status == 200:
                    person.take(renewed)
                time.sleep(0.1)
            assert time.monotonic() - start > 2.9, "it ended too early"
            assert stream.ended_by(time.time() + 3), "the stream outlives its session"
