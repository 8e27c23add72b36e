//! Somebody who has signed in, with the session sealed into the cookie.

use std::hint::black_box;

use authgate_core::MemoryStore;
use criterion::Criterion;

use crate::floor;
use crate::presented::{MANY, NOW, decide, is_let_in};
use crate::signed_in::{self, sign_in};

pub(crate) fn sealed(criterion: &mut Criterion) {
    let (gate, fields) = signed_in::sealed();
    assert!(is_let_in(&gate, "/queues", &fields));
    let (floor, now) = (floor::Sealed::new(), NOW.as_millis());
    let seal = |number: u32| {
        floor.seal(&floor::Session {
            id: [7; 32],
            user: &format!("ada-{number:08}"),
            name: "Ada Lovelace",
            is_admin: true,
            roles: "operator oncall",
            extra: None,
            credential: Some([7; 16]),
            issued: now,
            renewed: now,
            until: now,
            ends: now,
        })
    };
    let mut room = [0; 2048];
    assert!(floor.open(&seal(0), &mut room).is_some());

    let mut group = criterion.benchmark_group("sealed");
    let text = seal(0);
    group.bench_function("floor", |bencher| bencher.iter(|| read(&floor, black_box(&text), &mut room)));
    group.bench_function("forward", |bencher| {
        bencher.iter(|| decide(&gate, black_box("/queues"), black_box(&fields)));
    });
    // As with tokens, hardly anybody is remembered.
    let texts: Vec<_> = (0..MANY).map(seal).collect();
    let mut next = texts.iter().cycle();
    group.bench_function("floor, new", |bencher| {
        bencher.iter(|| read(&floor, black_box(next.next().unwrap()), &mut room));
    });
    let many: Vec<_> = (0..MANY).map(|number| sign_in(&gate, number, &mut MemoryStore::new(1))).collect();
    let mut next = many.iter().cycle();
    group.bench_function("new", |bencher| {
        bencher.iter(|| decide(&gate, black_box("/queues"), black_box(next.next().unwrap())));
    });
    group.finish();
}

fn read(floor: &floor::Sealed, text: &str, room: &mut [u8]) -> i64 {
    let session = floor.open(text, room).unwrap();
    black_box((session.id, session.user, session.name, session.is_admin, session.roles, session.extra));
    black_box((session.credential, session.issued, session.renewed, session.until, session.ends)).1
}
