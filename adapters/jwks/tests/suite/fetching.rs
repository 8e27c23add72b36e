//! When there is a fetch, and who waits for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use authgate_tower::KeyFetcher as _;
use futures_lite::future::{block_on, poll_once};

use crate::harness::{Clock, INTERVAL, LOOK, PATIENCE, Provider, Signer, World, answer, set};
use crate::runtime;

fn published() -> String {
    answer(&set(&[&Signer::ed("a")]))
}

/// Waits for what another thread does.
fn until(done: impl Fn() -> bool) {
    let start = std::time::Instant::now();
    while !done() {
        assert!(start.elapsed() < PATIENCE, "it never happens");
        std::thread::yield_now();
    }
}

#[test]
fn the_first_fetch_is_at_once_and_says_who_asks_for_what() {
    let provider = Provider::start();
    let url = format!("http://127.0.0.1:{}/a/b?c=d%20e", provider.port());
    let world = World::at(&url, provider);
    let mut peer = world.provider.accept();
    let head = peer.head().to_lowercase();
    let mut lines: Vec<_> = head.trim_end().split("\r\n").collect();
    lines[1..].sort_unstable();
    let host = format!("host: 127.0.0.1:{}", world.provider.port());
    assert_eq!(
        lines,
        [
            "get /a/b?c=d%20e http/1.1",
            "accept-encoding: identity",
            "accept: application/jwk-set+json, application/json",
            "connection: close",
            &host,
            concat!("user-agent: authgate/", env!("CARGO_PKG_VERSION")),
        ]
    );
    peer.send(published());
    assert!(peer.is_closed());
    world.is_idle();
}

#[test]
fn a_set_is_fetched_again_once_it_has_aged_and_not_before() {
    let world = World::with(Provider::start(), &[&Signer::ed("a")]);
    world.age();
    world.provider.serve(published());
    world.is_idle();
}

#[test]
fn a_provider_says_for_how_long_within_limits() {
    for (fields, seconds) in [
        ("Cache-Control: max-age=600\r\nAge: 100\r\n", 500),
        ("Cache-Control: no-cache\r\n", 60),
        ("Cache-Control: max-age=99999999\r\n", 24 * 3600),
        ("Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nExpires: Sun, 06 Nov 1994 09:49:36 GMT\r\n", 3599),
        ("", 3600),
    ] {
        let world = World::of(Provider::start());
        world.provider.serve(published().replace("Content", &format!("{fields}Content")));
        world.is_idle();
        assert_eq!(world.next_fetch(), Duration::from_secs(seconds), "{fields}");
    }
}

#[test]
fn after_a_failure_an_interval_passes() {
    let world = World::of(Provider::start());
    for _ in 0..3 {
        world.provider.serve("HTTP/1.1 500 Oh\r\n\r\n");
        world.has_failed();
        world.clock.advance(INTERVAL.saturating_sub(Duration::from_millis(1)));
        assert!(world.provider.is_left_alone());
        world.clock.advance(Duration::from_millis(1));
    }
    world.provider.serve(published());
    world.is_idle();
}

#[test]
fn a_clock_that_was_set_back_delays_nothing() {
    let world = World::with(Provider::start(), &[&Signer::ed("a")]);
    world.clock.set_back(Duration::from_hours(1000));
    world.clock.advance(LOOK);
    world.provider.serve(published());
    world.is_idle();
    assert_eq!(world.next_fetch(), Duration::from_hours(1));
}

#[test]
fn the_clock_is_looked_at_after_the_machine_slept() {
    let world = World::with(Provider::start(), &[&Signer::ed("a")]);
    // Its timers slept with it.
    world.clock.set_forward(Duration::from_hours(8));
    world.clock.advance(LOOK);
    world.provider.serve(published());
    world.is_idle();
}

/// Asks `count` times, and returns once all of them wait or have an answer.
fn flood(world: &World, count: usize) -> mpsc::Receiver<bool> {
    let (tell, told) = mpsc::channel();
    let asked = Arc::new(AtomicUsize::new(0));
    for _ in 0..count {
        let (fetcher, tell, asked) = (world.fetcher.clone(), tell.clone(), Arc::clone(&asked));
        runtime::spawn(async move {
            let mut fetch = fetcher.fetch();
            let early = poll_once(&mut fetch).await;
            asked.fetch_add(1, Ordering::SeqCst);
            let outcome = match early {
                Some(outcome) => outcome,
                None => fetch.await,
            };
            let _ = tell.send(outcome.is_ok());
        });
    }
    until(|| asked.load(Ordering::SeqCst) == count);
    told
}

#[test]
fn a_flood_causes_one_fetch_an_interval_and_shares_its_outcome() {
    const COUNT: usize = 1000;
    let world = World::with(Provider::start(), &[&Signer::ed("a")]);
    for _ in 0..2 {
        let answers = flood(&world, COUNT);
        world.provider.serve(published());
        assert!((0..COUNT).all(|_| answers.recv_timeout(PATIENCE).unwrap()), "all wait for the one fetch");
        world.is_idle();

        world.clock.advance(INTERVAL.saturating_sub(Duration::from_millis(1)));
        let answers = flood(&world, COUNT);
        assert!((0..COUNT).all(|_| !answers.recv_timeout(PATIENCE).unwrap()), "it is too early for another");
        assert!(world.provider.is_left_alone());
        world.clock.advance(Duration::from_millis(1));
    }
}

#[test]
fn a_flood_while_the_provider_is_down_causes_one_fetch_too_and_shares_why() {
    let world = World::with(Provider::start(), &[&Signer::ed("a")]);
    let answers = flood(&world, 1000);
    world.provider.serve("HTTP/1.1 500 Oh\r\n\r\n");
    assert!((0..1000).all(|_| !answers.recv_timeout(PATIENCE).unwrap()));
    world.has_failed();
    let why = world.ask().outcome().unwrap_err().to_string();
    assert!(why.contains("just now"), "{why}");
    assert!(world.provider.is_left_alone());
}

#[test]
fn whoever_comes_during_the_first_fetch_waits_for_it() {
    let world = World::of(Provider::start());
    let mut peer = world.provider.accept();
    let answers = flood(&world, 100);
    peer.head();
    peer.send(published());
    assert!((0..100).all(|_| answers.recv_timeout(PATIENCE).unwrap()));
    world.is_idle();
    assert!(world.provider.is_left_alone());
}

#[test]
fn a_fetch_goes_on_when_nobody_waits_for_it_any_longer() {
    let (old, new) = (Signer::ed("a"), Signer::ed("b"));
    let world = World::with(Provider::start(), &[&old]);
    assert!(block_on(poll_once(world.fetcher.fetch())).is_none(), "it waits, and gives up");
    world.provider.serve(answer(&set(&[&new])));
    world.is_idle();
    assert!(world.admits(&new));
}

#[test]
fn the_task_ends_with_the_last_fetcher_in_the_middle_of_a_fetch() {
    let World { clock, provider, fetcher, .. } = World::of(Provider::start());
    let mut peer = provider.accept();
    peer.head();
    let other = fetcher.clone();
    drop(fetcher);
    clock.until_sleep(Duration::from_secs(3));
    assert!(clock.holders() > 2, "the other one still fetches");
    drop(other);
    assert!(peer.is_closed());
    until(|| clock.holders() == 1);
}

#[test]
fn the_task_ends_with_the_last_fetcher_while_it_sleeps() {
    let world = World::with(Provider::start(), &[&Signer::ed("a")]);
    let clock: Clock = world.clock.clone();
    drop(world);
    until(|| clock.holders() == 1);
}
