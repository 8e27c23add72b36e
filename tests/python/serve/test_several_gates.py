"""Several dashboards on one host, to all of which browsers send every cookie."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from serve.upstreams import Upstream
from support.people import Person, ada_and_bob
from support.program import serving


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream({}) as started:
        yield started


def test_gates_with_cookies_of_their_own_leave_each_others_sign_ins_alone(
    runtime: str, tmp_path: Path, upstream: Upstream
) -> None:
    ours = ["--upstream", upstream.url, "--users-file", ada_and_bob(tmp_path)]
    with (
        serving(runtime, *ours, "--cookie-name", "authgate-one") as one,
        serving(runtime, *ours, "--cookie-name", "authgate-other", "--mount", "/other") as other,
    ):
        ada, bob = Person(one, "ada", "enigma"), Person(other, "bob", "enigma")
        ada.sign_in()
        bob.sign_in()
        both = f"{ada.cookie}; {bob.cookie}; theme=dark"
        for person in (ada, bob):
            person.cookie = both
            reply = person.get(person.at("/queues"))
            assert (reply.status, reply.all("Set-Cookie")) == (200, [])
            assert upstream.seen[-1].all("Cookie") == ["theme=dark"], "t22: nor does either dashboard see them"
            assert upstream.seen[-1].all("X-Auth-User") == [person.username]
        ada.sign_out()
        assert bob.is_in() and not ada.is_in()
