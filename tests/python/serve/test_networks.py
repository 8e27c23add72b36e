"""Who may ask at all: networks that are let in, TLS, and the hosts that a request may name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from serve.configured import Configuration, configured
from serve.upstreams import Upstream
from support.program import Site
from support.wire import head_of, parse_replies, talk

PROXY = "127.0.6.1"  # the only proxy that is trusted
HERE = "127.0.5.9"
ELSEWHERE = "127.0.7.9"
FAR = "203.0.113.7"  # a client beyond the proxy


@contextmanager
def gate(runtime: str, secret: str, folder: Path, text: str) -> Iterator[tuple[Site, Upstream]]:
    with Upstream() as upstream:
        configuration = Configuration.of(folder, f'upstream = "{upstream.url}"\nusers_file = "users.toml"\n{text}')
        with configured(runtime, configuration, secret=secret) as site:
            yield site, upstream


def forwarded(client: str, scheme: str = "https") -> list[tuple[str, str]]:
    return [("X-Forwarded-For", client), ("X-Forwarded-Proto", scheme)]


def statuses(site: Site, source: str, *headers: tuple[str, str]) -> list[int]:
    """Of a page with a good token, and of the login page, which is everybody's who may ask at all."""
    token = site.with_token(headers, site.mint(sub="ada"))
    return [
        site.request("GET", "/page", *token, source=source).status,
        site.request("GET", "/login", *headers, source=source).status,
    ]


IN, OUT = [200, 200], [403, 403]


@pytest.mark.parametrize("networks", ['["127.0.5.0/24", "203.0.113.0/24"]', '["127.0.5.9", "203.0.113.7"]'])
def test_only_clients_of_the_allowed_networks_may_ask(runtime: str, secret: str, tmp_path: Path, networks: str) -> None:
    text = f'allowed_networks = {networks}\ntrusted_proxies = "{PROXY}"\n'
    with gate(runtime, secret, tmp_path, text) as (site, upstream):
        assert statuses(site, HERE) == IN
        assert statuses(site, ELSEWHERE) == OUT
        assert statuses(site, PROXY) == OUT, "the proxy's own network is not one of them"
        assert statuses(site, PROXY, *forwarded(FAR)) == IN
        assert statuses(site, PROXY, *forwarded("198.51.100.7")) == OUT
        assert statuses(site, PROXY, *forwarded(f"{FAR}, 198.51.100.7")) == OUT, "the nearest stranger is the client"
        assert statuses(site, ELSEWHERE, *forwarded(FAR)) == OUT, "whoever is no proxy is not believed"
        assert statuses(site, HERE, *forwarded(FAR)) == OUT, "nor is a stranger who passes others on"
        assert {seen.method for seen in upstream.seen} == {"GET"} and len(upstream.seen) == 2


def test_ipv6_networks_and_ipv4_in_ipv6_are_the_same_clients(runtime: str, secret: str, tmp_path: Path) -> None:
    text = f'allowed_networks = ["2001:db8::/32", "203.0.113.0/24"]\ntrusted_proxies = "{PROXY}"\n'
    with gate(runtime, secret, tmp_path, text) as (site, _):
        assert statuses(site, PROXY, *forwarded("2001:db8::7")) == IN
        assert statuses(site, PROXY, *forwarded("2001:db9::7")) == OUT
        assert statuses(site, PROXY, *forwarded(f"::ffff:{FAR}")) == IN


def test_even_a_public_path_is_for_the_allowed_networks_alone(runtime: str, secret: str, tmp_path: Path) -> None:
    text = 'allowed_networks = "127.0.5.0/24"\npublic_paths = "/health"\n'
    with gate(runtime, secret, tmp_path, text) as (site, _):
        asked = [site.request("GET", "/health", source=source).status for source in (HERE, ELSEWHERE)]
        assert asked == [200, 403]


PLAIN_HTTP = [
    # where from, what a proxy says of it, the answer: without a word, only this machine may do without TLS
    (HERE, [], IN),
    (PROXY, [], IN),
    (PROXY, forwarded(FAR, "https"), IN),
    (PROXY, forwarded(FAR, "http"), OUT),
    (PROXY, [("X-Forwarded-For", FAR)], OUT),
    (PROXY, forwarded(HERE, "http"), IN),
    (ELSEWHERE, forwarded(FAR, "http"), OUT),
    (ELSEWHERE, forwarded(FAR, "https"), OUT),
]


@pytest.mark.parametrize("setting", ["", "require_tls = true\n"])
def test_tls_is_asked_of_everybody_but_this_machine(runtime: str, secret: str, tmp_path: Path, setting: str) -> None:
    with gate(runtime, secret, tmp_path, f'{setting}trusted_proxies = "{PROXY}"\n') as (site, _):
        for source, headers, expected in PLAIN_HTTP:
            assert statuses(site, source, *headers) == expected, (source, headers)


def test_tls_need_not_be_asked_for(runtime: str, secret: str, tmp_path: Path) -> None:
    with gate(runtime, secret, tmp_path, f'require_tls = false\ntrusted_proxies = "{PROXY}"\n') as (site, _):
        for source, headers, _ in PLAIN_HTTP:
            assert statuses(site, source, *headers) == IN, (source, headers)


def status_for(site: Site, *hosts: str) -> int:
    """The answer to a request that names these hosts, with a good token."""
    fields = [*(("Host", host) for host in hosts), *site.with_token([("Connection", "close")], site.mint())]
    return parse_replies(talk(site.address, head_of("GET", "/page", fields)))[0].status


def test_only_allowed_hosts_may_be_named(runtime: str, secret: str, tmp_path: Path) -> None:
    text = 'allowed_hosts = ["dash.example", "other.example:8443", "192.0.2.1", "[2001:db8::1]"]\n'
    with gate(runtime, secret, tmp_path, text) as (site, upstream):
        good = ["dash.example", "DASH.example", "dash.example:8080", "other.example:8443", "192.0.2.1",
                "[2001:DB8::1]:80"]  # fmt: skip
        assert {host: status_for(site, host) for host in good} == dict.fromkeys(good, 200)
        bad = ["evil.example", "dash.example.evil.example", "evil-dash.example", "other.example", "other.example:80",
               "192.0.2.2", "[2001:db8::2]", "localhost", "127.0.0.1", "dash.example@evil.example"]  # fmt: skip
        for hosts in [*([host] for host in bad), [], ["dash.example", "evil.example"]]:
            assert status_for(site, *hosts) in (400, 421), hosts
        assert len(upstream.seen) == len(good)


def test_any_host_may_be_named_where_none_is_listed(runtime: str, secret: str, tmp_path: Path) -> None:
    with gate(runtime, secret, tmp_path, "") as (site, _):
        assert [status_for(site, host) for host in ("evil.example", "192.0.2.1:99")] == [200, 200]


def test_the_host_that_a_proxy_forwards_counts_if_it_was_said_to(runtime: str, secret: str, tmp_path: Path) -> None:
    text = f'allowed_hosts = "dash.example"\ntrusted_proxies = "{PROXY}"\nforwarded_fields = "x-forwarded-host"\n'
    with gate(runtime, secret, tmp_path, text) as (site, _):

        def asked(source: str, host: str) -> int:
            headers = [*forwarded(FAR), ("X-Forwarded-Host", host)]
            return site.request("GET", "/login", *headers, source=source).status

        assert (asked(PROXY, "dash.example"), asked(PROXY, "evil.example")) == (200, 400)
        assert asked(HERE, "dash.example") == 400, "whoever is no proxy is not believed"
