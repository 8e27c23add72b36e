//! Somebody who has signed in, with the session sealed into the cookie.

use std::hint::black_box;

use authgate_core::MemoryStore;
use criterion::Criterion;

use crate::floor::{Sealed, Session};
use crate::presented::{NOW, decide, is_let_in};
use crate::signed_in::{self, sign_in};

pub(crate) fn sealed(criterion: &mut Criterion) {
    let (gate, fields) = signed_in::sealed();
    assert!(is_let_in(&gate, "/queues", &fields));
    let now = NOW.as_millis();
    let floor = Sealed::new(&Session {
        id: [7; 32],
        user: "ada-00000000",
        name: "Ada Lovelace",
        is_admin: true,
        roles: "operator oncall",
        extra: None,
        credential: Some([7; 16]),
        issued: now,
        renewed: now,
        until: now,
        ends: now,
    });
    assert!(floor.open(&mut [0; 2048]).is_some());

    let mut group = criterion.benchmark_group("sealed");
    group.bench_function("floor", |bencher| {
        let mut room = [0; 2048];
        bencher.iter(|| {
            let session = black_box(&floor).open(&mut room).unwrap();
            black_box((
                session.id,
                session.user,
                session.name,
                session.is_admin,
                session.roles,
                session.extra,
            ));
            black_box((session.credential, session.issued, session.renewed, session.until, session.ends)).1
        });
    });
    group.bench_function("forward", |bencher| {
        bencher.iter(|| decide(&gate, black_box("/queues"), black_box(&fields)));
    });
    // As with tokens, hardly anybody is remembered.
    let many: Vec<_> = (0..4096).map(|number| sign_in(&gate, number, &mut MemoryStore::new(1))).collect();
    let mut next = many.iter().cycle();
    group.bench_function("new", |bencher| {
        bencher.iter(|| decide(&gate, black_box("/queues"), black_box(next.next().unwrap())));
    });
    group.finish();
}
