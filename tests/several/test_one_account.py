"""A gate in Rust and one in Python go on with each other's sessions, also when these are renewed and their user is looked up."""

from __future__ import annotations

import time

import pytest

from gates import Crowd, Sharing, at, gate, is_refused, signed_in
from support.checks import until
from support.people import Person

IDLE = 4  # seconds; a session is renewed after a quarter of it


@pytest.mark.parametrize(("way", "first"), [("records", "tokio"), ("sealed", "python")])
def test_a_session_is_renewed_by_turns_and_ends_when_its_user_is_disabled(
    first: str, crowd: Crowd, sharing: Sharing
) -> None:
    using = sharing.for_python["using"] | {"idle": IDLE}
    with (
        gate("tokio", crowd, sharing, "--session-idle", f"{IDLE}s") as native,
        gate("python", crowd, sharing, using=using) as python,
    ):
        gates = [native, python] if first == "tokio" else [python, native]
        ada = signed_in(gates[0])
        began = time.monotonic()
        for turn in range(5):  # longer than it could be idle
            time.sleep(IDLE * 0.3)
            person = at(ada, gates[(turn + 1) % 2])
            reply = person.get("/")
            assert reply.status == 200, (
                f"turn {turn}, after {time.monotonic() - began:.1f} s: {person.demo.log()[-600:]}"
            )
            if reply.all("Set-Cookie"):
                person.take(reply)
                ada = person
        crowd.write(disabled=("ada",))
        until(lambda: is_refused(at(ada, python)) and is_refused(at(ada, native)), "she is out", 5)
        assert Person(python, "ada", "enigma").try_to_sign_in().status == 401
