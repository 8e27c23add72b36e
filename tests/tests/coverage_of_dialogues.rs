//! The dialogues are about everything that there is: each way to ask and each way to be refused, each threat, each flow,
//! each reason in the audit trail, and each question that nobody answers.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::collections::BTreeSet;
use std::fs;

use authgate_tests::dialogue::{Dialogue, Table, Visit, folder, kinds, reasons, tables};
use authgate_tests::steps::successors;

/// Who asks, and how that shows, in the words of the README's "Who gets which answer": the kind in the audit trail, and the
/// header fields that are sent (one of those between `|`), or those that are not (`!`).
const ROWS: [(&str, &str, &[&str]); 8] = [
    ("a navigation", "page", &["Sec-Fetch-Mode: navigate", "Accept: text/html"]),
    ("whoever accepts everything", "page", &["Accept: */*", "!Sec-Fetch-Mode:"]),
    ("whoever says nothing of it", "page", &["!Accept:", "!Sec-Fetch-Mode:"]),
    ("HTMX", "htmx", &["HX-Request: true"]),
    ("an API call", "api", &["Accept: application/json"]),
    ("an event stream", "api", &["Accept: text/event-stream"]),
    (
        "a script of a page",
        "api",
        &["Sec-Fetch-Mode: cors", "!Accept: application/json", "!Accept: text/event-stream"],
    ),
    // A handshake is a GET, and so no try to sign in: a browser that posts a form with this mode is the nearest there is.
    ("a websocket", "websocket", &["Upgrade: websocket|Sec-Fetch-Mode: websocket"]),
];

/// Whether a request has these fields, each of which is a line of it or the beginning of one.
fn asks_so(request: &str, fields: &[&str]) -> bool {
    let has = |field: &str| {
        field.split('|').any(|field| request.lines().skip(1).any(|line| line.starts_with(field)))
    };
    fields.iter().all(|field| field.strip_prefix('!').map_or_else(|| has(field), |absent| !has(absent)))
}

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

/// What people live through. Each sign is all of what its words say: the visits in their order, by the same session.
const FLOWS: [(&str, Shows); 17] = [
    ("somebody signs in and is let in", |_, it| {
        in_order(it, |in_, then| signs_in(in_) && lets_in(then) && by_cookie(then) && then.user == in_.user)
    }),
    ("somebody signs out and is out", |_, it| {
        in_order(it, |out, then| {
            out.reason == "sign-out" && then.reason == "session-signed-out" && by_same_cookie(out, then)
        })
    }),
    ("somebody signs in as somebody else", |_, it| {
        in_order(it, |one, other| {
            signs_in(one) && signs_in(other) && by_cookie(other) && one.user != other.user
        })
    }),
    ("a session is unused for too long", |_, it| {
        in_order(it, |used, then| by_cookie_or_begins(used) && then.after > 0 && ends(then, "session-idle"))
    }),
    ("a session is as old as it may become", |_, it| {
        in_order(it, |used, then| lets_in(used) && then.after > 0 && ends(then, "session-ended"))
    }),
    ("a sealed session is renewed", |table, it| {
        table.gate.sessions == "sealed" && it.visits().any(|v| renews(v, "DrawBytes") && sets(v, "authgate="))
    }),
    ("a record is renewed", |table, it| {
        table.gate.sessions == "records" && it.visits().any(|v| renews(v, "RenewSession"))
    }),
    ("a user has changed", |_, it| {
        in_order(it, |before, then| {
            signs_in(before) && ends(then, "session-user-changed") && asks(then, "LookUpUser")
        })
    }),
    ("somebody must wait before the next try, and then gets in", |_, it| {
        in_order(it, |early, then| {
            early.reason == "throttled" && then.after > 0 && signs_in(then) && then.user == early.user
        })
    }),
    ("who has a role that is needed is let in", |table, it| it.visits().any(|v| has_role(table, v))),
    ("who lacks all roles that are needed is refused", |table, it| {
        !table.gate.roles.is_empty() && it.visits().any(|v| v.reason == "not-allowed" && v.user.is_some())
    }),
    ("a role is lost", |table, it| {
        in_order(it, |with, without| {
            let is_refused = without.reason == "not-allowed" && asks(without, "LookUpUser");
            has_role(table, with) && is_refused && without.user == with.user
        })
    }),
    ("rules let somebody do one thing and not another", |table, it| {
        let does = |reason: &str| it.visits().find(|v| v.reason == reason).and_then(|v| v.user.as_ref());
        !table.gate.rules.is_empty()
            && does("signed-in").is_some()
            && does("signed-in") == does("not-allowed")
    }),
    ("a network is proof enough", |_, it| {
        it.visits().any(|v| v.reason == "network" && v.outcome == "forward" && v.user.is_none())
    }),
    ("nginx asks", |table, it| it.visits().any(|v| is_told_of(table, v, "/ops/authgate/auth-request "))),
    ("Caddy or Traefik asks", |table, it| {
        it.visits().any(|v| is_told_of(table, v, "/ops/authgate/forward-auth "))
    }),
    ("a cookie is for TLS alone, and lets in", |_, it| {
        in_order(it, |in_, then| {
            let is_secure = sets(in_, "__Host-authgate=") && sets(in_, "; Secure");
            signs_in(in_) && is_secure && lets_in(then) && by_cookie(then)
        })
    }),
];

/// Whether two visits, of which the second comes later, are in some relation.
fn in_order(dialogue: &Dialogue, are: impl Fn(&Visit, &Visit) -> bool) -> bool {
    let visits: Vec<_> = dialogue.visits().collect();
    (0..visits.len()).any(|at| visits[at + 1..].iter().any(|later| are(visits[at], later)))
}

fn signs_in(visit: &Visit) -> bool {
    visit.reason == "sign-in" && visit.user.is_some() && sets(visit, "authgate=")
}

/// By a proof of who it is, and not merely because a path is public.
fn lets_in(visit: &Visit) -> bool {
    visit.reason == "signed-in" && visit.outcome == "forward" && visit.user.is_some()
}

fn ends(visit: &Visit, reason: &str) -> bool {
    visit.reason == reason && by_cookie(visit)
}

/// Whether a session lets somebody in that is kept for longer meanwhile.
fn renews(visit: &Visit, question: &str) -> bool {
    lets_in(visit) && by_cookie(visit) && asks(visit, question)
}

fn has_role(table: &Table, visit: &Visit) -> bool {
    let is_needed = |right: &String| {
        right.strip_prefix("role:").is_some_and(|role| table.gate.roles.iter().any(|needed| needed == role))
    };
    lets_in(visit) && visit.rights.iter().any(is_needed)
}

/// Whether a proxy asks about a request in its own way, and learns that somebody may pass.
fn is_told_of(table: &Table, visit: &Visit, path: &str) -> bool {
    let is_asked = table.gate.forward_auth && visit.about.is_some() && visit.request.contains(path);
    is_asked && (visit.status, visit.reason.as_str()) == (204, "signed-in")
}

/// The placeholders of sessions that a request shows.
fn sessions(visit: &Visit) -> Vec<&str> {
    let places = visit.request.split('{').skip(1).filter_map(|rest| rest.split('}').next());
    places.filter(|name| name.starts_with("cookie") || matches!(*name, "session" | "idle")).collect()
}

fn by_cookie(visit: &Visit) -> bool {
    !sessions(visit).is_empty()
}

fn by_cookie_or_begins(visit: &Visit) -> bool {
    signs_in(visit) || lets_in(visit) && by_cookie(visit)
}

fn by_same_cookie(one: &Visit, other: &Visit) -> bool {
    by_cookie(one) && sessions(one) == sessions(other)
}

/// Whether a cookie that is set has this in it.
fn sets(visit: &Visit, text: &str) -> bool {
    visit.headers.get("set-cookie").is_some_and(|set| set.all().iter().any(|cookie| cookie.contains(text)))
}

fn asks(visit: &Visit, question: &str) -> bool {
    asked(visit).any(|name| name == question)
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
    for (row, client_kind, fields) in ROWS {
        for column in COLUMNS {
            let mut cell = visits(&tables).filter(|(_, visit)| visit.reason == column);
            if !cell.any(|(_, visit)| visit.client_kind == client_kind && asks_so(&visit.request, fields)) {
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
    let unused: Vec<_> = reasons().keys().filter(|slug| !told.contains(*slug)).collect();
    assert!(unused.is_empty(), "reasons.toml has a sentence for {unused:?}, with which no dialogue ends");
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
        let is_down = |visit: &Visit| visit.down.contains(question) && asks(visit, question);
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
