"""Rules say who may send what: every row holds for a running gate, and `authgate explain` says the same of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from serve.configured import HANDSHAKE, NOBODY, Configuration, Who, ask, configured
from serve.upstreams import Upstream
from support.program import Site, authgate

VIEWER = Who("vera", ("viewer",))
OPS = Who("olaf", ("ops",))
AUDITOR = Who("anna", ("auditor",))
BOTH = Who("beth", ("viewer", "auditor"))
ADMIN = Who("root", is_admin=True)
PROMETHEUS = Who("prometheus")

SCRAPERS = "127.0.4.7"  # where Prometheus and its like are


class Row(NamedTuple):
    method: str
    path: str
    who: Who
    passes: bool
    source: str = "127.0.0.1"


# Viewers read, ops do everything, the audit trail is the auditors', and metrics are for one token or one network.
ISSUE = """
[[rule]]
path = "/"
methods = ["GET"]
allow = ["role:viewer"]

[[rule]]
path = "/"
allow = ["role:ops"]

[[rule]]
path = "/audit"
allow = ["role:auditor"]

[[rule]]
path = "/metrics"
methods = ["GET"]
allow = ["user:prometheus", "network:127.0.4.0/24"]
"""

READ_ONLY = """
rule = [{ path = "/", methods = "GET", allow = "role:viewer" }]
"""

NESTED = """
[[rule]]
path = "/queues"
allow = ["signed-in"]

[[rule]]
path = "/queues/secret"
methods = ["GET", "POST"]
allow = ["admins"]

[[rule]]
path = "/queues/secret/live"
methods = ["WEBSOCKET"]
allow = ["role:viewer", "role:ops"]

[[rule]]
path = "/queues/secret/live"
methods = ["GET"]
allow = ["role:viewer"]
"""

TABLE: dict[str, tuple[str, list[Row]]] = {
    "the issue's": (ISSUE, [
        Row("GET", "/", VIEWER, True),
        Row("GET", "/queues", VIEWER, True),
        Row("HEAD", "/queues", VIEWER, True),
        Row("POST", "/queues", VIEWER, False),
        Row("DELETE", "/queues/1", VIEWER, False),
        Row("OPTIONS", "/queues", VIEWER, False),
        Row("PURGE", "/queues", VIEWER, False),
        Row("get", "/queues", OPS, True),
        Row("WEBSOCKET", "/live", VIEWER, False),
        Row("GET", "/queues", OPS, True),
        Row("POST", "/queues", OPS, True),
        Row("PURGE", "/queues", OPS, True),
        Row("WEBSOCKET", "/live", OPS, True),
        Row("GET", "/audit", AUDITOR, True),
        Row("POST", "/audit/1", AUDITOR, True),
        Row("GET", "/audit", OPS, False),
        Row("GET", "/audit/2026", VIEWER, False),
        Row("GET", "/audit", ADMIN, False),
        Row("GET", "/audits", AUDITOR, False),
        Row("GET", "/audits", OPS, True),
        Row("GET", "/Audit", OPS, False),
        Row("GET", "/%61udit", OPS, False),
        Row("GET", "/audit;v=1", OPS, False),
        Row("GET", "/queues/../audit", OPS, False),
        Row("GET", "/audit", BOTH, True),
        Row("GET", "/queues", BOTH, True),
        Row("GET", "/queues", AUDITOR, False),
        Row("GET", "/queues", NOBODY, False),
        Row("GET", "/queues", ADMIN, False),
        Row("GET", "/metrics", PROMETHEUS, True),
        Row("POST", "/metrics", PROMETHEUS, False),
        Row("GET", "/queues", PROMETHEUS, False),
        Row("GET", "/metrics", OPS, False),
        Row("GET", "/metrics", NOBODY, False),
        Row("GET", "/metrics", NOBODY, True, SCRAPERS),
        Row("GET", "/metrics", VIEWER, True, SCRAPERS),
        Row("GET", "/metrics/all", NOBODY, True, SCRAPERS),
        Row("POST", "/metrics", NOBODY, False, SCRAPERS),
        Row("GET", "/metricsx", NOBODY, False, SCRAPERS),
        Row("GET", "/queues", NOBODY, False, SCRAPERS),
    ]),
    "a read-only role in one line": (READ_ONLY, [
        Row("GET", "/queues", VIEWER, True),
        Row("HEAD", "/queues", VIEWER, True),
        Row("POST", "/queues", VIEWER, False),
        Row("PUT", "/queues", VIEWER, False),
        Row("DELETE", "/queues", VIEWER, False),
        Row("WEBSOCKET", "/live", VIEWER, False),
        Row("GET", "/queues", OPS, False),
        Row("GET", "/queues", ADMIN, False),
        Row("GET", "/queues", NOBODY, False),
    ]),
    "one within the other": (NESTED, [
        Row("GET", "/queues", PROMETHEUS, True),
        Row("POST", "/queues/1", PROMETHEUS, True),
        Row("WEBSOCKET", "/queues/1", PROMETHEUS, True),
        Row("GET", "/queues/secret", PROMETHEUS, False),
        Row("GET", "/queues/secret", ADMIN, True),
        Row("POST", "/queues/secret/1", ADMIN, True),
        Row("DELETE", "/queues/secret/1", ADMIN, False),
        Row("GET", "/queues/secret/live", ADMIN, False),
        Row("GET", "/queues/secret/live", VIEWER, True),
        Row("WEBSOCKET", "/queues/secret/live", VIEWER, True),
        Row("GET", "/queues/secret/live", OPS, False),
        Row("POST", "/queues/secret/live", VIEWER, False),
        Row("WEBSOCKET", "/queues/secret", ADMIN, False),
        Row("GET", "/", ADMIN, False),
        Row("GET", "/queue", ADMIN, False),
        Row("GET", "/other", ADMIN, False),
    ]),
}  # fmt: skip


def configuration(folder: Path, rules: str, upstream: str) -> Configuration:
    """Keys come before rules, or they would be a rule's."""
    return Configuration.of(folder, f'upstream = "{upstream}"\nallowed_hosts = "127.0.0.1"\n{rules}')


@contextmanager
def gate(runtime: str, secret: str, folder: Path, rules: str) -> Iterator[tuple[Site, Upstream]]:
    with Upstream() as upstream:
        with configured(runtime, configuration(folder, rules, upstream.url), secret=secret) as site:
            yield site, upstream


@pytest.mark.parametrize("name", TABLE)
def test_a_running_gate_decides_by_the_table(runtime: str, secret: str, tmp_path: Path, name: str) -> None:
    rules, rows = TABLE[name]
    with gate(runtime, secret, tmp_path, rules) as (site, upstream):
        for row in rows:
            before = len(upstream.seen)
            reply = ask(site, row.method, row.path, row.who, row.source)
            arrived = upstream.seen[before:]
            if row.passes:
                assert reply.status == 200, (row, reply)
                method = "GET" if row.method == "WEBSOCKET" else row.method
                assert [(seen.method, seen.target) for seen in arrived] == [(method, row.path)], row
                assert arrived[0].all("X-Auth-User") == ([row.who.id] if row.who.id else []), row
            else:
                assert reply.status == (403 if row.who.id else 401), (row, reply)
                assert arrived == [], row


@pytest.mark.parametrize("name", TABLE)
def test_explain_says_the_same(secret: str, tmp_path: Path, name: str) -> None:
    rules, rows = TABLE[name]
    file = configuration(tmp_path, rules, "http://127.0.0.1:9").file
    for row in rows:
        if row.method == "get":
            continue  # nobody who asks about it means it
        question = [row.method, row.path, *row.who.flags(), "--from", row.source]
        ended = authgate("explain", "--config", file, *question, env={"AUTHGATE_JWT_SECRET": secret})
        word = "allowed: " if row.passes else "refused: "
        assert (ended.returncode, ended.stderr) == (0 if row.passes else 1, ""), (row, ended.stderr)
        assert ended.stdout.startswith(word), (row, ended.stdout)


def test_a_page_that_no_rule_fits_leads_to_the_login_and_for_somebody_known_nowhere(
    runtime: str, secret: str, tmp_path: Path
) -> None:
    users = 'users_file = "users.toml"\n'
    with gate(runtime, secret, tmp_path, users + READ_ONLY) as (site, upstream):
        page = ("Accept", "text/html")
        stranger = site.get("/queues", page)
        assert (stranger.status, stranger.header("Location")) == (303, "/login?next=%2Fqueues")
        known = site.get("/queues", page, token=site.mint(sub="olaf", roles=["ops"]))
        assert known.status == 403 and known.header("Location") is None
        assert upstream.seen == []


def test_public_paths_stay_public_whatever_the_rules_say(runtime: str, secret: str, tmp_path: Path) -> None:
    public = 'public_paths = "/health"\npublic_prefixes = ["/static"]\n'
    with gate(runtime, secret, tmp_path, public + ISSUE) as (site, _):
        assert [ask(site, "GET", path).status for path in ("/health", "/static/app.css", "/healthy")] == [200, 200, 401]


def test_rules_are_for_paths_below_the_mount(runtime: str, secret: str, tmp_path: Path) -> None:
    with gate(runtime, secret, tmp_path, 'mount = "/ops"\n' + ISSUE) as (site, upstream):
        assert ask(site, "GET", "/ops/audit", AUDITOR).status == 200
        assert ask(site, "GET", "/ops/audit", OPS).status == 403
        assert ask(site, "GET", "/audit", AUDITOR).status == 404
        assert [seen.target for seen in upstream.seen] == ["/ops/audit"]


def test_t18_a_network_lets_no_other_site_write(runtime: str, secret: str, tmp_path: Path) -> None:
    """Being somewhere is a proof that a browser attaches to whatever another site makes it send."""
    rules = 'rule = [{ path = "/hook", allow = "network:127.0.4.0/24" }]\n'
    with gate(runtime, secret, tmp_path, rules) as (site, upstream):
        for origin, statuses in ((site.origin, [200, 200, 200]), ("https://evil.example", [200, 403, 403])):
            length, ours = ("Content-Length", "0"), ("Origin", origin)
            answers = [
                site.request("GET", "/hook", ours, source=SCRAPERS),
                site.request("POST", "/hook", ours, length, source=SCRAPERS),
                site.request("GET", "/hook", ours, *HANDSHAKE, source=SCRAPERS),
            ]
            assert [reply.status for reply in answers] == statuses, origin
        assert len(upstream.seen) == 4
