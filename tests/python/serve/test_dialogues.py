"""Every dialogue in `tests/vectors` with the program, over real sockets on either side: each ends as it does in process."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from dialogues import NOW, Cannot, Dialogue, Request, cookie_of, dialogues, must_end_alike
from serve.still import Around, Still, dashboard, publish, still
from serve.upstreams import Upstream

# What the program does otherwise, and why: dialogues, and tables of which none ends alike. What does must leave.
REASONS = {
    "somebody's own backend is asked, and the program has none": [
        "directories::a_proof_that_has_ended_proves_nothing",
        "directories::backends_are_asked_in_order_until_one_knows",
        "directories::t30_a_user_without_an_id_is_nobody",
        "directories::t32_a_backend_that_is_down_is_not_passed_over",
        "keys_then_directory",
        "proxies::t21_scheme_and_host_of_the_proxy_make_our_origin",
        "proxies::t21_the_client_is_the_rightmost_stranger",
        "proxies::t21_the_leftmost_host_does_not_count",
        "proxies::t21_the_other_family_of_fields_is_not_read",
        "strangers::t21_a_client_cannot_choose_its_address",
        "strangers::t21_a_client_cannot_choose_our_origin",
        "waiting::a_route_of_the_directorys_own_is_public",
        "waiting::a_user_that_the_directory_knows_passes",
        "waiting::t08_another_sites_websocket_cannot_ride_on_a_cookie",
        "waiting::t08_our_own_websocket_may_ride_on_a_cookie",
        "waiting::t17_an_unknown_method_is_guarded",
        "waiting::t18_a_sibling_site_is_foreign",
        "waiting::t18_an_unsafe_request_by_cookie_needs_our_origin",
        "waiting::t18_an_unsafe_request_by_cookie_without_any_word_is_refused",
        "waiting::t32_a_directory_that_is_down_throws_nobody_out_and_lets_nobody_in",
        "waiting::t32_a_program_learns_that_it_could_not_be_asked",
        "waiting::the_directory_answers_its_own_login",
        "waiting::the_directory_answers_its_own_logout",
    ],
    "people are in a file, which cannot be down or talk nonsense, and is heard of at once when it changes": [
        "forward_auth::t32_who_cannot_be_asked_is_a_failure_for_the_proxy_too",
        "records::the_record_of_a_user_who_is_gone_is_dropped_once_it_is_due",
        "records_then_others::who_has_no_session_any_more_may_be_known_to_the_directory",
        "roles_of_people::a_role_that_was_taken_away_counts_at_the_next_renewal",
        "sealed::a_new_password_ends_the_sessions_of_the_old_one",
        "sealed::a_user_who_is_gone_has_no_session_once_it_is_due",
        "sealed::t32_who_cannot_be_looked_up_is_neither_let_in_nor_thrown_out",
        "sealed_then_keys",
        "sealed_then_others::who_has_no_session_any_more_may_be_known_to_the_directory",
        "sign_in::t30_a_user_store_that_is_down_lets_nobody_in_and_says_so",
        "sign_in::t30_a_user_without_an_id_is_nobody",
    ],
    "the provider's keys are fetched before a token asks for them": [
        "keys::t32_a_provider_that_is_down_is_no_reason_to_let_anybody_in_or_to_throw_anybody_out",
        "records_then_keys",
        "records_then_others::a_token_of_an_unknown_key_is_kept_for_the_last",
    ],
    "neither this process's memory nor the system's randomness can be down": [
        "records::t28_a_sign_in_that_could_not_be_kept_is_no_failed_try",
        "records::t32_a_renewal_that_cannot_be_kept_or_looked_up_is_none",
        "records::t32_a_session_that_cannot_be_kept_does_not_begin",
        "records::t32_a_sign_out_that_cannot_be_kept_is_no_success_and_no_way_back_in",
        "records::t32_a_store_that_is_down_throws_nobody_out_and_lets_nobody_in",
        "records::t32_an_old_record_that_cannot_be_ended_is_in_the_way_of_a_new_one",
        "sealed::t32_without_random_bytes_nothing_is_sealed",
    ],
    "what gates share is a Redis, which goes by a clock of its own: see tests/several": [
        "shared_records",
        "shared_sealed",
        "shared_then_keys",
        "shared_then_others",
    ],
    "no key of authgate.toml sets these limits: see the table usual_limits": ["throttle", "throttle_behind_a_proxy"],
    "no router is around it that could cut anything off a path": ["nested"],
}
OTHERWISE = {name: why for why, names in REASONS.items() for name in names}

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
                answer, _ = gate.ask(Request.of(SIGN_IN, "username=ada&password=right"), since, frozenset())
                sessions[since] = cookie_of(answer)
        yield gates


@pytest.mark.parametrize("dialogue", dialogues("program"), ids=lambda dialogue: dialogue.name)
def test_a_dialogue_with_the_program_ends_as_it_does_everywhere(dialogue: Dialogue, gates: Gates) -> None:
    try:
        with gates.one_for(dialogue) as gate:
            faults = dialogue.faults(gate)
    except Cannot as why:
        faults = [str(why)]
    must_end_alike(dialogue, faults, OTHERWISE)


def test_what_the_program_does_otherwise_are_dialogues() -> None:
    assert OTHERWISE.keys() <= {name for dialogue in dialogues("program") for name in (dialogue.name, dialogue.table)}
