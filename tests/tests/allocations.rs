//! How often a decision allocates: a number for each way that requests take most, so that one more shows.
//!
//! What is counted lies between the question and its answer; dropping the answer gives all of it back.
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

#[track_caller]
fn allocates(times: u64, gate: &Gate, path: &str, headers: &HeaderMap) {
    drop(decide(gate, path, headers));
    let counted = measure(|| drop(decide(gate, path, headers)));
    assert_eq!((counted.count_total, counted.count_current), (times, 0));
}

#[test]
fn a_token_costs_its_claims_and_its_roles() {
    let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
    let presented = Presented::hs256();
    allocates(2, &presented.gate().build().unwrap(), "/queues", &presented.headers());
}

#[test]
fn a_sealed_session_costs_a_box_its_roles_and_its_lease() {
    let (gate, headers) = signed_in::sealed();
    allocates(3, &gate, "/queues", &headers);
}

#[test]
fn a_public_path_costs_nothing() {
    let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
    let gate = Presented::hs256().gate().public_prefix("/static").build().unwrap();
    allocates(0, &gate, "/static/app.css", &browser());
}

#[test]
fn a_refusal_costs_its_fields_and_its_link() {
    let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
    let gate = Presented::hs256().gate().build().unwrap();
    allocates(5, &gate, "/queues", &browser());
    allocates(1, &gate, "/queues", &program());
}
