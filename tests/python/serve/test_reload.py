"""SIGHUP reads the configuration again: a good one is in force at once, a bad one changes nothing and is told."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from serve.configured import Configuration, ask, configured, pass_through, starting, writing_end
from serve.upstreams import PATIENCE, Peer, Seen, Upstream, answer
from support.checks import until
from support.program import Site, first_line, serving, started
from support.wire import Reply, authority, head_of, parse_replies


def named(name: str) -> Upstream:
    """An upstream that says its name."""
    return Upstream({"/who": lambda peer, seen: answer(peer, seen, name.encode())})


@pytest.fixture
def one() -> Iterator[Upstream]:
    with named("one") as started:
        yield started


@pytest.fixture
def other() -> Iterator[Upstream]:
    with named("other") as started:
        yield started


def text_for(upstream: Upstream, more: str = "") -> str:
    return f'upstream = "{upstream.url}"\nusers_file = "users.toml"\npublic_paths = "/who"\n{more}'


@pytest.fixture
def configuration(tmp_path: Path, one: Upstream) -> Configuration:
    return Configuration.of(tmp_path, text_for(one))


@pytest.fixture
def site(runtime: str, configuration: Configuration, secret: str) -> Iterator[Site]:
    with configured(runtime, configuration, secret=secret) as started:
        yield started


def who(site: Site) -> str:
    return site.get("/who").text


class Client:
    """A connection that is kept."""

    def __init__(self, site: Site) -> None:
        self.host = authority(site.address)
        self.socket = socket.create_connection(site.address, PATIENCE)

    def get(self, target: str) -> Reply:
        self.socket.sendall(head_of("GET", target, [("Host", self.host)]))
        received = b""
        while b"\r\n\r\n" not in received or not received.rpartition(b"\r\n\r\n")[2]:
            assert (data := self.socket.recv(65536)), "closed"
            received += data
        return parse_replies(received)[0]


def test_a_new_configuration_is_in_force_on_connections_that_are_open(
    site: Site, configuration: Configuration, other: Upstream
) -> None:
    client = Client(site)
    assert client.get("/who").text == "one"
    configuration.write(text_for(other))
    assert client.get("/who").text == "one", "not before somebody says so"
    site.reload()
    assert client.get("/who").text == "other" == who(site)
    client.socket.close()
    assert "reloaded: the new configuration is in force" in site.log()
    assert site.metric("authgate_reloads_total", result="succeeded") == 1


def test_a_request_in_flight_ends_as_it_began(
    runtime: str, configuration: Configuration, secret: str, other: Upstream
) -> None:
    asked, go_on = threading.Event(), threading.Event()

    def slow(peer: Peer, seen: Seen) -> None:
        asked.set()
        assert go_on.wait(PATIENCE)
        answer(peer, seen, b"slow")

    with Upstream({"/slow": slow}) as first:
        configuration.write(text_for(first, 'public_prefixes = "/slow"\n'))
        with configured(runtime, configuration, secret=secret) as site, ThreadPoolExecutor(1) as pool:
            reply = pool.submit(site.get, "/slow")
            assert asked.wait(PATIENCE)
            configuration.write(text_for(other))
            site.reload()
            assert site.get("/slow").status == 303, "the path is not public any more"
            go_on.set()
            assert (reply.result(PATIENCE).status, reply.result().text) == (200, "slow")


def test_no_request_fails_while_the_configuration_changes(
    site: Site, configuration: Configuration, one: Upstream, other: Upstream
) -> None:
    done = threading.Event()

    def keep_asking() -> list[str]:
        answers = []
        while not done.is_set():
            answers.append(who(site))
        return answers

    with ThreadPoolExecutor(4) as pool:
        clients = [pool.submit(keep_asking) for _ in range(4)]
        try:
            for number in range(20):
                configuration.write(text_for(one if number % 2 else other))
                site.reload()
        finally:
            done.set()
        heard = [name for client in clients for name in client.result()]
    assert set(heard) == {"one", "other"}, set(heard)


def broken(configuration: Configuration, kind: str) -> str:
    """Spoils the configuration, and returns what must be told."""
    file, users = configuration.file, configuration.folder / "users.toml"
    if kind == "a misspelt key":
        configuration.write(file.read_text() + "titel = 1\n")
        return "line 4: unknown key titel; did you mean title?"
    if kind == "no TOML":
        configuration.write("upstream =")
        return "line 1: "
    if kind == "a file that went away":
        file.unlink()
        return "cannot be read: No such file"
    if kind == "a folder":
        file.unlink()
        file.mkdir()
        return "cannot be read: Is a directory"
    if kind == "an empty file":
        configuration.write("")
        return "upstream: nothing is behind the gate"
    if kind == "a secret that is too short":
        (configuration.folder / "short.secret").write_text("hunter2\n")
        configuration.write(file.read_text() + 'jwt_secret_file = "short.secret"\n')
        return "short.secret: secret: 7 bytes are too short"
    if kind == "users who went away":
        users.unlink()
        return "users.toml: does not exist"
    assert kind == "broken users"
    users.write_text("[[user]\n")
    return "users.toml:1: "


@pytest.mark.parametrize(
    "kind",
    ["a misspelt key", "no TOML", "a file that went away", "a folder", "an empty file", "a secret that is too short",
     "users who went away", "broken users"],
)  # fmt: skip
def test_a_bad_configuration_keeps_the_old_one_and_says_so(
    site: Site, configuration: Configuration, other: Upstream, kind: str
) -> None:
    good, users = text_for(other), (configuration.folder / "users.toml").read_bytes()
    expected = broken(configuration, kind)
    site.reload()
    told = [line for line in site.log().splitlines() if "ERROR" in line and "not reloaded: " in line]
    assert any(expected in line for line in told), site.log()
    assert "the configuration stays as it was" in site.log() and "in force" not in site.log()
    assert "hunter2" not in site.log()
    assert who(site) == "one"
    assert ask(site, "GET", "/x").status == 401
    assert site.metric("authgate_reloads_total", result="failed") == 1
    if configuration.file.is_dir():
        configuration.file.rmdir()
    (configuration.folder / "users.toml").write_bytes(users)
    configuration.write(good)
    site.reload()
    assert who(site) == "other"


def test_what_counts_from_the_next_start_on_is_told(
    runtime: str, configuration: Configuration, one: Upstream, secret: str
) -> None:
    text = f'listen = "127.0.0.1:0"\nadmin_listen = "127.0.0.1:0"\nruntime = "{runtime}"\n'
    configuration.write(text_for(one, text))
    with started(Site, runtime, ["serve", "--config", configuration.file, "--json"], secret, "info") as (site, _):
        other = {"tokio": "smol", "smol": "tokio"}[runtime]
        changed = f'listen = "127.0.0.1:1"\nadmin_listen = "127.0.0.1:2"\nruntime = "{other}"\nmax_connections = 7\n'
        configuration.write(text_for(one, f'{changed}title = "New"\n'))
        site.reload()
        for key in ("listen", "admin_listen", "runtime", "max_connections"):
            assert f" {key} has changed, and counts from the next start on" in site.log(), key
        assert "New" in site.get("/login").text, "the rest counts at once"


def test_what_flags_say_has_not_changed_whatever_the_file_says(
    site: Site, configuration: Configuration, one: Upstream, runtime: str
) -> None:
    other = {"tokio": "smol", "smol": "tokio"}[runtime]
    configuration.write(text_for(one, f'listen = "127.0.0.1:1"\nruntime = "{other}"\nmax_connections = 10000\n'))
    site.reload()
    assert "counts from the next start" not in site.log()


def test_many_signals_at_once_are_heeded_and_the_last_word_counts(
    site: Site, configuration: Configuration, one: Upstream, other: Upstream
) -> None:
    for number in range(50):
        configuration.write(text_for(one if number % 2 else other, f'title = "Number {number}"\n'))
        site.process.send_signal(signal.SIGHUP)
    until(lambda: "Number 49" in site.get("/login").text, "the last configuration is in force")
    assert who(site) == "one"


def test_a_signal_before_it_is_ready_is_heeded_then(
    tmp_path: Path, runtime: str, one: Upstream, other: Upstream
) -> None:
    """It would end a program that does not listen to it. And one that waits for a file can still be asked to end."""
    configuration = Configuration.of(tmp_path, "")
    configuration.file.unlink()
    os.mkfifo(configuration.file)
    flags = ["--listen", "127.0.0.1:0", "--runtime", runtime, "--json"]
    with starting("serve", "--config", configuration.file, *flags) as process:
        assert process.stdout is not None
        pipe = writing_end(configuration.file)
        process.send_signal(signal.SIGHUP)
        pass_through(pipe, text_for(one))
        address = json.loads(first_line(process.stdout, PATIENCE))["url"]
        host, _, port = address.removeprefix("http://").rstrip("/").rpartition(":")
        site = Site(process, runtime, None, tmp_path, (host, int(port)))
        pass_through(writing_end(configuration.file), text_for(other))
        until(lambda: who(site) == "other", "the configuration was read a second time")
        process.send_signal(signal.SIGHUP)
        pipe = writing_end(configuration.file)
        try:
            site.end()
        finally:
            os.close(pipe)


def test_without_a_file_secrets_are_read_again(runtime: str, one: Upstream, tmp_path: Path) -> None:
    configuration = Configuration(tmp_path)
    old = configuration.secret("tokens.secret")
    file = tmp_path / "tokens.secret"
    with serving(runtime, "--upstream", one.url, "--jwt-secret-file", file) as site:
        site.secret = old
        before = site.mint()
        assert site.get("/x", token=before).status == 200
        site.secret = configuration.secret(file.name)
        site.reload()
        assert site.get("/x", ("Accept", "application/json"), token=before).status == 401
        assert site.get("/x", token=site.mint()).status == 200


def test_warnings_are_told_again(site: Site, configuration: Configuration, one: Upstream) -> None:
    configuration.write(text_for(one, 'session_store = "cookie"\n'))
    assert "sealed with a secret of this run" not in site.log()
    site.reload()
    assert "sealed with a secret of this run" in site.log()
