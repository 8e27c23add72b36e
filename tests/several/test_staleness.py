"""How long a sealed cookie goes on at one gate after a sign-out at another: never longer than the configuration says."""

from __future__ import annotations

import statistics
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from gates import USERS, Crowd, at, several, signed_in
from gates import Sharing as Shared
from shared_redis import Redis
from support.people import Person

SLACK = 0.25  # for requests on a machine that is busy


def time_until_refused(person: Person, limit: float) -> float:
    """How long the cookie still counts, by the last request that it was good for."""
    began = last = time.monotonic()
    while time.monotonic() < began + limit + 2:
        asked = time.monotonic()
        if not person.is_in():
            return last - began
        last = asked
        time.sleep(0.01)
    raise AssertionError(f"still in after {limit + 2} s")


@pytest.mark.parametrize(("delay", "seconds", "tries"), [("500ms", 0.5, 36), ("5s", 5.0, 24)])
def test_t23_a_sign_out_holds_at_the_other_gate_within_the_revocation_delay(
    delay: str, seconds: float, tries: int, crowd: Crowd, store: Redis, sealing: object
) -> None:
    sharing = Shared(store.url, sealing, delay)  # type: ignore[arg-type]
    at_once = 3 if seconds < 1 else tries

    def once(number: int) -> float:
        ada = signed_in(here, f"user-{number % USERS}", f"127.0.4.{number + 1}")
        kept = at(ada, there)
        assert kept.is_in()
        time.sleep((number * 0.137) % seconds)  # anywhere between two questions
        assert kept.is_in()
        assert ada.sign_out().status == 303
        return time_until_refused(kept, seconds)

    with several(crowd, sharing, "tokio", "smol") as (here, there), ThreadPoolExecutor(at_once) as pool:
        took = sorted(pool.map(once, range(tries)))
    tenths = statistics.quantiles(took, n=10)
    print(
        f"\nsealed, {delay}: {tries} sign-outs at one gate, refused at the other after: least {took[0]:.3f} s, "
        f"median {statistics.median(took):.3f} s, 90 % {tenths[8]:.3f} s, most {took[-1]:.3f} s"
    )
    assert took[-1] <= seconds + SLACK
