//! The same decision with one, with a hundred and with ten thousand of what a gate may have many of.

use std::hint::black_box;

use authgate_core::{
    Decision, Gate, Head, HeaderView, JwtBackend, JwtBackendBuilder, Key, MemoryStore, PasswordBackend, Rule,
    Sessions, Step,
};
use http::header::HeaderMap;

use crate::cases::{Cases, in_turn};
use crate::presented::{AUDIENCE, NOW, Presented, browser, decide};
use crate::signed_in::sign_in;

const SIZES: [usize; 3] = [1, 100, 10_000];

pub(crate) fn growth(cases: &mut Cases) {
    for size in SIZES {
        keys(cases, size);
        tokens(cases, size);
        public_paths(cases, size);
        rules(cases, size);
        sessions(cases, size);
    }
}

/// The token's key is the last one; its `kid` names it.
fn keys(cases: &mut Cases, size: usize) {
    let presented = Presented::named("HS256", Some("mine"), NOW);
    let others = (1..size)
        .map(|number| Key::secret(format!("{number:064}")).unwrap().with_id(format!("key {number}")));
    let backend = others.fold(JwtBackend::builder(), JwtBackendBuilder::key);
    let backend = backend.key(presented.key()).algorithms([presented.algorithm]);
    let backend = backend.audience([AUDIENCE]).build().unwrap();
    add(cases, "keys", size, Gate::builder(backend).build().unwrap(), "/queues", presented.headers());
}

/// One token after the other.
fn tokens(cases: &mut Cases, size: usize) {
    let gate = Presented::hs256().gate().build().unwrap();
    let ages = 0..u32::try_from(size).unwrap();
    let headers = ages.map(|age| Presented::aged(age).headers()).collect();
    let show = move |headers: &HeaderMap| decide(&gate, black_box("/queues"), headers);
    cases.add(format!("growth/tokens/{size}"), in_turn(headers, show));
}

fn public_paths(cases: &mut Cases, size: usize) {
    let gate = Presented::hs256().gate();
    let gate = (1..=size).fold(gate, |gate, number| gate.public_prefix(format!("/static/{number}")));
    let path = format!("/static/{size}/app.css");
    add(cases, "public paths", size, gate.build().unwrap(), &path, browser());
}

fn rules(cases: &mut Cases, size: usize) {
    let presented = Presented::hs256();
    let rules = (1..=size)
        .map(|number| Rule::parse(&format!("/queues/{number}"), &["GET"], &["role:operator"]).unwrap());
    let gate = presented.gate().rules(rules).build().unwrap();
    add(cases, "rules", size, gate, &format!("/queues/{size}/jobs"), presented.headers());
}

/// Records in memory, which the driver is asked for.
fn sessions(cases: &mut Cases, size: usize) {
    let gate = Gate::builder(PasswordBackend::new()).sessions(Sessions::records()).build().unwrap();
    let mut store = MemoryStore::new(size);
    let people = 0..u32::try_from(size).unwrap();
    let headers = people.map(|number| sign_in(&gate, number, &mut store)).last().unwrap();
    let mut check = move || match gate
        .begin(&Head::of("GET", "/queues", None, HeaderView::Map(black_box(&headers))), NOW)
    {
        Step::LoadSession(id, then) => then.resume(Ok(store.load(&id, NOW)), NOW),
        other => panic!("nobody expects {other:?}"),
    };
    assert!(matches!(check(), Step::Done(Decision::Forward(_))));
    cases.add(format!("growth/sessions/{size}"), check);
}

fn add(cases: &mut Cases, what: &str, size: usize, gate: Gate, path: &str, headers: HeaderMap) {
    assert!(matches!(decide(&gate, path, &headers), Decision::Forward(_)), "{what}");
    let path = path.to_owned();
    cases.add(format!("growth/{what}/{size}"), move || decide(&gate, black_box(&path), black_box(&headers)));
}
