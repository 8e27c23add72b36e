//! One decision, for `tests/instructions`, which counts what it takes.
//!
//! `decide` lists the cases; `decide CASE` decides as often as it takes to warm up, and once to be counted.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a bench")]

#[path = "../../core/benches/decisions/floor.rs"]
#[allow(dead_code, reason = "the benches of the core use all of it")]
mod floor;
#[path = "../../core/benches/decisions/presented.rs"]
#[allow(dead_code, reason = "the benches of the core use all of it")]
mod presented;
#[path = "../../core/benches/decisions/signed_in.rs"]
mod signed_in;

use std::hint::black_box;

use authgate_core::{Gate, MemoryStore};
use http::header::HeaderMap;

use crate::presented::{NOW, Presented, browser, decide, program};

/// What is decided upon.
struct Case {
    name: &'static str,
    gate: Gate,
    path: &'static str,
    headers: HeaderMap,
    /// What has been decided before. Who has come twice is remembered.
    before: Vec<HeaderMap>,
}

fn main() {
    let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
    let floor = Presented::hs256().headers();
    let cases = cases();
    match std::env::args().nth(1).as_deref() {
        None => {
            println!("floor");
            for case in &cases {
                println!("{}", case.name);
            }
        }
        Some("floor") => {
            let key = floor::Token::new();
            let mut room = [0; 1024];
            assert!(key.check(&floor, NOW.as_secs(), &mut room).is_some());
            measured_floor(&key, &floor, &mut room);
        }
        Some(name) => {
            let case = cases.into_iter().find(|case| case.name == name);
            let case = case.unwrap_or_else(|| panic!("no case {name}"));
            for headers in &case.before {
                drop(decide(&case.gate, case.path, headers));
            }
            measured(&case);
        }
    }
}

fn cases() -> Vec<Case> {
    let gate = || Presented::hs256().gate().public_prefix("/static").build().unwrap();
    let [token, other] = [0, 1].map(|age| Presented::aged(age).headers());
    let (sealed, cookie) = signed_in::sealed();
    let somebody = signed_in::sign_in(&sealed, 1, &mut MemoryStore::new(1));
    let (page, program) = (browser(), program());
    [
        ("hs256", gate(), "/queues", token.clone(), vec![token.clone(); 2]),
        ("hs256-new", gate(), "/queues", token, vec![other]),
        ("sealed", sealed.clone(), "/queues", cookie.clone(), vec![cookie.clone(); 2]),
        ("sealed-new", signed_in::sealed().0, "/queues", cookie, vec![somebody]),
        ("public", gate(), "/static/app.css", page.clone(), vec![page.clone()]),
        ("303", gate(), "/queues", page.clone(), vec![page]),
        ("401", gate(), "/queues", program.clone(), vec![program]),
    ]
    .map(|(name, gate, path, headers, before)| Case { name, gate, path, headers, before })
    .into()
}

#[inline(never)]
fn measured(case: &Case) {
    black_box(decide(&case.gate, black_box(case.path), black_box(&case.headers)));
}

#[inline(never)]
fn measured_floor(key: &floor::Token, headers: &HeaderMap, room: &mut [u8]) {
    let claims = key.check(black_box(headers), NOW.as_secs(), room).unwrap();
    black_box((claims.sub, claims.name, claims.is_admin, claims.roles));
}
