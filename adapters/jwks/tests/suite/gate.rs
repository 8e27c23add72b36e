//! A gate whose backend needs the provider's keys.

use crate::harness::{INTERVAL, Provider, Signer, World, answer, set};

#[test]
fn a_new_key_is_admitted_without_a_refusal_whatever_its_algorithm() {
    for (old, new) in [
        (Signer::rsa("2026-01"), Signer::rsa("2026-02")),
        (Signer::ec("2026-01"), Signer::ec("2026-02")),
        (Signer::ed("2026-01"), Signer::ed("2026-02")),
        (Signer::rsa("2026-01"), Signer::ed("2026-02")),
    ] {
        let world = World::with(Provider::start(), &[&old]);
        assert!(world.admits(&old));
        let first = world.get(&new);
        let mut peer = world.provider.accept();
        let second = world.get(&new);
        peer.head();
        assert!(world.get(&old).outcome() == 200, "nobody else waits");
        peer.send(answer(&set(&[&old, &new])));
        assert_eq!((first.outcome(), second.outcome()), (200, 200));
        world.is_idle();
        assert!(world.admits(&old) && world.admits(&new));
        assert!(world.clock.reasons().iter().all(|reason| !reason.starts_with("token")));
    }
}

#[test]
fn the_first_token_waits_for_the_first_set() {
    let signer = Signer::ec("a");
    let world = World::of(Provider::start());
    let mut peer = world.provider.accept();
    let early = world.get(&signer);
    peer.head();
    peer.send(answer(&set(&[&signer])));
    assert_eq!(early.outcome(), 200);
    world.is_idle();
    assert!(world.admits(&signer));
}

#[test]
fn a_key_that_the_provider_does_not_have_is_401_after_one_fetch() {
    let (known, forged) = (Signer::ed("a"), Signer::ed("forged"));
    let world = World::with(Provider::start(), &[&known]);
    for _ in 0..2 {
        let refused = world.get(&forged);
        world.provider.serve(answer(&set(&[&known])));
        assert_eq!(refused.outcome(), 401);
        world.is_idle();
        assert_eq!(world.get(&forged).outcome(), 401, "remembered");
        assert_eq!(world.clock.reasons(), ["token-unknown-key", "token-unknown-key"]);
        assert!(world.admits(&known));
        world.clock.advance(INTERVAL);
        world.clock.reasons();
    }
}

#[test]
fn another_key_under_a_known_id_is_401_without_a_fetch() {
    let world = World::with(Provider::start(), &[&Signer::ed("a")]);
    assert_eq!(world.get(&Signer::ed("a")).outcome(), 401);
    assert!(world.provider.is_left_alone());
}

#[test]
fn a_key_that_is_withdrawn_is_refused() {
    let (old, new) = (Signer::ec("a"), Signer::ec("b"));
    let world = World::with(Provider::start(), &[&old]);
    let rotated = world.get(&new);
    world.provider.serve(answer(&set(&[&new])));
    assert_eq!(rotated.outcome(), 200);
    world.is_idle();
    let withdrawn = world.get(&old);
    // It was asked just now.
    assert_eq!(withdrawn.outcome(), 503);
    world.clock.advance(INTERVAL);
    let withdrawn = world.get(&old);
    world.provider.serve(answer(&set(&[&new])));
    assert_eq!(withdrawn.outcome(), 401);
}

#[test]
fn while_the_provider_is_down_known_keys_serve_and_unknown_ones_are_503() {
    let (old, new) = (Signer::ec("a"), Signer::ec("b"));
    let world = World::with(Provider::start(), &[&old]);
    for _ in 0..3 {
        let unknown = world.get(&new);
        drop(world.provider.accept());
        assert_eq!(unknown.outcome(), 503);
        world.has_failed();
        assert_eq!(world.get(&new).outcome(), 503, "too early to ask again");
        assert!(world.admits(&old));
        assert_eq!(world.clock.reasons(), ["unavailable", "unavailable", "signed-in"]);
        world.clock.advance(INTERVAL);
        // By itself it asks again, too.
        drop(world.provider.accept());
        world.has_failed();
    }
    world.clock.advance(INTERVAL);
    world.provider.serve(answer(&set(&[&old, &new])));
    world.is_idle();
    assert!(world.admits(&new) && world.admits(&old));
}
