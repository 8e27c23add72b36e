//! Requests without a proof: a public path, a page, a program.

use std::hint::black_box;

use authgate_core::{Decision, Gate};
use http::header::HeaderMap;

use crate::cases::Cases;
use crate::presented::{Presented, browser, decide, program};

pub(crate) fn unproven(cases: &mut Cases) {
    let gate = Presented::hs256().gate().public_prefix("/static").build().unwrap();
    for (name, path, fields, status) in [
        ("nobody/public path", "/static/app.css", browser(), None),
        ("nobody/303", "/queues", browser(), Some(303)),
        ("nobody/401", "/queues", program(), Some(401)),
    ] {
        assert_eq!(answered(&gate, path, &fields), status, "{name}");
        let gate = gate.clone();
        cases.add(name, move || decide(&gate, black_box(path), black_box(&fields)));
    }
}

/// The status of the gate's own answer.
fn answered(gate: &Gate, path: &str, fields: &HeaderMap) -> Option<u16> {
    match decide(gate, path, fields) {
        Decision::Respond(reply) => Some(reply.status().as_u16()),
        _ => None,
    }
}
