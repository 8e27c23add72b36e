//! The same decision with one, with a hundred and with ten thousand of what a gate may have many of.

use std::hint::black_box;

use authgate_core::{
    Decision, Gate, Head, HeaderView, JwtBackend, JwtBackendBuilder, Key, MemoryStore, PasswordBackend, Rule,
    Sessions, Step,
};
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion};
use http::header::HeaderMap;

use crate::presented::{AUDIENCE, NOW, Presented, browser, decide};
use crate::signed_in::sign_in;

const SIZES: [usize; 3] = [1, 100, 10_000];

pub(crate) fn growth(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("growth");
    for size in SIZES {
        keys(&mut group, size);
        tokens(&mut group, size);
        public_paths(&mut group, size);
        rules(&mut group, size);
        sessions(&mut group, size);
    }
    group.finish();
}

/// The token's key is the last one; its `kid` names it.
fn keys(group: &mut BenchmarkGroup<'_, WallTime>, size: usize) {
    let presented = Presented::named("HS256", Some("mine"), NOW);
    let others = (1..size)
        .map(|number| Key::secret(format!("{number:064}")).unwrap().with_id(format!("key {number}")));
    let backend = others.fold(JwtBackend::builder(), JwtBackendBuilder::key);
    let backend = backend.key(presented.key()).algorithms([presented.algorithm]);
    let backend = backend.audience([AUDIENCE]).build().unwrap();
    time(group, "keys", size, &Gate::builder(backend).build().unwrap(), "/queues", &presented.headers());
}

/// One token after the other.
fn tokens(group: &mut BenchmarkGroup<'_, WallTime>, size: usize) {
    let gate = Presented::hs256().gate().build().unwrap();
    let ages = 0..u32::try_from(size).unwrap();
    let headers: Vec<_> = ages.map(|age| Presented::aged(age).headers()).collect();
    let mut next = headers.iter().cycle();
    group.bench_function(BenchmarkId::new("tokens", size), |bencher| {
        bencher.iter(|| decide(&gate, black_box("/queues"), black_box(next.next().unwrap())));
    });
}

fn public_paths(group: &mut BenchmarkGroup<'_, WallTime>, size: usize) {
    let gate = Presented::hs256().gate();
    let gate = (1..=size).fold(gate, |gate, number| gate.public_prefix(format!("/static/{number}")));
    let path = format!("/static/{size}/app.css");
    time(group, "public paths", size, &gate.build().unwrap(), &path, &browser());
}

fn rules(group: &mut BenchmarkGroup<'_, WallTime>, size: usize) {
    let presented = Presented::hs256();
    let rules = (1..=size)
        .map(|number| Rule::parse(&format!("/queues/{number}"), &["GET"], &["role:operator"]).unwrap());
    let gate = presented.gate().rules(rules).build().unwrap();
    time(group, "rules", size, &gate, &format!("/queues/{size}/jobs"), &presented.headers());
}

/// Records in memory, which the driver is asked for.
fn sessions(group: &mut BenchmarkGroup<'_, WallTime>, size: usize) {
    let gate = Gate::builder(PasswordBackend::new()).sessions(Sessions::records()).build().unwrap();
    let mut store = MemoryStore::new(size);
    let people = 0..u32::try_from(size).unwrap();
    let headers = people.map(|number| sign_in(&gate, number, &mut store)).last().unwrap();
    let mut check =
        || match gate.begin(&Head::of("GET", "/queues", None, HeaderView::Map(black_box(&headers))), NOW) {
            Step::LoadSession(id, then) => then.resume(Ok(store.load(&id, NOW)), NOW),
            other => panic!("nobody expects {other:?}"),
        };
    assert!(matches!(check(), Step::Done(Decision::Forward(_))));
    group.bench_function(BenchmarkId::new("sessions", size), |bencher| bencher.iter(&mut check));
}

fn time(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    size: usize,
    gate: &Gate,
    path: &str,
    headers: &HeaderMap,
) {
    assert!(matches!(decide(gate, path, headers), Decision::Forward(_)), "{name}");
    group.bench_function(BenchmarkId::new(name, size), |bencher| {
        bencher.iter(|| decide(gate, black_box(path), black_box(headers)));
    });
}
