"""Who is signed in stays so when the configuration is read again, and what it says now holds for them, too."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from serve.configured import Configuration, configured
from serve.upstreams import Peer, Seen, Upstream
from support import tokens
from support.checks import until
from support.people import Person, hash_of
from support.program import Site, authgate

PASSWORD = "enigma"
CHANGED = secrets.token_urlsafe(12)


def events(peer: Peer, seen: Seen) -> None:
    """An event, and then silence."""
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: hello\n\n")
    peer.is_left()


def hang_up(upstream: Upstream) -> None:
    """Ends what is open, which the gate would wait for."""
    for peer in upstream.peers:
        peer.close()


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream({"/events": events, "/ops/events": events}) as started:
        yield started


@pytest.fixture
def configuration(tmp_path: Path) -> Configuration:
    return Configuration.of(tmp_path, "")


Write = Callable[..., None]


@pytest.fixture
def write(configuration: Configuration, upstream: Upstream) -> Write:
    """Writes the configuration, Ada and Bob being in it unless it says who else is."""

    def write(more: str = "", users: str = 'users_file = "users.toml"\n') -> None:
        configuration.write(f'upstream = "{upstream.url}"\n{users}{more}')

    write()
    return write


@contextmanager
def gate(runtime: str, configuration: Configuration, secret: str) -> Iterator[Site]:
    with configured(runtime, configuration, secret=secret) as site:
        yield site


@pytest.fixture(params=["memory", "cookie"])
def stored(request: pytest.FixtureRequest) -> str:
    """The setting of where sessions are kept; sealed with a secret of the run, which must last as long."""
    return f'session_store = "{request.param}"\n'


def signed_in(site: Site, name: str = "ada", password: str = PASSWORD) -> Person:
    person = Person(site, name, password, f"127.0.8.{sum(name.encode()) % 200 + 1}")
    person.sign_in()
    return person


def test_sessions_and_sign_outs_outlive_a_reload(
    runtime: str, configuration: Configuration, secret: str, write: Write, stored: str
) -> None:
    write(stored)
    with gate(runtime, configuration, secret) as site:
        ada, bob = signed_in(site), signed_in(site, "bob")
        assert bob.sign_out().status == 303
        write(stored + 'title = "New"\n')
        site.reload()
        assert ada.is_in() and not bob.is_in()
        assert ada.sign_out().status == 303
        site.reload()
        assert not ada.is_in(), "what the old gate ended the new one knows"


def test_t28_whoever_had_too_many_tries_has_to_wait_all_the_same(
    runtime: str, configuration: Configuration, secret: str, write: Write
) -> None:
    with gate(runtime, configuration, secret) as site:
        ada = Person(site, "ada", PASSWORD, "127.0.8.1")
        statuses = [ada.try_to_sign_in(password=CHANGED).status for _ in range(11)]
        assert statuses[-1] == 429
        write('title = "New"\n')
        site.reload()
        assert ada.try_to_sign_in().status == 429
        assert site.metric("authgate_throttled_total") == 2


def test_new_rules_hold_for_those_who_are_signed_in(
    runtime: str, configuration: Configuration, secret: str, write: Write, stored: str
) -> None:
    write(stored)
    with gate(runtime, configuration, secret) as site:
        ada, bob = signed_in(site), signed_in(site, "bob")
        assert (ada.get("/queues").status, bob.get("/queues").status) == (200, 200)
        write(stored + 'rule = [{ path = "/", allow = "role:ops" }, { path = "/bob", allow = "user:bob" }]\n')
        site.reload()
        assert (ada.get("/queues").status, bob.get("/queues").status) == (200, 403)
        assert (ada.get("/bob").status, bob.get("/bob").status) == (403, 200)
        write(stored + 'allowed_networks = "127.0.9.0/24"\n')
        site.reload()
        assert ada.get("/queues").status == 403


def test_a_session_goes_along_to_another_mount(
    runtime: str, configuration: Configuration, secret: str, write: Write, upstream: Upstream
) -> None:
    with gate(runtime, configuration, secret) as site:
        ada = signed_in(site)
        write('mount = "/ops"\n')
        site.reload()
        assert [ada.get(path).status for path in ("/queues", "/login", "/ops/queues")] == [404, 404, 200]
        assert site.get("/ops/queues").header("Location") == "/ops/login?next=%2Fops%2Fqueues"


def other_users(configuration: Configuration) -> None:
    """A second file: Bob has another password, Ada is gone, and Zoe has come."""
    entries = [f'[[user]]\nid = "{name}"\npassword = "{hash_of(CHANGED)}"\n' for name in ("bob", "zoe")]
    (configuration.folder / "others.toml").write_text("\n".join(entries))


def test_another_file_of_users_ends_the_sessions_of_those_who_are_not_the_same_in_it(
    runtime: str, configuration: Configuration, secret: str, write: Write, stored: str, upstream: Upstream
) -> None:
    write(stored)
    other_users(configuration)
    with gate(runtime, configuration, secret) as site:
        site.before_end.append(lambda: hang_up(upstream))
        ada, bob = signed_in(site), signed_in(site, "bob")
        with ada.events() as hers:
            hers.wait_for(b"hello")
            write(stored, 'users_file = "others.toml"\n')
            site.reload()
            assert not ada.is_in() and not bob.is_in()
            assert hers.ended_by(time.time() + 5), "t13"
        assert ada.try_to_sign_in().status == 401
        zoe = signed_in(site, "zoe", CHANGED)
        assert zoe.is_in()
        done = authgate("user", "disable", "--file", configuration.folder / "others.toml", "--id", "zoe")
        assert done.returncode == 0
        until(lambda: not zoe.is_in(), "the new file is followed, too", 3)


def test_without_a_file_of_users_nobody_is_signed_in_and_no_session_is_shown_around(
    runtime: str, configuration: Configuration, secret: str, write: Write, upstream: Upstream
) -> None:
    with gate(runtime, configuration, secret) as site:
        ada = signed_in(site)
        write(users="")
        site.reload()
        assert ada.get("/queues", ("Accept", "application/json")).status == 401
        token = tokens.bearer(site.mint(sub="ci"))
        assert ada.get("/queues", token).status == 200
        assert "authgate" not in "".join(upstream.seen[-1].all("Cookie")), "t22"
        write()
        site.reload()
        assert ada.is_in()


def test_a_user_who_is_disabled_after_a_reload_is_signed_out_with_streams_from_before(
    runtime: str, configuration: Configuration, secret: str, write: Write, stored: str, upstream: Upstream
) -> None:
    write(stored)
    with gate(runtime, configuration, secret) as site:
        site.before_end.append(lambda: hang_up(upstream))
        ada, bob = signed_in(site), signed_in(site, "bob")
        with ada.events() as hers, bob.events() as his:
            hers.wait_for(b"hello")
            his.wait_for(b"hello")
            write(stored + 'title = "New"\n')
            site.reload()
            done = authgate("user", "disable", "--file", configuration.folder / "users.toml", "--id", "ada")
            assert done.returncode == 0
            assert hers.ended_by(time.time() + 5)
            assert not his.ended_by(time.time() + 0.5), "a reload ends nobody's stream"
            assert not ada.is_in() and bob.is_in()


def test_sealing_secrets_rotate(runtime: str, configuration: Configuration, secret: str, write: Write) -> None:
    configuration.secret("old.secret")
    configuration.secret("new.secret")

    def sealed(files: str) -> str:
        return f'session_store = "cookie"\nsession_secret_files = {files}\n'

    write(sealed('"old.secret"'))
    with gate(runtime, configuration, secret) as site:
        ada = signed_in(site)
        write(sealed('["new.secret", "old.secret"]'))
        site.reload()
        bob = signed_in(site, "bob")
        assert ada.is_in() and bob.is_in()
        write(sealed('"new.secret"'))
        site.reload()
        assert not ada.is_in() and bob.is_in(), "the first of them seals"
        write(sealed('"missing.secret"'))
        site.reload()
        assert "missing.secret: cannot be read" in site.log() and bob.is_in()


def test_shorter_sessions_are_shorter_for_those_who_are_signed_in(
    runtime: str, configuration: Configuration, secret: str, write: Write, stored: str
) -> None:
    write(stored)
    with gate(runtime, configuration, secret) as site:
        ada = signed_in(site)
        write(stored + 'session_lifetime = "1s"\n')
        site.reload()
        until(lambda: not ada.is_in(), "the session ends", 3)


def test_a_gate_can_become_one_that_proxies_ask(
    runtime: str, configuration: Configuration, secret: str, write: Write
) -> None:
    with gate(runtime, configuration, secret) as site:
        ada = signed_in(site)
        configuration.write('forward_auth = true\nusers_file = "users.toml"\ntrusted_proxies = "127.0.0.0/8"\n')
        site.reload()
        question = [("X-Forwarded-Method", "GET"), ("X-Forwarded-Uri", "/queues"), ("X-Forwarded-For", "203.0.113.7"),
                    ("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "dash.example")]  # fmt: skip
        assert site.request("GET", "/authgate/forward-auth", *question).status == 303
        assert ada.get("/queues").status == 404
        write()
        site.reload()
        assert ada.is_in()
