//! The dialogues are about everything that there is: each way to ask and each way to be refused, each threat, each flow,
//! each reason in the audit trail, and each question that nobody answers.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::collections::BTreeSet;
use std::fs;

use authgate_tests::dialogue::{Dialogue, Table, Visit, folder, kinds, tables};
use authgate_tests::steps::successors;

/// Whether a request asks in some way.
type Is = fn(&str) -> bool;

/// Who asks, and how that shows: the README's "Who gets which answer".
const ROWS: [(&str, &str, Is); 7] = [
    ("a navigation", "page", |request| !request.contains("Accept: */*")),
    ("whoever accepts everything", "page", |request| request.contains("Accept: */*")),
    ("HTMX", "htmx", |_| true),
    ("an API call", "api", |request| request.contains("Accept: application/json")),
    ("an event stream", "api", |request| request.contains("Accept: text/event-stream")),
    ("a script of a page", "api", |request| request.contains("Sec-Fetch-Mode: cors")),
    ("a websocket", "websocket", |_| true),
];

const COLUMNS: [&str; 4] = ["not-signed-in", "not-allowed", "throttled", "unavailable"];

/// What a client gets: the status, the kinds of body, and the fields that matter.
type Answer = (u16, &'static [&'static str], &'static [&'static str]);

/// The fields that lead somewhere or say how to come in. What is not named in an answer must not be there.
const LEADING: [&str; 4] = ["location", "hx-redirect", "www-authenticate", "retry-after"];

fn answer(client_kind: &str, reason: &str) -> Answer {
    match (client_kind, reason) {
        ("page", "not-signed-in") => (303, &["empty"], &["location"]),
        ("htmx", "not-signed-in") => (401, &["text"], &["hx-redirect", "www-authenticate"]),
        (_, "not-signed-in") => (401, &["text"], &["www-authenticate"]),
        ("page", "not-allowed") => (403, &["page"], &[]),
        (_, "not-allowed") => (403, &["text"], &[]),
        ("page", "throttled") => (429, &["login"], &["retry-after"]),
        (_, "throttled") => (429, &["text"], &["retry-after"]),
        ("page", "unavailable") => (503, &["page", "login"], &[]),
        (_, "unavailable") => (503, &["text"], &[]),
        other => panic!("no column of the table: {other:?}"),
    }
}

/// Threats that no request shows, and the tests that do.
const THREATS_ELSEWHERE: [(&str, &str, &str); 3] = [
    ("t13", "adapters/tower/tests/stories/t13_streams_end.rs", "t13_a_silent_stream_is_woken_to_end"),
    (
        "t26",
        "python/tests/test_servers.py",
        "test_t26_several_workers_do_not_start_with_sessions_of_one_process",
    ),
    ("t35", "tests/tests/tokens.rs", "t35_no_option_turns_the_signature_off"),
];

/// Reasons that no request to these gates has, and why.
const REASONS_ELSEWHERE: [(&str, &str); 7] = [
    ("token-too-long", "a head may be no longer than a token, so it is refused before"),
    ("upstream-unreachable", PROXY),
    ("upstream-timed-out", PROXY),
    ("upstream-broken", PROXY),
    ("body-too-large", PROXY),
    ("body-stalled", PROXY),
    ("admission-ended", PROXY),
];

const PROXY: &str = "no server is behind these gates; the proxy's suite has it";

/// Dialogues that are not for every driver; see the comment at each.
const NOT_FOR_ALL: [&str; 1] = ["t39_a_head_beyond_64_kib_is_refused_whatever_is_in_it"];

type Shows = fn(&Table, &Dialogue) -> bool;

/// What people live through.
const FLOWS: [(&str, Shows); 16] = [
    ("somebody signs in and is let in", |_, it| it.visits().any(|v| v.reason == "sign-in") && let_in(it)),
    ("somebody signs out and is out", |_, it| {
        it.visits().any(|v| v.reason == "sign-out") && it.visits().any(|v| v.reason == "session-signed-out")
    }),
    ("somebody signs in as somebody else", |_, it| {
        let users: BTreeSet<_> = it.visits().filter(|v| v.reason == "sign-in").map(|v| &v.user).collect();
        users.len() > 1 && it.visits().any(|v| v.reason == "sign-in" && v.request.contains("{cookie"))
    }),
    ("a session is unused for too long", |_, it| it.visits().any(|v| v.reason == "session-idle")),
    ("a session is as old as it may become", |_, it| it.visits().any(|v| v.reason == "session-ended")),
    ("a sealed session is renewed", |_, it| renewed(it, "DrawBytes")),
    ("a record is renewed", |_, it| renewed(it, "RenewSession")),
    ("a user has changed", |_, it| it.visits().any(|v| v.reason == "session-user-changed")),
    ("somebody must wait before the next try, and then gets in", |_, it| {
        it.visits().any(|v| v.status == 429 && v.headers.contains_key("retry-after"))
            && it.visits().any(|v| v.after > 0 && v.reason == "sign-in")
    }),
    ("a role is needed", |table, it| !table.gate.roles.is_empty() && let_in(it)),
    ("a role is lost", |table, it| {
        !table.gate.roles.is_empty() && let_in(it) && it.visits().any(|v| v.reason == "not-allowed")
    }),
    ("rules decide", |table, it| !table.gate.rules.is_empty() && let_in(it)),
    ("a network is proof enough", |_, it| it.visits().any(|v| v.reason == "network")),
    ("nginx asks", |_, it| it.visits().any(|v| v.status == 204 && v.request.contains("/auth-request "))),
    ("Caddy or Traefik asks", |_, it| {
        it.visits().any(|v| v.status == 204 && v.request.contains("/forward-auth "))
    }),
    ("a cookie is for TLS alone", |_, it| {
        it.visits().any(|v| format!("{:?}", v.headers).contains("__Host-"))
    }),
];

fn let_in(dialogue: &Dialogue) -> bool {
    dialogue.visits().any(|visit| visit.reason == "signed-in")
}

fn renewed(dialogue: &Dialogue, by: &str) -> bool {
    dialogue.visits().any(|visit| visit.reason == "signed-in" && asked(visit).any(|question| question == by))
}

fn asked(visit: &Visit) -> impl Iterator<Item = &str> {
    visit.asked.iter().flatten().map(String::as_str)
}

/// The visits to gates that answer clients themselves, and no proxy on their behalf, with the names of their dialogues.
fn visits(tables: &[(String, Table)]) -> impl Iterator<Item = (&str, &Visit)> {
    let tables = tables.iter().filter(|(_, table)| !table.gate.forward_auth);
    let dialogues = tables.flat_map(|(_, table)| &table.dialogue);
    dialogues.flat_map(|dialogue| dialogue.visits().map(|visit| (dialogue.name.as_str(), visit)))
}

#[test]
fn every_way_to_ask_meets_every_way_to_be_refused() {
    let tables = tables();
    let mut missing = Vec::new();
    for (row, client_kind, is) in ROWS {
        for column in COLUMNS {
            let mut cell = visits(&tables).filter(|(_, visit)| visit.reason == column);
            if !cell.any(|(_, visit)| visit.client_kind == client_kind && is(&visit.request)) {
                missing.push(format!("{row} × {column}"));
            }
        }
    }
    assert!(missing.is_empty(), "no dialogue has {missing:#?}");
}

#[test]
fn whoever_is_refused_gets_the_answer_of_the_table() {
    let tables = tables();
    for (name, visit) in visits(&tables).filter(|(_, visit)| COLUMNS.contains(&visit.reason.as_str())) {
        let (status, kinds, fields) = answer(&visit.client_kind, &visit.reason);
        let kind = visit.kind.as_deref().unwrap();
        assert_eq!(visit.status, status, "{name}: {} for {}", visit.reason, visit.client_kind);
        assert!(kinds.contains(&kind), "{name}: a body of kind {kind}, not of {kinds:?}");
        for field in LEADING {
            assert_eq!(visit.headers.contains_key(field), fields.contains(&field), "{name}: {field}");
        }
    }
}

#[test]
fn every_threat_is_shown_by_a_dialogue_or_named_where_it_is() {
    let tables = tables();
    let names: Vec<_> =
        tables.iter().flat_map(|(_, table)| &table.dialogue).map(|it| it.name.as_str()).collect();
    for threat in (1..=40).map(|number| format!("t{number:02}")) {
        let shown = names.iter().any(|name| name.starts_with(&format!("{threat}_")));
        match THREATS_ELSEWHERE.iter().find(|(elsewhere, ..)| *elsewhere == threat) {
            None => assert!(shown, "no dialogue shows {threat}"),
            Some((_, file, test)) => {
                assert!(!shown, "a dialogue shows {threat} after all");
                let source = fs::read_to_string(folder().join("..").join(file)).unwrap();
                assert!(source.contains(&format!(" {test}(")), "{file} has no test {test}");
            }
        }
    }
}

#[test]
fn every_flow_is_gone_through() {
    let tables = tables();
    for (flow, shows) in FLOWS {
        let mut dialogues =
            tables.iter().flat_map(|(_, table)| table.dialogue.iter().map(move |it| (table, it)));
        assert!(dialogues.any(|(table, it)| shows(table, it)), "in no dialogue {flow}");
    }
}

#[test]
fn every_reason_is_told_in_a_dialogue_or_named_with_why_not() {
    let told: BTreeSet<_> = tables()
        .iter()
        .flat_map(|(_, table)| &table.dialogue)
        .flat_map(Dialogue::visits)
        .map(|visit| visit.reason.clone())
        .collect();
    let elsewhere: BTreeSet<_> = REASONS_ELSEWHERE.iter().map(|(slug, _)| (*slug).to_owned()).collect();
    let all = slugs();
    assert!(all.len() > 45, "these cannot be all reasons: {all:?}");
    let untold: Vec<_> =
        all.iter().filter(|slug| !told.contains(*slug) && !elsewhere.contains(*slug)).collect();
    assert!(untold.is_empty(), "no dialogue ends with {untold:?}");
    let unknown: Vec<_> = told.union(&elsewhere).filter(|slug| !all.contains(*slug)).collect();
    assert!(unknown.is_empty(), "the core has no {unknown:?}");
    assert!(told.is_disjoint(&elsewhere), "a dialogue ends with one of {elsewhere:?} after all");
}

/// All short names that the core's sources give to reasons.
fn slugs() -> BTreeSet<String> {
    let sources = [
        ("event.rs", "slug"),
        ("denial.rs", "slug"),
        ("jwt/fault.rs", "slug"),
        ("session/mod.rs", "words"),
        ("upstream/unanswered.rs", "slug"),
    ];
    let mut all = BTreeSet::new();
    for (file, function) in sources {
        let text = fs::read_to_string(folder().join("../core/src").join(file)).unwrap();
        let body = text.split_once(&format!("fn {function}(")).unwrap().1.split("\n    }\n").next().unwrap();
        let literals = body.split('"').skip(1).step_by(2);
        let is_slug = |text: &&str| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
        all.extend(literals.filter(is_slug).map(str::to_owned));
    }
    all
}

#[test]
fn every_question_goes_unanswered_somewhere() {
    let tables = tables();
    for question in successors().keys().filter(|name| *name != "begin") {
        let is_down =
            |visit: &Visit| visit.down.contains(question) && asked(visit).any(|name| name == question);
        assert!(visits(&tables).any(|(_, visit)| is_down(visit)), "nobody asks {question} in vain");
    }
    for (name, visit) in visits(&tables).filter(|(_, visit)| !visit.down.is_empty()) {
        let is_to_blame = asked(visit).last().is_some_and(|last| visit.down.iter().any(|down| down == last));
        assert!(visit.reason != "unavailable" || is_to_blame, "{name} fails without {:?}", visit.down);
        let is_question = visit.down.iter().all(|down| successors().contains_key(down));
        assert!(is_question, "{name}: there is no such question as one of {:?}", visit.down);
    }
}

#[test]
fn every_kind_of_body_is_answered_and_names_are_told_apart() {
    let tables = tables();
    let all = || tables.iter().flat_map(|(_, table)| &table.dialogue);
    let used: BTreeSet<_> =
        all().flat_map(Dialogue::visits).filter_map(|visit| visit.kind.as_ref()).collect();
    assert_eq!(used, kinds().keys().collect(), "kinds.toml has others");
    for (file, table) in &tables {
        let names: BTreeSet<_> = table.dialogue.iter().map(|it| &it.name).collect();
        assert_eq!(names.len(), table.dialogue.len(), "a name stands twice in {file}");
    }
    let picky: Vec<_> = all().filter(|it| !it.only.is_empty()).map(|it| it.name.as_str()).collect();
    assert_eq!(picky, NOT_FOR_ALL, "a dialogue is for every driver, or named with a reason");
}
