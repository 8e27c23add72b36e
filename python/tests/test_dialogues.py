"""Every dialogue in `tests/vectors`, through ASGI, WSGI, and uvicorn on a socket: each ends as in Rust."""

from __future__ import annotations

import asyncio
import http.client
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from functools import partial
from typing import Any

import pytest
import uvicorn
from authgate import AuthGateMiddleware
from authgate.wsgi import AuthGate

import world
from dialogues import Cannot, Dialogue, Otherwise, Request, Told, Visit, cannot, dialogues, must_end_alike
from rote import World, keywords
from servers import until
from world import Answer, ask_asgi, ask_wsgi, asgi_dashboard, environ_of, scope_of, socket_of, wsgi_dashboard

NO_ESCAPES = "it is about the escapes that were sent, and nobody tells them"
JOINED = "a server joins repeated fields into one"
UNFAILING = "the system's randomness does not fail"
GIVEN = "a provider's keys are known here from the first, as it is the system's clock that they are fetched by"
ANY_KEY = "of keys that are given each is tried, whatever a token calls its own"
NO_AUTHORITY = "a server tells the target without its authority, so that one of two names is left"
NO_TIME = "a backend tells who it is, and not for how long"
REFUSED = "uvicorn refuses a method in lower case before anybody is asked"
CUT = "uvicorn answers nobody who has stopped in the middle"

# The token proves who it is before the session is looked at, which leaves nothing on the answer.
SOONER = Otherwise(GIVEN, frozenset({"cache-control", "set-cookie", "vary"}))

EVERYWHERE = {
    "forward_auth": cannot("no keyword says forward_auth, rules"),
    "forward_auth_of_others": cannot("no keyword says forward_auth"),
    "networks": cannot("no keyword says allowed_networks"),
    "rules": cannot("no keyword says rules"),
    "tls": cannot("no keyword says require_tls"),
    "directories::a_proof_that_has_ended_proves_nothing": cannot(NO_TIME),
    "hosts::t20_target_and_field_must_name_the_same_host": Otherwise(NO_AUTHORITY, frozenset({"audit's detail"})),
    "records::t32_a_session_that_cannot_be_kept_does_not_begin": cannot(UNFAILING),
    "sealed::t32_without_random_bytes_nothing_is_sealed": cannot(UNFAILING),
    "keys::t32_a_provider_that_is_down_is_no_reason_to_let_anybody_in_or_to_throw_anybody_out": cannot(GIVEN),
    "keys::a_key_that_the_provider_does_not_have_makes_one_fetch_and_no_more": cannot(ANY_KEY),
    "keys_then_directory": cannot(ANY_KEY),
    "records_then_keys": SOONER,
    "records_then_others::a_token_of_an_unknown_key_is_kept_for_the_last": SOONER,
    "sealed_then_keys": SOONER,
    "shared_then_keys": SOONER,
}
ABOUT_ESCAPES = {
    **dict.fromkeys(
        [
            "next::t01_a_good_path_is_kept_byte_for_byte",
            "next::t02_path_and_query_survive_exactly",
            "sign_in::a_deep_link_leads_to_the_login_and_says_where_it_led",
        ],
        Otherwise(NO_ESCAPES, frozenset({"audit's line", "location"})),
    ),
    **dict.fromkeys(
        [
            "next::t01_a_path_that_climbs_is_not_come_back_to",
            "next::t03_line_breaks_in_a_path_reach_no_header",
            "paths::t09_an_escaped_backslash_is_not_public",
            "paths::t09_an_escaped_slash_is_not_public",
            "paths::t09_escaped_dots_never_lead_out_of_a_public_prefix",
        ],
        Otherwise(NO_ESCAPES, frozenset({"audit's line"})),
    ),
}
REPEATED = {"answers::t40_several_authorization_fields_prove_nothing": Otherwise(JOINED, frozenset({"audit's detail", "audit's reason"}))}
# What a way of asking cannot say or says otherwise: dialogues, and tables of which that is true throughout. What is not must leave.
OTHERWISE: dict[str, dict[str, Otherwise]] = {
    "asgi": EVERYWHERE,
    "wsgi": {**EVERYWHERE, **REPEATED},
    "asgi without raw_path": {**EVERYWHERE, **ABOUT_ESCAPES},
    "wsgi without REQUEST_URI": {**EVERYWHERE, **ABOUT_ESCAPES, **REPEATED},
    "uvicorn": {
        **EVERYWHERE,
        "paths::t17_a_method_in_another_case_is_another_method": cannot(REFUSED),
        "sealed::t29_a_form_that_breaks_off_is_refused": cannot(CUT),
    },
}


class Door:
    """A gate for one dialogue, and a way to put requests to it."""

    untold = frozenset[str]()

    def __init__(self, dialogue: Dialogue) -> None:
        self.below: str = dialogue.settings.get("below", "")
        self.world = World()
        self.keywords = keywords(dialogue.settings, self.world)

    def session(self, since: int) -> str:
        return world.session(since)

    def ask(self, request: Request, now: int, visit: Visit) -> tuple[Answer, list[Told]]:
        for question, why in {"DrawBytes": UNFAILING, "FetchKeys": GIVEN}.items():
            if question in visit.down:
                raise Cannot(why)
        if ("Cookie", "session=past") in request.headers:
            raise Cannot(NO_TIME)
        if "{es256-stranger}" in visit.wanted["request"]:
            raise Cannot(ANY_KEY)
        self.world.clock.now, self.world.down = now, visit.down
        return self.put(request), self.world.told(self.below)

    def put(self, request: Request) -> Answer:
        raise NotImplementedError


class Asgi(Door):
    """A server calls it."""

    def __init__(self, dialogue: Dialogue, *, raw: bool = True) -> None:
        super().__init__(dialogue)
        self.raw = raw
        self.gate = AuthGateMiddleware(asgi_dashboard, **self.keywords)

    def put(self, request: Request) -> Answer:
        target = self.below + request.relative
        if request.is_websocket:
            scope = socket_of(target, request.headers, root_path=self.below)
        else:
            scope = scope_of(request.method, target, request.headers, root_path=self.below)
        if not self.raw:
            del scope["raw_path"]
        return asyncio.run(ask_asgi(self.gate, scope, request.body, is_cut=request.is_cut))


class Wsgi(Door):
    """A server calls it, and tells less."""

    def __init__(self, dialogue: Dialogue, *, raw: bool = True) -> None:
        super().__init__(dialogue)
        self.raw = raw
        self.gate = AuthGate(wsgi_dashboard, **self.keywords)

    def put(self, request: Request) -> Answer:
        environ = environ_of(request.method, request.relative, request.headers, request.body)
        environ["SCRIPT_NAME"] = self.below
        environ["REQUEST_URI"] = self.below + environ["REQUEST_URI"]
        if not self.raw:
            del environ["REQUEST_URI"]
        return ask_wsgi(self.gate, environ)


WAYS: dict[str, Callable[[Dialogue], Door]] = {
    "asgi": Asgi,
    "wsgi": Wsgi,
    "asgi without raw_path": partial(Asgi, raw=False),
    "wsgi without REQUEST_URI": partial(Wsgi, raw=False),
}


def check(dialogue: Dialogue, way: str, make: Callable[[Dialogue], Door]) -> None:
    must_end_alike(dialogue, lambda: nullcontext(make(dialogue)), OTHERWISE[way])


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("dialogue", dialogues("asgi"), ids=lambda dialogue: dialogue.name)
def test_a_dialogue_ends_as_it_does_everywhere(dialogue: Dialogue, way: str) -> None:
    check(dialogue, way, WAYS[way])


def test_the_tables_of_what_is_otherwise_name_dialogues() -> None:
    names = {name for dialogue in dialogues("asgi") for name in (dialogue.name, dialogue.table)}
    assert all(name in names for table in OTHERWISE.values() for name in table)


class Served:
    """uvicorn at some `root_path`, in a thread with a loop of its own."""

    def __init__(self, below: str) -> None:
        self.gate: Any = None
        # uvicorn's own reading of forwarded fields would hide from the gate who connected.
        config = uvicorn.Config(
            self.app,
            interface="asgi3",
            lifespan="off",
            log_level="critical",
            proxy_headers=False,
            root_path=below,
        )
        self.server = uvicorn.Server(config)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [self.listener]})
        self.thread.start()
        until(lambda: self.server.started)

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        await self.gate(scope, receive, send)

    def stop(self) -> None:
        self.server.should_exit = True
        self.thread.join(timeout=10)
        assert not self.thread.is_alive()


class OverASocket(Door):
    """uvicorn calls it."""

    def __init__(self, served: dict[str, Served], dialogue: Dialogue) -> None:
        super().__init__(dialogue)
        if self.below not in served:
            served[self.below] = Served(self.below)
        self.served = served[self.below]
        self.served.gate = AuthGateMiddleware(asgi_dashboard, **self.keywords)

    def put(self, request: Request) -> Answer:
        with socket.create_connection(self.served.listener.getsockname(), timeout=10) as connection:
            connection.sendall(request.raw())
            if request.is_cut:
                connection.shutdown(socket.SHUT_WR)
            response = http.client.HTTPResponse(connection, method=request.method)
            try:
                response.begin()
            except http.client.HTTPException as why:
                if request.is_cut:
                    raise Cannot(CUT) from why
                raise
            if response.status == 400 and request.method.islower() and not self.world.events:
                raise Cannot(REFUSED)
            return Answer(response.status, response.getheaders(), response.read())


@pytest.fixture(scope="module")
def served() -> Iterator[dict[str, Served]]:
    running: dict[str, Served] = {}
    yield running
    for one in running.values():
        one.stop()


@pytest.mark.parametrize("dialogue", dialogues("uvicorn"), ids=lambda dialogue: dialogue.name)
def test_a_dialogue_over_a_socket_ends_as_it_does_everywhere(
    dialogue: Dialogue, served: dict[str, Served]
) -> None:
    check(dialogue, "uvicorn", partial(OverASocket, served))
