"""Every dialogue in `tests/vectors` with the program, over real sockets on either side: each ends as it does in process."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dialogues import (
    LET_IN,
    NOW,
    Dialogue,
    Otherwise,
    Request,
    Told,
    Visit,
    cannot,
    cookie_of,
    dialogues,
    must_end_alike,
)
from serve.still import (
    NO_BACKEND,
    NO_LIMITS,
    NO_REDIS,
    NO_ROUTER,
    SAME_PEOPLE,
    SURE_KEYS,
    SURE_MEMORY,
    SURE_PEOPLE,
    Around,
    Still,
    dashboard,
    publish,
    still,
)
from serve.upstreams import Upstream
from support.wire import Reply

# What the program cannot be told or asked, and why: dialogues, and tables of which that is true throughout.
CANNOT_BE = {
    NO_BACKEND: [
        "directories",
        "keys_then_directory",
        "records_then_others",
        "sealed_then_others",
        "waiting::a_route_of_the_directorys_own_is_public",
        "waiting::a_user_that_the_directory_does_not_know_is_led_to_the_login",
        "waiting::a_user_that_the_directory_knows_passes",
        "waiting::t08_another_sites_websocket_cannot_ride_on_the_directorys_cookie",
        "waiting::t08_our_own_websocket_may_ride_on_the_directorys_cookie",
        "waiting::t18_an_unsafe_request_by_the_directorys_cookie_needs_our_origin",
        "waiting::t18_an_unsafe_request_by_the_directorys_cookie_without_any_word_is_refused",
        "waiting::t32_a_directory_that_is_down_throws_nobody_out_and_lets_nobody_in",
        "waiting::t32_a_program_learns_that_it_could_not_be_asked",
        "waiting::the_directory_answers_its_own_login",
        "waiting::the_directory_answers_its_own_logout",
    ],
    SURE_PEOPLE: [
        "forward_auth::t32_who_cannot_be_asked_is_a_failure_for_the_proxy_too",
        "sealed::t32_who_cannot_be_looked_up_is_neither_let_in_nor_thrown_out",
        "sign_in::t30_a_user_store_that_is_down_lets_nobody_in_and_says_so",
        "sign_in::t30_a_user_without_an_id_is_nobody",
    ],
    SAME_PEOPLE: [
        "records::the_record_of_a_user_who_is_gone_is_dropped_once_it_is_due",
        "records_then_keys::a_token_beside_the_session_of_a_user_who_is_gone_is_enough",
        "roles_of_people::a_role_that_was_taken_away_counts_at_the_next_renewal",
        "sealed::a_new_password_ends_the_sessions_of_the_old_one",
        "sealed::a_user_who_is_gone_has_no_session_once_it_is_due",
        "sealed_then_keys",
    ],
    SURE_KEYS: ["keys::t32_a_provider_that_is_down_is_no_reason_to_let_anybody_in_or_to_throw_anybody_out"],
    SURE_MEMORY: [
        "records::t28_a_sign_in_that_could_not_be_kept_is_no_failed_try",
        "records::t32_a_renewal_that_cannot_be_kept_or_looked_up_is_none",
        "records::t32_a_session_that_cannot_be_kept_does_not_begin",
        "records::t32_a_sign_out_that_cannot_be_kept_is_no_success_and_no_way_back_in",
        "records::t32_a_store_that_is_down_throws_nobody_out_and_lets_nobody_in",
        "records::t32_an_old_record_that_cannot_be_ended_is_in_the_way_of_a_new_one",
        "sealed::t32_without_random_bytes_nothing_is_sealed",
    ],
    NO_REDIS: ["shared_records", "shared_sealed", "shared_then_keys", "shared_then_others"],
    NO_LIMITS: ["throttle", "throttle_behind_a_proxy"],
    NO_ROUTER: ["nested"],
}
OTHERWISE = {
    **{name: cannot(why) for why, names in CANNOT_BE.items() for name in names},
    # So the token proves who it is before the session is looked at.
    "records_then_keys::a_token_beside_a_record_that_is_unknown_is_enough": Otherwise(
        SURE_KEYS, frozenset({"cache-control", "set-cookie", "vary"})
    ),
}

SIGN_IN = "POST /ops/login HTTP/1.1\nHost: dash.example\nOrigin: http://dash.example"


class Gates:
    """The gates of all tables on one runtime."""

    def __init__(self, around: Around, folder: Path, opened: ExitStack) -> None:
        self.around = around
        self.folder = folder
        self.opened = opened
        self.lasting: dict[str, Still] = {}
        self.started = 0

    @contextmanager
    def start(self, settings: Mapping[str, Any]) -> Iterator[Still]:
        self.started += 1
        folder = self.folder / str(self.started)
        folder.mkdir()
        with still(settings, self.around, folder) as gate:
            yield gate

    @contextmanager
    def one_for(self, dialogue: Dialogue) -> Iterator[Still]:
        """A gate that no other dialogue has changed. Those that change nothing share one, as starting it takes longest."""
        if changes_something(dialogue):
            with self.start(dialogue.settings) as gate:
                yield gate
            return
        settings = json.dumps(dialogue.settings)
        if settings not in self.lasting:
            self.lasting[settings] = self.opened.enter_context(self.start(dialogue.settings))
        yield self.lasting[settings]


def changes_something(dialogue: Dialogue) -> bool:
    """Whether a gate may be another one afterwards: somebody signs in or out, or tries to, or time passes."""
    visits = dialogue.visits
    return len(visits) > 1 or visits[0].after > 0 or "form" in visits[0].wanted or "/logout" in visits[0].wanted["request"]


@pytest.fixture(scope="module")
def gates(runtime: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gates]:
    with ExitStack() as opened:
        behind = opened.enter_context(Upstream(otherwise=dashboard))
        provider = opened.enter_context(Upstream(otherwise=publish))
        sessions: dict[int, str] = {}
        gates = Gates(Around(runtime, behind, provider, sessions), tmp_path_factory.mktemp("gates"), opened)
        with gates.start({"backends": ["password"]}) as gate:
            for since in (NOW, NOW - 31 * 60):
                answer, _ = gate.ask(Request.of(SIGN_IN, "username=ada&password=right"), since, Visit({}))
                sessions[since] = cookie_of(answer)
        yield gates


@pytest.mark.parametrize("dialogue", dialogues("program"), ids=lambda dialogue: dialogue.name)
def test_a_dialogue_with_the_program_ends_as_it_does_everywhere(dialogue: Dialogue, gates: Gates) -> None:
    must_end_alike(dialogue, lambda: gates.one_for(dialogue), OTHERWISE)


class LetsIn:
    """Passes everybody on as Ada, whatever the dialogue says."""

    untold = frozenset[str]()

    def session(self, since: int) -> str:
        return "authgate=x"

    def ask(self, request: Request, now: int, visit: Visit) -> tuple[Reply, list[Told]]:
        told = replace(visit.told(request), outcome="forward", reason="signed-in", user="ada")
        seen = [("X-Seen-User", "Ada"), ("X-Seen-Rights", "")]
        return Reply(200, seen, b"passed: "), [told]


def test_nothing_excuses_whoever_lets_somebody_in() -> None:
    refused = next(one for one in dialogues("program") if one.name == "answers::a_page_is_led_to_the_login")
    names = {fault.name for fault in refused.faults(LetsIn())}
    assert LET_IN in names
    with pytest.raises(AssertionError):
        Otherwise("it lets everybody in", frozenset(names))
    others = {refused.name: Otherwise("it lets everybody in", frozenset(names - {LET_IN}))}
    with pytest.raises(AssertionError, match=LET_IN):
        must_end_alike(refused, lambda: nullcontext(LetsIn()), others)


def test_what_is_otherwise_with_the_program_are_dialogues() -> None:
    assert OTHERWISE.keys() <= {name for dialogue in dialogues("program") for name in (dialogue.name, dialogue.table)}
