"""Whatever a client writes, the upstream sees no request that was not decided on, and no two for one decision."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count

import pytest

from serve.probes import HOST, PROBES, Probe
from serve.upstreams import Seen, Upstream
from support import tokens
from support.checks import CLOSED
from support.program import Site, serving
from support.wire import head_of, parse_replies, talk

DECISION = re.compile(r'method="([^"]*)" path="([^"]*)" .*outcome="forward"')

each_probe = pytest.mark.parametrize("probe", PROBES, ids=[probe.name for probe in PROBES])


@dataclass
class Stage:
    """A gate before an upstream that notes everything, and the paths of each probe, which are nobody else's."""

    site: Site
    upstream: Upstream
    numbers: Iterator[int] = field(default_factory=count)

    def paths(self, way: str) -> tuple[str, str]:
        """Where a probe may go, and where it must not. The second is always as long as in the table."""
        number = next(self.numbers)
        return f"/{way}/{number}", f"/adm{number:05}"

    def play(self, probe: Probe, first: str, second: str, proof: bytes) -> list[int]:
        """Sends a probe, and returns the statuses of its answers."""
        sent = probe.sent.replace(b"PROOF", proof)
        sent = sent.replace(b"/FIRST", first.encode()).replace(b"/SMUGGLED", second.encode())
        raw = talk(self.site.address, sent, half_close=True)
        return [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3}) ", raw) if status != b"100"]

    def proof(self, way: str) -> bytes:
        return self.credentials() if way == "signed-in" else b""

    def credentials(self) -> bytes:
        name, value = tokens.bearer(self.site.mint())
        return f"{name}: {value}\r\n".encode()

    def rests(self) -> None:
        """Waits until all that was sent has come to the upstream. A POST goes over a connection of its own."""
        assert self.site.post("/public/last").text == "POST /public/last"
        self.upstream.rests()

    def decided(self) -> Counter[tuple[str, str]]:
        """How often a request was decided to pass, by method and path."""
        return Counter(DECISION.findall(self.site.log()))


@contextmanager
def stage_of(runtime: str, secret: str, *flags: str) -> Iterator[Stage]:
    with (
        Upstream() as upstream,
        serving(runtime, "--upstream", upstream.url, *flags, secret=secret, log="info") as site,
    ):
        yield Stage(site, upstream)


@pytest.fixture(scope="module")
def stage(runtime: str, secret: str) -> Iterator[Stage]:
    with stage_of(runtime, secret, "--public-prefix", "/public") as stage:
        yield stage


@pytest.fixture(scope="module")
def shut(runtime: str, secret: str) -> Iterator[Stage]:
    """A gate that lets nobody in without proof."""
    with stage_of(runtime, secret) as stage:
        yield stage


@each_probe
@pytest.mark.parametrize("way", ["signed-in", "public"])
def test_one_decision_is_one_request_at_most(stage: Stage, probe: Probe, way: str) -> None:
    first, second = stage.paths(way)
    statuses = stage.play(probe, first, second, stage.proof(way))
    stage.rests()
    assert statuses and statuses[0] in probe.statuses
    assert len(statuses) <= probe.answers and set(statuses[1:]) <= {303, 400}, statuses
    assert stage.upstream.at(second) == [], "smuggled"
    seen = stage.upstream.at(first)
    whole = sum(request.is_whole for request in seen)
    assert whole <= probe.whole and len(seen) - whole <= probe.cut, seen
    assert counted(seen) <= stage.decided(), seen
    assert stage.upstream.faults == []


@each_probe
def test_nothing_of_a_stranger_reaches_the_upstream(shut: Stage, probe: Probe) -> None:
    statuses = shut.play(probe, *shut.paths("stranger"), b"")
    assert statuses and set(statuses) <= CLOSED
    assert len(statuses) <= probe.answers
    assert shut.upstream.peers == []


def test_two_honest_requests_are_two(stage: Stage) -> None:
    """Or else the tests above would pass for the wrong reason."""
    for framing in (b"Content-Length: 3\r\n\r\nabc", b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"):
        first, second = stage.paths("signed-in")
        lines = [f"POST {first} HTTP/1.1\r\n".encode(), f"GET {second} HTTP/1.1\r\n".encode()]
        head, next_head = (line + HOST + stage.credentials() for line in lines)
        replies = parse_replies(talk(stage.site.address, head + framing + next_head + b"\r\n", half_close=True))
        assert [reply.text for reply in replies] == [f"POST {first}", f"GET {second}"]
        assert stage.upstream.only(first).body == b"abc"
        assert len(stage.upstream.at(second)) == 1


def test_a_host_is_not_made_up(stage: Stage) -> None:
    """RFC 9112 3.2: HTTP/1.1 without Host is answered 400."""
    raw = talk(stage.site.address, b"GET /public/nameless HTTP/1.1\r\n\r\n", half_close=True)
    assert parse_replies(raw)[0].status == 400
    assert stage.upstream.at("/public/nameless") == []


def test_honest_requests_among_all_that_get_their_own_answers(stage: Stage) -> None:
    """They go over connections to the upstream that are used again and again."""
    before = len(stage.upstream.peers)

    def play(probe: Probe) -> int:
        stage.play(probe, *stage.paths("signed-in"), stage.proof("signed-in"))
        return 1

    def ask(number: int) -> int:
        given = [("Host", "dash.example"), tokens.bearer(stage.site.mint())]
        targets = [f"/honest/{number}?{part}" for part in range(4)]
        payload = b"".join(head_of("GET", target, given) for target in targets)
        replies = parse_replies(talk(stage.site.address, payload, half_close=True))
        assert [reply.text for reply in replies] == [f"GET {target}" for target in targets]
        return len(replies)

    with ThreadPoolExecutor(2) as probing, ThreadPoolExecutor(2) as asking:
        played, asked = probing.map(play, PROBES), asking.map(ask, range(len(PROBES) // 2))
        assert sum(played) == len(PROBES)
        asked_in_all = sum(asked)
    assert asked_in_all == 4 * (len(PROBES) // 2)
    assert len(stage.upstream.peers) - before < len(PROBES) + asked_in_all / 2, "no connection was used again"


def test_in_the_end_no_more_requests_have_come_than_were_decided(stage: Stage, shut: Stage) -> None:
    kinds, reasons = ("page", "htmx", "api", "websocket"), ("public", "signed-in")
    labels = [{"outcome": "forward", "kind": kind, "reason": reason} for kind in kinds for reason in reasons]
    passed = sum(stage.site.metric("authgate_decisions_total", **label) for label in labels)
    for each in (stage, shut):
        each.site.end()  # whatever was still on its way has arrived now, or never will
        each.upstream.rests()
    assert 0 < len(stage.upstream.seen) <= passed
    assert counted(stage.upstream.seen) <= stage.decided()
    assert shut.upstream.peers == []


def counted(seen: list[Seen]) -> Counter[tuple[str, str]]:
    return Counter((request.method, request.path) for request in seen)
