"""Dashboards that know nothing of users, behind the gate: Flower, rq-dashboard, a folder of files, a Starlette app."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from redis import Redis
from rq import Queue
from websockets.sync.client import connect

from serve.dashboards import Dashboard
from support import tokens
from support.people import Person
from support.program import Site, serving
from support.wire import Stream, authority

DASHBOARDS = ["flower", "rq_dashboard", "folder_of_files", "starlette"]


@pytest.fixture(scope="module")
def sites(runtime: str, users: Path, secret: str, request: pytest.FixtureRequest) -> Iterator[dict[str, Site]]:
    """A gate before each of the dashboards."""
    with ExitStack() as open_sites:
        sites = {}
        for name in DASHBOARDS:
            dashboard: Dashboard = request.getfixturevalue(name)
            flags = ["--upstream", dashboard.url, "--mount", dashboard.mount, "--users-file", users]
            sites[name] = open_sites.enter_context(serving(runtime, *flags, secret=secret))
        yield sites


@pytest.mark.parametrize("name", DASHBOARDS)
def test_sign_in_use_and_sign_out(sites: dict[str, Site], name: str, request: pytest.FixtureRequest) -> None:
    dashboard: Dashboard = request.getfixturevalue(name)
    ada = Person(sites[name], "ada", "enigma")
    home = ada.at("/")
    stranger = ada.get(home)
    assert stranger.status == 303 and dashboard.inside not in stranger.text
    ada.sign_in()
    page = ada.get(home)
    assert page.status == 200 and dashboard.inside in page.text
    for asset in assets(page.text):
        assert ada.get(asset).status == 200, asset
        assert Person(sites[name], "ada", "enigma").get(asset).status == 303, asset
    old = ada.cookie
    assert ada.sign_out().status == 303
    ada.cookie = old
    assert ada.get(home).status == 303


def assets(page: str) -> list[str]:
    """A few of the scripts and styles of a page that are its own."""
    found = re.findall(r'(?:src|href)="(/[^"/][^"]*\.(?:js|css)[^"]*)"', page)
    return list(dict.fromkeys(found))[:3]


def test_jobs_of_rq_are_seen_and_emptied_by_those_inside_alone(sites: dict[str, Site], redis_url: str) -> None:
    queue = Queue("letters", connection=Redis.from_url(f"{redis_url}/1"))
    queue.enqueue("time.sleep", 0)
    empty = "/queue/letters/queued/empty"
    ada = Person(sites["rq_dashboard"], "ada", "enigma")
    assert ada.post(empty).status == 303 and queue.count == 1
    ada.sign_in()
    assert '"letters"' in ada.get("/0/data/queues.json").text
    foreign = [("Origin", "https://evil.example"), *ada.cookies(), ("Content-Length", "0")]
    assert ada.demo.request("POST", empty, *foreign).status == 403 and queue.count == 1
    assert ada.post(empty).status == 200
    assert queue.count == 0


def test_events_arrive_and_end_with_the_sign_out(sites: dict[str, Site]) -> None:
    ada = Person(sites["starlette"], "ada", "enigma")
    ada.sign_in()
    with ada.events() as events:
        events.wait_for(b"data: 1\n\n")
        events.wait_for(b"data: 3\n\n")
        ada.sign_out()
        assert events.ended_by(time.time() + 5)


def test_a_websocket_speaks_with_somebody_known_and_nobody_else(sites: dict[str, Site]) -> None:
    site = sites["starlette"]
    url = f"ws://{authority(site.address)}/ws"
    token = tokens.bearer(site.mint(sub="robot"))
    with connect(url, additional_headers=[token], proxy=None) as socket:
        socket.send("hello")
        assert socket.recv() == "hello, robot"
    ada = Person(site, "ada", "enigma")
    ada.sign_in()
    with connect(url, additional_headers=[*ada.cookies(), ("Origin", site.origin)], proxy=None) as socket:
        socket.send("hello")
        assert socket.recv() == "hello, ada"
    handshake = [
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ]
    assert site.get("/ws", *handshake).status == 401
    assert site.get("/ws", *handshake, *ada.cookies(), ("Origin", "https://evil.example")).status == 403


def test_an_event_stream_of_a_program_ends_with_its_token(sites: dict[str, Site]) -> None:
    site = sites["starlette"]
    end = int(time.time()) + 3
    with Stream(site.address, "/events", [tokens.bearer(site.mint(exp=end))]) as events:
        events.wait_for(b"data: 1\n\n")
        assert events.ended_by(end + 5) and time.time() >= end

