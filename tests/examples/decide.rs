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

use authgate_core::Gate;
use http::header::HeaderMap;

use crate::presented::{NOW, Presented, browser, decide, program};

/// What is decided upon.
struct Case {
    name: &'static str,
    gate: Gate,
    path: &'static str,
    headers: HeaderMap,
    /// How often it has been decided before. Who has come twice is remembered.
    before: usize,
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
            for _ in 0..case.before {
                drop(decide(&case.gate, case.path, &case.headers));
            }
            measured(&case);
        }
    }
}

fn cases() -> Vec<Case> {
    let gate = || Presented::hs256().gate().public_prefix("/static").build().unwrap();
    let token = Presented::hs256().headers();
    let (sealed, cookie) = signed_in::sealed();
    [
        ("hs256", gate(), "/queues", token.clone(), 2),
        ("hs256-new", gate(), "/queues", token, 1),
        ("sealed", sealed.clone(), "/queues", cookie.clone(), 2),
        ("sealed-new", sealed, "/queues", cookie, 1),
        ("public", gate(), "/static/app.css", browser(), 1),
        ("303", gate(), "/queues", browser(), 1),
        ("401", gate(), "/queues", program(), 1),
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
