"""Keys of an identity provider change under load, go missing, come from elsewhere; no valid token is refused, and no other gets in."""

from __future__ import annotations

import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from gates import Crowd, dashboard, python_gate, workers_asked
from own_authority import signed_for_localhost
from provider import AUDIENCE, ISSUER, Key, Provider, by_secret, provider, shared_secret
from support.checks import until
from support.program import Running, serving
from support.tokens import bearer
from support.wire import Reply

INTERVAL = 10.0  # between fetches that tokens cause
OLD, NEW, EC = Key("2026-old"), Key("2026-new"), Key("2026-ec", "ES256")


@contextmanager
def on_a_runtime(runtime: str, url: str, *flags: str | Path) -> Iterator[Running]:
    """A gate that trusts this provider for RS256 and ES256."""
    trusting = ["--jwks-url", url, "--issuer", ISSUER, "--audience", AUDIENCE]
    algorithms = ["--algorithm", "RS256", "--algorithm", "ES256"]
    with dashboard(runtime) as upstream:
        with serving(runtime, "--upstream", upstream.url, *trusting, *algorithms, *flags) as site:
            yield site


@contextmanager
def in_python(url: str, crowd: Crowd) -> Iterator[Running]:
    tokens = {"jwks_url": url, "issuer": ISSUER, "audience": AUDIENCE, "algorithms": ["RS256", "ES256"]}
    with python_gate(crowd, {"secret": secrets.token_hex(32), "tokens": tokens}) as started:
        yield started


def ask(gate: Running, token: str) -> Reply:
    return gate.get("/", ("Accept", "application/json"), bearer(gate.hide(token)))


def status(gate: Running, token: str) -> int:
    return ask(gate, token).status


def takes(gate: Running, key: Key) -> bool:
    return status(gate, key.token()) == 200


def has_fetched(gate: Running, idp: Provider, token: str) -> None:
    until(lambda: idp.fetches and status(gate, token) == 200, "it has the keys")


@dataclass
class Load:
    """Programs that send a token each, again and again."""

    gate: Running
    answers: Counter[int]
    # Whoever is still under way with it when its key is withdrawn may be told that nobody can say, and nothing else.
    withdrawn: str = ""

    @contextmanager
    def of(self, token: Callable[[], str], programs: int = 6) -> Iterator[None]:
        over = threading.Event()

        def send() -> None:
            while not over.is_set():
                sent = token()
                answer = status(self.gate, sent)
                was_withdrawn = sent == self.withdrawn and sent != token()
                if not (was_withdrawn and answer == 503):
                    self.answers[answer] += 1

        senders = [threading.Thread(target=send, daemon=True) for _ in range(programs)]
        for sender in senders:
            sender.start()
        yield
        over.set()
        for sender in senders:
            sender.join(15)

    def goes_on(self) -> None:
        """Waits for a hundred more answers than there are."""
        so_far = self.answers.total()
        until(lambda: self.answers.total() > so_far + 100, "the load goes on")


def rotated_under_load(gate: Running, idp: Provider) -> None:
    """The old key goes, the new one comes, and is used at once."""
    has_fetched(gate, idp, OLD.token())
    current = [OLD.token()]
    load = Load(gate, Counter(), withdrawn=current[0])
    # Made before: that takes long enough for the load to go by.
    published, tokens = [NEW.published(), EC.published()], [NEW.token(), EC.token()]
    with load.of(lambda: current[0]):
        load.goes_on()
        idp.keys = published
        for token in tokens:
            current[0] = token
            load.goes_on()
    print(
        f"\n{gate.runtime}: {load.answers.total()} tokens over a rotation: {dict(load.answers)}, {len(idp.fetches)} fetches"
    )
    assert set(load.answers) == {200}, "a valid token was refused"


def test_a_rotation_under_load_refuses_no_valid_token(runtime: str) -> None:
    with provider(OLD) as idp, on_a_runtime(runtime, idp.url) as gate:
        rotated_under_load(gate, idp)
        assert len(idp.fetches) == 2, "once at the start, once for everybody"
        assert status(gate, OLD.token()) in (401, 503), "what is not published any more counts no more"


def test_a_rotation_under_load_refuses_no_valid_token_in_python(crowd: Crowd) -> None:
    with provider(OLD) as idp, in_python(idp.url, crowd) as gate:
        assert set(workers_asked(gate.address, "/", [bearer(OLD.token())], 10).values()) == {200}
        # Each worker fetches for its first token, and for another one only after a while.
        until(lambda: time.monotonic() > idp.fetches[-1] + INTERVAL, "they may fetch again", INTERVAL + 1)
        rotated_under_load(gate, idp)
        assert len(idp.fetches) == 4, "twice for each worker"


@contextmanager
def on_both_runtimes(url: str) -> Iterator[list[Running]]:
    """Both at once, where there is much to wait for."""
    with on_a_runtime("tokio", url) as one, on_a_runtime("smol", url) as other:
        yield [one, other]


def test_while_the_provider_is_down_old_keys_go_on_and_new_ones_are_503() -> None:
    """One goes away, and another has not come yet."""
    late = Provider([OLD.published()])
    try:
        with (
            provider(OLD) as idp,
            on_both_runtimes(idp.url) as gates,
            on_both_runtimes(late.url) as waiting,
        ):
            for gate in gates:
                has_fetched(gate, idp, OLD.token())
            idp.stop()
            for gate in gates * 10:
                assert status(gate, OLD.token()) == 200
                assert status(gate, NEW.token()) == 503, "not known to be wrong"
            for gate in waiting:
                assert status(gate, OLD.token()) == 503
                assert gate.get("/", ("Accept", "application/json")).status == 401, "without a token nobody waits"
            idp.keys = [NEW.published()]
            idp.start()
            late.start()
            for gate in gates:
                until(partial(takes, gate, NEW), "the new key is fetched", INTERVAL + 3)
                assert status(gate, NEW.token(kid="nowhere")) in (401, 503)
            for gate in waiting:
                until(partial(takes, gate, OLD), "the first keys are fetched", INTERVAL + 3)
    finally:
        late.stop()


def test_a_flood_of_forged_key_ids_causes_one_fetch_an_interval(runtime: str) -> None:
    with provider(OLD) as idp, on_a_runtime(runtime, idp.url) as gate:
        has_fetched(gate, idp, OLD.token())
        good, forger = OLD.token(), Key("forged")
        forger.private  # noqa: B018  (made once, before the flood)
        answers: Counter[tuple[str, int]] = Counter()

        def flood(number: int) -> None:
            forged = forger.token(kid=f"forged-{number}")
            answers["forged", status(gate, forged)] += 1
            if number % 20 == 0:
                answers["good", status(gate, good)] += 1

        began = time.monotonic()
        before = len(idp.fetches)
        with ThreadPoolExecutor(16) as pool:
            list(pool.map(flood, range(3000)))
        took = time.monotonic() - began
        caused = len(idp.fetches) - before
        print(f"\n{runtime}: 3000 forged key ids in {took:.1f} s caused {caused} fetches: {dict(answers)}")
        assert caused <= 1 + took // INTERVAL
        assert {status for kind, status in answers if kind == "forged"} <= {401, 503}
        assert {status for kind, status in answers if kind == "good"} == {200}


def test_t36_the_algorithms_are_those_of_the_configuration_whatever_the_set_says(runtime: str) -> None:
    secret = secrets.token_urlsafe(48)
    encrypting, mismatched, other = Key("enc"), Key("mismatch"), Key("rs512")
    keys = [
        OLD.published(),
        EC.published(),
        shared_secret("oct", secret),
        encrypting.published(use="enc"),
        mismatched.published(alg="RS512"),
        other.published(alg="RS256"),
    ]
    with provider(*keys) as idp, on_a_runtime(runtime, idp.url) as gate:
        has_fetched(gate, idp, OLD.token())
        assert status(gate, EC.token()) == 200
        answers = {
            "HS256 by a secret in the set": status(gate, by_secret(secret, "oct")),
            "HS256 by the public key's id": status(gate, by_secret(secret, OLD.kid)),
            "a key to encrypt with": status(gate, encrypting.token()),
            "a key of another algorithm": status(gate, mismatched.token()),
            "an algorithm that nobody named": status(gate, other.token("RS512")),
            "another key's id": status(gate, NEW.token(kid=OLD.kid)),
            "nobody's id": status(gate, OLD.token(kid="nobody")),
        }
        assert set(answers.values()) <= {401, 503}, answers
        for name in ("HS256 by the public key's id", "another key's id"):
            assert answers[name] == 401, answers
        until(lambda: status(gate, encrypting.token()) == 401, "what was fetched for is 401", INTERVAL + 3)


@pytest.mark.parametrize("fault", ["redirect", "2 MiB", "slow", "500", "no keys", "nonsense"])
def test_a_fetch_that_fails_leaves_the_old_set_in_force(fault: str) -> None:
    with provider(OLD) as idp, on_a_runtime("tokio", idp.url) as gate:
        has_fetched(gate, idp, OLD.token())
        idp.keys = [NEW.published()]
        with provider(NEW) as elsewhere:
            match fault:
                case "redirect":
                    idp.status, idp.headers = 302, {"Location": elsewhere.url}
                case "2 MiB":
                    idp.padding = 2 << 20
                case "slow":
                    idp.delay = 7.0
                case "500":
                    idp.status = 500
                case "no keys":
                    idp.keys = []
                case "nonsense":
                    idp.keys = [{"kty": "RSA", "kid": NEW.kid, "n": "!", "e": "AQAB", "alg": "RS256"}]
            fetches = len(idp.fetches)
            began = time.monotonic()
            assert status(gate, NEW.token()) == 503
            assert time.monotonic() - began < 6
            assert len(idp.fetches) == fetches + 1
            assert status(gate, OLD.token()) == 200
            assert not elsewhere.fetches, "it followed a redirect"
        assert "fetch" in gate.log()


def test_https_is_trusted_by_the_named_authority_alone(runtime: str, tmp_path: Path) -> None:
    (ours, certificate), (theirs, _) = (signed_for_localhost(made(tmp_path / name)) for name in ("ours", "theirs"))
    with provider(OLD, tls=certificate) as idp:
        with on_a_runtime(runtime, idp.url, "--jwks-ca-file", ours) as gate:
            has_fetched(gate, idp, OLD.token())
        nobodys: list[list[str | Path]] = [[], ["--jwks-ca-file", theirs]]
        for flags in nobodys:
            before = len(idp.fetches)
            with on_a_runtime(runtime, idp.url, *flags) as gate:
                assert status(gate, OLD.token()) == 503
                assert len(idp.fetches) == before, "it asked somebody whom it does not know"


def made(folder: Path) -> Path:
    folder.mkdir()
    return folder
