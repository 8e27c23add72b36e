//! Requests without a proof: a public path, a page, a program.

use std::hint::black_box;

use authgate_core::{Decision, Gate};
use criterion::Criterion;
use http::header::HeaderMap;

use crate::presented::{Presented, browser, decide, program};

pub(crate) fn unproven(criterion: &mut Criterion) {
    let gate = Presented::hs256().gate().public_prefix("/static").build().unwrap();
    let mut group = criterion.benchmark_group("nobody");
    let cases = [
        ("public path", "/static/app.css", browser(), None),
        ("303", "/queues", browser(), Some(303)),
        ("401", "/queues", program(), Some(401)),
    ];
    for (name, path, fields, status) in cases {
        assert_eq!(answered(&gate, path, &fields), status, "{name}");
        group.bench_function(name, |bencher| {
            bencher.iter(|| decide(&gate, black_box(path), black_box(&fields)));
        });
    }
    group.finish();
}

/// The status of the gate's own answer.
fn answered(gate: &Gate, path: &str, fields: &HeaderMap) -> Option<u16> {
    match decide(gate, path, fields) {
        Decision::Respond(reply) => Some(reply.status().as_u16()),
        _ => None,
    }
}
