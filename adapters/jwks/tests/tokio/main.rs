//! The suite on tokio.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

#[path = "../harness/mod.rs"]
mod harness;
mod runtime;
#[path = "../suite/mod.rs"]
mod suite;

use authgate_tower::KeyFetcher as _;

#[test]
fn when_the_runtime_is_gone_nobody_waits_for_it() {
    let provider = harness::Provider::start();
    let source = authgate_jwks::KeySource::parse(&provider.url()).unwrap();
    let key_set = harness::backend().key_set().cloned().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let fetcher = {
        let _entered = runtime.enter();
        authgate_jwks::tokio::start(source, key_set, runtime::HOST).unwrap()
    };
    let mut peer = provider.accept();
    let waiting = harness::world::Asked::begin({
        let fetcher = fetcher.clone();
        async move { fetcher.fetch().await }
    });
    drop(runtime);
    assert!(peer.is_closed());
    assert!(waiting.outcome().is_err());
    assert!(harness::world::Asked::begin(async move { fetcher.fetch().await }).outcome().is_err());
}

#[test]
fn without_a_runtime_nothing_starts() {
    let source = authgate_jwks::KeySource::parse("http://localhost/certs").unwrap();
    let key_set = harness::backend().key_set().cloned().unwrap();
    let error = authgate_jwks::tokio::start(source, key_set, runtime::HOST).unwrap_err();
    assert_eq!(error.field(), "jwks_url");
}
