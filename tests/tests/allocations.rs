//! How often a decision allocates: a number for each way that requests take most, so that one more shows.
//!
//! What is counted lies between the question and its answer; dropping the answer gives back all that is not remembered.
#![allow(clippy::unwrap_used, clippy::panic, reason = "what is presented is the benches' own")]

#[path = "../../core/benches/decisions/presented.rs"]
#[allow(dead_code, reason = "the benches of the core use all of it")]
mod presented;
#[path = "../../core/benches/decisions/signed_in.rs"]
mod signed_in;

use allocation_counter::measure;
use authgate_core::Gate;
use http::header::HeaderMap;

use crate::presented::{Presented, browser, decide, program};

/// How often the decision allocates, and how much of that is still there once the decision is dropped.
#[track_caller]
fn allocates(times: u64, kept: i64, gate: &Gate, path: &str, headers: &HeaderMap) {
    let counted = measure(|| drop(decide(gate, path, headers)));
    assert_eq!((counted.count_total, counted.count_current), (times, kept));
}

#[test]
fn a_token_costs_its_user_until_it_has_come_again_and_then_nothing() {
    let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
    let presented = Presented::hs256();
    let (gate, headers) = (presented.gate().build().unwrap(), presented.headers());
    // The user, their claims and their roles; and once it is remembered, itself.
    for (times, kept) in [(3, 0), (4, 4), (0, 0)] {
        allocates(times, kept, &gate, "/queues", &headers);
    }
}

#[test]
fn a_sealed_session_costs_its_user_and_lease_until_it_has_come_again_and_then_its_lease() {
    let (gate, headers) = signed_in::sealed();
    for (times, kept) in [(3, 0), (4, 3), (1, 0)] {
        allocates(times, kept, &gate, "/queues", &headers);
    }
}

#[test]
fn a_public_path_costs_nothing() {
    let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
    let gate = Presented::hs256().gate().public_prefix("/static").build().unwrap();
    allocates(0, 0, &gate, "/static/app.css", &browser());
}

#[test]
fn a_refusal_costs_its_fields_and_its_link() {
    let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
    let gate = Presented::hs256().gate().build().unwrap();
    for (times, headers) in [(3, browser()), (1, program())] {
        // The first one prepares what all share.
        drop(decide(&gate, "/queues", &headers));
        allocates(times, 0, &gate, "/queues", &headers);
    }
}
