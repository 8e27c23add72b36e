"""SIGHUP, with what gates share: nobody is let in by it, and nothing is forgotten."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from gates import Crowd, Sharing, at, dashboard, gate, is_refused, signed_in
from provider import AUDIENCE, ISSUER, Key, provider
from serve.configured import Configuration, configured
from shared_redis import Redis, redis
from support.checks import until
from support.people import Person
from support.program import Site
from support.tokens import bearer

OLD, NEW = Key("old"), Key("new")


def folder(tmp_path: Path) -> Path:
    made = tmp_path / "etc"
    made.mkdir()
    return made


@pytest.fixture
def base(tmp_path: Path, runtime: str) -> object:
    with dashboard(runtime) as upstream:
        yield f'upstream = "{upstream.url}"\nusers_file = "{tmp_path}/users.toml"\n'
        upstream.hang_up()


def test_t23_a_reload_keeps_sessions_and_endings(
    runtime: str, base: str, tmp_path: Path, crowd: Crowd, store: Redis
) -> None:
    configuration = Configuration.of(folder(tmp_path), base + f'session_store = "{store.url}"\n')
    with configured(runtime, configuration) as site, gate("tokio", crowd, Sharing(store.url)) as other:
        ada, bob = signed_in(site), signed_in(other, "bob")
        kept = at(ada, site)
        ada.sign_out()
        configuration.write(base + f'session_store = "{store.url}"\nrevocation_delay = "0s"\ntitle = "Anew"\n')
        site.reload()
        assert "the new configuration is in force" in site.log()
        assert is_refused(kept) and at(bob, site).is_in()
        bob.sign_out()
        assert is_refused(at(bob, site)), "it asks each time now"


def test_a_gate_that_moves_to_another_redis_throws_nobody_out_there(
    runtime: str, base: str, tmp_path: Path, crowd: Crowd, store: Redis
) -> None:
    """The other one is younger, so that what the gate has heard is beyond what it knows."""
    configuration = Configuration.of(folder(tmp_path), base + f'session_store = "{store.url}"\n')
    with redis() as another, gate("tokio", crowd, Sharing(another.url)) as there:
        bob = signed_in(there, "bob")
        with configured(runtime, configuration) as site:
            ada = signed_in(site)
            signed_in(site).sign_out()
            configuration.write(base + f'session_store = "{another.url}"\n')
            site.reload()
            assert "the new configuration is in force" in site.log()
            assert is_refused(ada), "nobody knows her there"
            until(lambda: site.get("/").status == 303, "it serves", 2)
            assert signed_in(site).is_in()
            time.sleep(0.6)
            assert bob.is_in(), "nobody signed him out"
            assert at(bob, site).is_in()


def test_t23_a_gate_that_moves_to_another_redis_hears_all_that_has_ended_there(
    runtime: str, base: str, tmp_path: Path, crowd: Crowd, store: Redis, sealing: Path
) -> None:
    """What it has heard at the one says nothing about the other."""
    sealed = f'session_store = "cookie"\nsession_secret_files = ["{sealing}"]\n'
    configuration = Configuration.of(folder(tmp_path), base + sealed + f'revocation_store = "{store.url}"\n')
    with redis() as another, gate("tokio", crowd, Sharing(another.url, sealing)) as there:
        with configured(runtime, configuration) as site:
            signed_in(site, "user-1")
            ada, bob = signed_in(there), signed_in(there, "bob")
            kept = at(ada, there)
            ada.sign_out()
            signed_in(site, "user-1").sign_out()
            time.sleep(0.6)
            signed_in(site, "user-1")  # so that it has heard of something later than that
            bob.sign_out()  # and the other one of something later still
            configuration.write(base + sealed + f'revocation_store = "{another.url}"\n')
            site.reload()
            until(lambda: site.get("/").status == 303, "it serves", 2)
            time.sleep(0.6)
            assert is_refused(at(kept, site)), "she has signed out"


def test_t32_keys_of_a_provider_outlive_a_reload_while_it_is_down(
    runtime: str, base: str, tmp_path: Path, crowd: Crowd
) -> None:
    trusting = f'algorithms = ["RS256"]\nissuer = "{ISSUER}"\naudience = "{AUDIENCE}"\n'
    with provider(OLD) as idp:
        configuration = Configuration.of(
            folder(tmp_path), base + trusting + f'jwks_url = "{idp.url}?key=s3cr3t-of-the-url"\n'
        )
        with configured(runtime, configuration) as site:
            site.hidden.add("s3cr3t-of-the-url")
            until(lambda: asks(site, OLD) == 200, "it has the keys")
            idp.stop()
            configuration.write(configuration.file.read_text() + 'title = "Anew"\n')
            site.reload()
            assert asks(site, OLD) == 200, "the keys are still known"
            assert asks(site, NEW) == 503


def test_another_provider_does_not_inherit_the_keys_of_the_one_before(
    runtime: str, base: str, tmp_path: Path, crowd: Crowd
) -> None:
    trusting = f'algorithms = ["RS256"]\nissuer = "{ISSUER}"\naudience = "{AUDIENCE}"\n'
    configuration = Configuration.of(folder(tmp_path), base)
    with provider(OLD) as idp, provider(NEW) as another:
        configuration.write(base + trusting + f'jwks_url = "{idp.url}"\n')
        with configured(runtime, configuration) as site:
            until(lambda: asks(site, OLD) == 200, "it has the keys")
            another.stop()
            configuration.write(base + trusting + f'jwks_url = "{another.url}"\n')
            site.reload()
            assert asks(site, OLD) == 503, "nobody asked this provider about that key"
            another.start()
            configuration.write(configuration.file.read_text() + 'title = "Anew"\n')
            site.reload()
            until(lambda: asks(site, NEW) == 200, "the new provider's keys are fetched", 12)
            assert asks(site, OLD) in (401, 503)


def test_a_reload_with_a_mistake_leaves_all_as_it_was(
    runtime: str, base: str, tmp_path: Path, crowd: Crowd, store: Redis
) -> None:
    configuration = Configuration.of(folder(tmp_path), base + f'session_store = "{store.url}"\n')
    with configured(runtime, configuration) as site:
        ada = signed_in(site)
        for mistake in (
            'session_store = "redis://x:pa55@"\n',
            f'session_store = "{store.url}"\nrevocation_delay = "2m"\n',
        ):
            configuration.write(base + mistake)
            site.reload()
            assert "the configuration stays as it was" in site.log() and "pa55" not in site.log()
            assert ada.is_in() and Person(site, "bob", "enigma").try_to_sign_in().status == 303


def asks(site: Site, key: Key) -> int:
    return site.get("/", ("Accept", "application/json"), bearer(site.hide(key.token()))).status
