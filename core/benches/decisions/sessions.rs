//! Somebody who has signed in, with the session sealed into the cookie.

use std::hint::black_box;

use criterion::Criterion;

use crate::floor::Sealed;
use crate::presented::{NOW, decide, is_let_in};
use crate::signed_in;

pub(crate) fn sealed(criterion: &mut Criterion) {
    let (gate, fields) = signed_in::sealed();
    assert!(is_let_in(&gate, "/queues", &fields));
    // As the gate writes it.
    let json = format!(
        r#"{{"id":"{}","user":{{"id":"ada-00000000","name":"Ada Lovelace","is_admin":true,"roles":["operator","oncall"]}},"credential":"{}","issued":{now},"renewed":{now},"until":{now},"ends":{now}}}"#,
        "A".repeat(43),
        "A".repeat(43),
        now = NOW.as_millis(),
    );
    let floor = Sealed::new(&json);
    assert!(floor.open(&mut [0; 2048]).is_some());

    let mut group = criterion.benchmark_group("sealed");
    group.bench_function("floor", |bencher| {
        let mut room = [0; 2048];
        bencher.iter(|| {
            let session = black_box(&floor).open(&mut room).unwrap();
            let user = session.user;
            black_box((session.id, session.credential, session.issued, session.renewed, session.ends));
            black_box((user.id, user.name, user.is_admin, user.roles, session.until)).2
        });
    });
    group.bench_function("forward", |bencher| {
        bencher.iter(|| decide(&gate, black_box("/queues"), black_box(&fields)));
    });
    group.finish();
}
