"""Every dialogue in `tests/vectors`, through ASGI, WSGI, and uvicorn on a socket: each ends as in Rust."""

from __future__ import annotations

import asyncio
import http.client
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn
from authgate import AuthGateMiddleware, Event
from authgate.wsgi import AuthGate

from dialogues import Dialogue, dialogues
from servers import until
from world import (
    Answer,
    asgi_dashboard,
    ask_asgi,
    ask_wsgi,
    environ_of,
    keywords,
    scope_of,
    socket_of,
    wsgi_dashboard,
)

NO_ESCAPES = "it is about the escapes that were sent, and nobody tells them"
JOINED = "a server joins repeated fields into one"
NO_KEY = "uvicorn refuses a handshake without its key, and a method in lower case, before anybody is asked"

ABOUT_ESCAPES = {
    "next::t01_a_good_path_is_kept_byte_for_byte": NO_ESCAPES,
    "next::t02_path_and_query_survive_exactly": NO_ESCAPES,
    "sign_in::a_deep_link_leads_to_the_login_and_says_where_it_led": NO_ESCAPES,
}
REPEATED = {"answers::t40_several_authorization_fields_prove_nothing": JOINED}
# What a way of asking cannot say, and why. Whatever can be said after all must leave this table.
CANNOT: dict[str, dict[str, str]] = {
    "asgi": {},
    "wsgi": REPEATED,
    "asgi without raw_path": ABOUT_ESCAPES,
    "wsgi without REQUEST_URI": {**ABOUT_ESCAPES, **REPEATED},
    "uvicorn": {
        "answers::t08_a_websocket_with_a_token_is_passed_on": NO_KEY,
        "paths::t17_a_method_in_another_case_is_another_method": NO_KEY,
        "rights::t08_a_websocket_without_the_right_is_refused": NO_KEY,
        "sign_in::t08_another_sites_websocket_cannot_ride_on_a_session": NO_KEY,
        "waiting::t08_another_sites_websocket_cannot_ride_on_a_cookie": NO_KEY,
        "waiting::t08_our_own_websocket_may_ride_on_a_cookie": NO_KEY,
    },
}


def by_asgi(dialogue: Dialogue, *, raw: bool = True) -> tuple[Answer, list[Event]]:
    told: list[Event] = []
    settings = keywords(dialogue.settings, told.append)
    gate = AuthGateMiddleware(asgi_dashboard, **settings)
    below = dialogue.settings.get("below", "")
    if dialogue.is_websocket:
        scope = socket_of(below + dialogue.relative, dialogue.headers, root_path=below)
    else:
        scope = scope_of(dialogue.method, below + dialogue.relative, dialogue.headers, root_path=below)
    if not raw:
        del scope["raw_path"]
    return asyncio.run(ask_asgi(gate, scope, dialogue.body)), told


def by_wsgi(dialogue: Dialogue, *, raw: bool = True) -> tuple[Answer, list[Event]]:
    told: list[Event] = []
    gate = AuthGate(wsgi_dashboard, **keywords(dialogue.settings, told.append))
    environ = environ_of(dialogue.method, dialogue.relative, dialogue.headers, dialogue.body)
    environ["SCRIPT_NAME"] = dialogue.settings.get("below", "")
    environ["REQUEST_URI"] = environ["SCRIPT_NAME"] + environ["REQUEST_URI"]
    if not raw:
        del environ["REQUEST_URI"]
    return ask_wsgi(gate, environ), told


WAYS = {
    "asgi": by_asgi,
    "wsgi": by_wsgi,
    "asgi without raw_path": lambda dialogue: by_asgi(dialogue, raw=False),
    "wsgi without REQUEST_URI": lambda dialogue: by_wsgi(dialogue, raw=False),
}


def check(way: str, dialogue: Dialogue, found: Answer | None, told: list[Event]) -> None:
    faults = ["no answer"] if found is None else dialogue.faults(found, told)
    if why := CANNOT[way].get(dialogue.name):
        assert faults, f"it can be said after all; {why!r} is stale"
    else:
        assert not faults, "\n".join(faults)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("dialogue", dialogues(), ids=lambda dialogue: dialogue.name)
def test_a_dialogue_ends_as_it_does_everywhere(dialogue: Dialogue, way: str) -> None:
    check(way, dialogue, *WAYS[way](dialogue))


def test_the_tables_of_what_cannot_be_said_name_dialogues() -> None:
    names = {dialogue.name for dialogue in dialogues()}
    assert all(name in names for table in CANNOT.values() for name in table)


class Served:
    """uvicorn for a table, in a thread with a loop of its own."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self.gate: Any = None
        # uvicorn's own reading of forwarded fields would hide from the gate who connected.
        config = uvicorn.Config(
            self.app,
            interface="asgi3",
            lifespan="off",
            log_level="critical",
            proxy_headers=False,
            root_path=settings.get("below", ""),
        )
        self.server = uvicorn.Server(config)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [self.listener]})
        self.thread.start()
        until(lambda: self.server.started)

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        await self.gate(scope, receive, send)

    def ask(self, dialogue: Dialogue) -> tuple[Answer | None, list[Event]]:
        told: list[Event] = []
        # Each dialogue has a gate of its own: what one ends must not have ended for the next.
        self.gate = AuthGateMiddleware(asgi_dashboard, **keywords(dialogue.settings, told.append))
        with socket.create_connection(self.listener.getsockname(), timeout=10) as connection:
            connection.sendall(dialogue.raw())
            response = http.client.HTTPResponse(connection, method=dialogue.method)
            try:
                response.begin()
            except http.client.HTTPException:
                return None, told
            fields = [
                (name, value) for name, value in response.getheaders() if name not in ("date", "server")
            ]
            return Answer(response.status, fields, response.read()), told

    def stop(self) -> None:
        self.server.should_exit = True
        self.thread.join(timeout=10)
        assert not self.thread.is_alive()


@pytest.fixture(scope="module")
def served() -> Iterator[dict[str, Served]]:
    running: dict[str, Served] = {}
    yield running
    for one in running.values():
        one.stop()


@pytest.mark.parametrize("dialogue", dialogues(), ids=lambda dialogue: dialogue.name)
def test_a_dialogue_over_a_socket_ends_as_it_does_everywhere(
    dialogue: Dialogue, served: dict[str, Served]
) -> None:
    if dialogue.table not in served:
        served[dialogue.table] = Served(dialogue.settings)
    check("uvicorn", dialogue, *served[dialogue.table].ask(dialogue))
