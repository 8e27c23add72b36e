"""Health and metrics are on an address of their own, which shows nothing else; the other one shows none of them."""

from __future__ import annotations

import re
import secrets
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from serve.configured import GOOD, Configuration, Who, ask, configured, starting, told
from serve.upstreams import Peer, Seen, Upstream
from support.people import Person
from support.program import Site, authgate, first_line, serving
from support.wire import Reply, exchange, head_of, parse_replies, talk

SCRAPED = ("/-/healthz", "/-/metrics")


def drop(peer: Peer, seen: Seen) -> None:
    peer.close()


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream({"/broken": drop}) as started:
        yield started


@pytest.fixture
def site(runtime: str, tmp_path: Path, secret: str, upstream: Upstream) -> Iterator[Site]:
    text = f'upstream = "{upstream.url}"\nusers_file = "users.toml"\npublic_paths = "/open"\n'
    with configured(runtime, Configuration.of(tmp_path, text), secret=secret) as started:
        yield started


def admin(site: Site, method: str, target: str, *headers: tuple[str, str], body: bytes = b"") -> Reply:
    return exchange(site.admin, method, target, headers, body)


def test_it_says_that_it_lives(site: Site) -> None:
    reply = admin(site, "GET", "/-/healthz")
    assert (reply.status, reply.text, reply.header("Cache-Control")) == (200, "ok\n", "no-store")
    assert admin(site, "HEAD", "/-/healthz").status == 200


def test_it_shows_nothing_but_health_and_metrics(site: Site, upstream: Upstream) -> None:
    token = site.with_token((), site.mint(is_admin=True))
    for target in ("/", "/open", "/login", "/logout", "/queues", "/-/", "/-", "/-/healthz/", "/-/metrics/x",
                   "/-/reload", "//-/healthz", "/-/../queues", "/%2d/healthz", "/x/-/metrics", "*"):  # fmt: skip
        reply = admin(site, "GET", target, *token)
        assert reply.status in (400, 404), (target, reply)
        assert reply.header("Set-Cookie") is None and reply.header("Location") is None
    assert upstream.seen == []


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PURGE"])
def test_it_can_only_be_read(site: Site, method: str) -> None:
    for target in SCRAPED:
        reply = admin(site, method, target, ("Content-Length", "0"))
        assert (reply.status, reply.header("Allow")) == (405, "GET, HEAD")


def test_the_other_address_shows_neither(site: Site, upstream: Upstream) -> None:
    """There they are paths like any other: the dashboard's, for those who may pass."""
    for target in SCRAPED:
        assert ask(site, "GET", target).status == 401
        page = site.get(target)
        assert (page.status, page.header("Location")) == (303, "/login?next=" + target.replace("/", "%2F"))
        reply = ask(site, "GET", target, Who("ada"))
        assert (reply.status, reply.text) == (200, f"GET {target}"), "the upstream's own"
        assert "authgate_" not in reply.text
    assert [seen.target for seen in upstream.seen] == list(SCRAPED)


def test_without_an_address_there_is_none(runtime: str, tmp_path: Path, upstream: Upstream) -> None:
    file = Configuration.of(tmp_path, GOOD).file
    ended = authgate("serve", "--config", file, "--listen", "nowhere", "--runtime", runtime)
    assert ended.returncode == 2
    with starting("serve", "--config", file, "--listen", "127.0.0.1:0", "--runtime", runtime, "--json") as process:
        assert process.stdout is not None
        assert b'"admin":null' in first_line(process.stdout, 10)


def test_an_address_that_is_taken_is_told(tmp_path: Path) -> None:
    configuration = Configuration.of(tmp_path, GOOD)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        free = ["--listen", "127.0.0.1:0"]
        quiet = {"AUTHGATE_LOG": "error"}
        ended = authgate("serve", "--config", configuration.file, *free, "--admin-listen", address, env=quiet)
        (line,) = told(ended.stderr)
        assert ended.returncode == 2 and line.startswith(f"--admin-listen: {address}: Address already in use")
        configuration.write(f'admin_listen = "{address}"\n{GOOD}')
        ended = authgate("serve", "--config", configuration.file, *free, env=quiet)
        (line,) = told(ended.stderr)
        assert line.startswith(f"{configuration.file}: admin_listen: {address}: ")


LINE = re.compile(r'([a-z_]+)(\{(?:[a-z]+="[^"\\\n]*",?)*\})? ([0-9.e+-]+|\+Inf|NaN)')


def test_metrics_are_prometheus_text(site: Site) -> None:
    ask(site, "GET", "/queues", Who("ada"))
    reply = admin(site, "GET", "/-/metrics")
    assert reply.status == 200
    assert (reply.header("Content-Type") or "").startswith("text/plain; version=0.0.4")
    families: dict[str, str] = {}
    for line in reply.text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split()
            assert name not in families
            families[name] = kind
        elif not line.startswith("# HELP "):
            assert (match := LINE.fullmatch(line)), line
            assert re.sub("_(bucket|sum|count)$", "", match[1]) in families, line
    assert families == {
        "authgate_decisions_total": "counter", "authgate_logins_total": "counter",
        "authgate_throttled_total": "counter", "authgate_upstream_seconds": "histogram",
        "authgate_upstream_failures_total": "counter", "authgate_reloads_total": "counter",
    }  # fmt: skip


def test_decisions_are_counted_by_kind_and_reason(site: Site) -> None:
    def decisions(outcome: str, kind: str, reason: str) -> float:
        return site.metric("authgate_decisions_total", outcome=outcome, kind=kind, reason=reason)

    counted: list[tuple[Callable[[], object], tuple[str, str, str]]] = [
        (lambda: site.get("/queues"), ("respond", "page", "not-signed-in")),
        (lambda: ask(site, "GET", "/queues"), ("respond", "api", "not-signed-in")),
        (lambda: site.get("/queues", ("HX-Request", "true")), ("respond", "htmx", "not-signed-in")),
        (lambda: ask(site, "WEBSOCKET", "/live"), ("respond", "websocket", "not-signed-in")),
        (lambda: ask(site, "GET", "/queues", Who("ada")), ("forward", "api", "signed-in")),
        (lambda: ask(site, "GET", "/open"), ("forward", "api", "public")),
        (lambda: site.get("/login"), ("respond", "page", "login")),
        (lambda: site.get("/x", ("Host", "a b")), ("respond", "page", "bad-request")),
    ]
    for act, labels in counted:
        before = decisions(*labels)
        act()
        assert decisions(*labels) == before + 1, labels


def test_logins_are_counted_by_how_they_end(site: Site) -> None:
    def logins() -> dict[str, float]:
        results = ("succeeded", "wrong-password", "throttled")
        return {result: site.metric("authgate_logins_total", result=result) for result in results}

    assert logins() == {"succeeded": 0, "wrong-password": 0, "throttled": 0}, "from the start"
    ada = Person(site, "ada", "enigma", "127.0.8.1")
    ada.sign_in()
    ada.get("/queues")
    bob = Person(site, "bob", "enigma", "127.0.8.2")
    assert [bob.try_to_sign_in(password=secrets.token_urlsafe(12)).status for _ in range(12)] == [401] * 10 + [429] * 2
    assert logins() == {"succeeded": 1, "wrong-password": 10, "throttled": 2}
    assert site.metric("authgate_throttled_total") == 2


def test_the_upstream_s_latency_and_failures_are_counted(site: Site) -> None:
    for _ in range(3):
        ask(site, "GET", "/queues", Who("ada"))
    assert ask(site, "GET", "/broken", Who("ada")).status == 502
    assert site.metric("authgate_upstream_seconds_count") == 3
    assert site.metric("authgate_upstream_seconds_bucket", le="+Inf") == 3
    assert 0 < site.metric("authgate_upstream_seconds_sum") < 10
    assert site.metric("authgate_upstream_failures_total", reason="upstream-broken") == 1


def test_metrics_name_nobody_and_no_path(site: Site) -> None:
    ask(site, "GET", "/a-secret-path?a-secret-query", Who("a-secret-user"))
    Person(site, "a-secret-name", "a-secret-password").try_to_sign_in()
    assert "a-secret" not in admin(site, "GET", "/-/metrics").text


def test_bytes_that_are_no_request_do_it_no_harm(site: Site) -> None:
    for payload, statuses in (
        (b"\x00\xff\r\n\r\n", {400}),
        # It grants nothing to anybody, so nothing hangs on its host.
        (b"GET /-/healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", {200, 400}),
        (b"x" * 100_000 + b"\r\n\r\n", {400, 414, 431}),
    ):
        (reply,) = parse_replies(talk(site.admin, payload, half_close=True))
        assert reply.status in statuses, (payload[:40], reply)
    assert admin(site, "GET", "/-/healthz").status == 200


def test_it_ends_with_the_other_address(runtime: str, tmp_path: Path, secret: str) -> None:
    with serving(runtime, "--config", Configuration.of(tmp_path, GOOD).file, secret=secret) as site:
        waiting = socket.create_connection(site.admin, 10)
        waiting.sendall(head_of("GET", "/-/healthz", [("Host", "x")]))
        assert b"200 OK" in waiting.recv(65536)
        site.end()
        waiting.close()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(site.admin, 10)
