"""Four gates behind nginx are one to whoever visits them: a sign-in, a sign-out and tries at passwords count at all of them."""

from __future__ import annotations

import http.client
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from balancer import NAMES, Four, Proxied, four_gates
from gates import Crowd, Sharing, at, gate, is_refused, signed_in, workers_asked
from serve.certificate import Certificate
from shared_redis import Redis
from support.checks import until
from support.people import Person
from support.program import authgate

REQUESTS = 1000
WRONG = "not-theirs-password"
AT_ONCE = 8


@pytest.fixture
def four(crowd: Crowd, sharing: Sharing, certificate: Certificate) -> Iterator[Four]:
    with four_gates(crowd, sharing, certificate) as started:
        yield started


def who_answers(four: Four, person: Person, count: int) -> Counter[str]:
    """Sends requests over the balancer, several at a time, and counts who answered: gates, and workers of the one in Python."""

    def some(count: int) -> Counter[str]:
        answered: Counter[str] = Counter()
        connection = four.connection()
        for _ in range(count):
            reply = connection.ask("GET", "/", person.cookies())
            assert reply.status == 200, (reply.status, reply.text)
            gate, user = reply.text.rsplit(" ", 1)
            assert user == person.username
            answered[gate] += 1
        connection.close()
        return answered

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return sum(pool.map(some, [count // AT_ONCE] * AT_ONCE), Counter())


def refused_everywhere(four: Four, person: Person, within: float) -> None:
    """Asks every process directly until each refuses the cookie, which must be so in time. Nobody is asked through the balancer, which would not say
    who answered."""
    began = time.monotonic()
    for name, each in four.each().items():
        until(refusing(each, person), f"{name} refuses")
    assert time.monotonic() - began <= within, f"{time.monotonic() - began:.2f} s"
    for name, each in four.each().items():
        assert refusing(each, person)(), f"{name} takes it back"


def refusing(gate: Proxied, person: Person) -> Callable[[], bool]:
    """Whether this gate refuses a cookie: each of its workers, if it has several."""
    if gate.name != "in Python":
        return lambda: is_refused(at(person, gate))
    headers = [*gate.forwarded(""), *person.cookies()]

    def all_refuse() -> bool:
        try:
            return set(workers_asked(gate.address, "/", headers, 5).values()) == {303}
        except http.client.IncompleteRead:
            # It let the request in, and cut the answer as the session ended meanwhile.
            return False

    return all_refuse


def test_t23_one_sign_in_serves_at_every_process_and_one_sign_out_ends_it(four: Four) -> None:
    ada = signed_in(four)
    answered = who_answers(four, ada, REQUESTS)
    assert answered.total() == REQUESTS
    for name in NAMES:
        share = sum(
            count for who, count in answered.items() if who == name or who.startswith("python ") and name == "in Python"
        )
        assert share >= REQUESTS // 5, f"{name} answered {share} of {REQUESTS}: {answered}"
    assert sum(who.startswith("python ") for who in answered) == 2, f"one worker had nothing to do: {answered}"
    kept = at(ada, four)
    assert ada.sign_out().status == 303
    refused_everywhere(four, kept, within=1.0)
    assert is_refused(kept)


def test_t23_a_sign_out_everywhere_ends_all_sessions_at_every_process(four: Four, store: Redis) -> None:
    """By the program, and by a gate in Python."""
    bob = signed_in(four, "bob")

    def by_the_program() -> None:
        ended = authgate("sign-out", "ada", "--store", store.url)
        assert (ended.returncode, ended.stderr) == (0, ""), ended

    def by_the_gate_in_python() -> None:
        assert bob.demo.get("/public/page").status == 200
        assert at(bob, four.each()["in Python"]).get("/sign-out-everywhere/of/ada").status == 200

    for sign_out in (by_the_program, by_the_gate_in_python):
        sessions = [signed_in(four) for _ in range(4)]
        assert all(session.is_in() for session in sessions)
        sign_out()
        for session in sessions:
            refused_everywhere(four, session, within=1.0)
        assert bob.is_in(), "nobody else is signed out"
        until(lambda: signed_in(four).is_in(), "she can sign in again")


def test_t23_somebody_disabled_in_the_file_of_users_is_out_everywhere(four: Four, crowd: Crowd) -> None:
    ada, bob = signed_in(four), signed_in(four, "bob")
    crowd.write(disabled=("ada",))
    until(lambda: all(is_refused(at(ada, gate)) for gate in four.each().values()), "she is out", 5)
    assert at(ada, four).try_to_sign_in().status == 401
    assert bob.is_in()


def test_t28_ten_wrong_passwords_are_ten_wherever_they_are_typed(four: Four) -> None:
    network = "198.51.100.7"
    gates = list(four.each().values())
    for number in range(10):
        person = Person(gates[number % 4], "ada", WRONG, network)
        assert person.try_to_sign_in().status == 401, f"try {number}"
    for name, each in four.each().items():
        person = Person(each, "ada", "enigma", network)
        assert person.try_to_sign_in().status == 429, name


def test_t28_ten_wrong_passwords_are_ten_however_many_are_typed_at_once(four: Four) -> None:
    network = "198.51.100.8"
    gates = list(four.each().values())

    def guess(number: int) -> int:
        return Person(gates[number % 4], "ada", f"{WRONG}-{number}", network).try_to_sign_in().status

    with ThreadPoolExecutor(16) as pool:
        answers = Counter(pool.map(guess, range(80)))
    print(f"\n80 wrong passwords at once: {dict(answers)}")
    assert set(answers) <= {401, 429} and 1 <= answers[401] <= 10, answers
    assert all(Person(each, "ada", "enigma", network).try_to_sign_in().status == 429 for each in gates)


def test_gates_that_share_nothing_fail_these_tests(crowd: Crowd, sharing: Sharing, sealing: Path) -> None:
    """A prefix of its own makes a gate a stranger: what the tests above look for is not there by accident."""
    other = replace(sharing, prefix="other:")
    with gate("tokio", crowd, sharing) as here, gate("smol", crowd, other) as there:
        ada = signed_in(here)
        if sharing.name == "records":
            assert is_refused(at(ada, there))
        ada = signed_in(there)
        kept = at(ada, there)
        at(ada, here).sign_out()
        time.sleep(0.6)
        assert kept.is_in(), "nobody told it"
        for _ in range(10):
            assert Person(here, "bob", WRONG).try_to_sign_in().status == 401
        assert Person(here, "bob", "enigma").try_to_sign_in().status == 429
        assert Person(there, "bob", "enigma").try_to_sign_in().status == 303


def test_t08_a_websocket_is_one_behind_the_balancer_too(four: Four) -> None:
    """A stranger's handshake is refused as such; a page would lead to the login page."""
    handshake = [
        ("Accept", "text/html"),
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA=="),
    ]
    connection = four.connection()
    asked = [connection.ask("GET", "/", handshake).status for _ in NAMES]
    page = connection.ask("GET", "/", handshake[:1]).status
    connection.close()
    # 403 is uvicorn's word for a handshake that an application refuses.
    assert set(asked) <= {401, 403} and page == 303, (asked, page)
