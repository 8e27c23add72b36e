//! A provider that speaks TLS, rightly or wrongly.

use std::time::Duration;

use authgate_jwks::KeySource;

use crate::harness::{Authority, Provider, Signer, World, answer, backend, set};
use crate::runtime;

/// Why a fetch fails from a provider like this one, whose first connection `play` plays.
fn fails(provider: Provider, play: impl FnOnce(&World)) -> String {
    let world = World::of(provider);
    let asked = world.ask();
    play(&world);
    asked.outcome().unwrap_err().to_string()
}

fn company(name: &str) -> Provider {
    Provider::secure(Authority::company().server(name))
}

/// Takes a handshake as far as it goes.
fn handshake(world: &World) {
    assert!(world.provider.accept().try_head().is_err(), "no request comes");
}

#[test]
fn a_company_has_an_authority_of_its_own() {
    let (old, new) = (Signer::rsa("a"), Signer::ec("b"));
    let world = World::with(company("localhost"), &[&old]);
    assert!(world.admits(&old));
    let rotated = world.get(&new);
    world.provider.serve(answer(&set(&[&old, &new])));
    assert_eq!(rotated.outcome(), 200);
    world.is_idle();
}

#[test]
fn an_address_has_certificates_too() {
    let signer = Signer::ed("a");
    let provider = company("127.0.0.1");
    let url = provider.url().replace("localhost", "127.0.0.1");
    let world = World::at(&url, provider);
    world.provider.serve(answer(&set(&[&signer])));
    world.is_idle();
    assert!(world.admits(&signer));
}

#[test]
fn a_certificate_of_an_unknown_authority_is_refused() {
    let why = fails(Provider::secure(Authority::new().server("localhost")), handshake);
    assert!(why.contains("certificate"), "{why}");
}

#[test]
fn a_certificate_for_another_name_is_refused() {
    let why = fails(company("id.example"), handshake);
    assert!(why.contains("certificate") && why.contains("name"), "{why}");
}

#[test]
fn a_certificate_that_has_expired_is_refused() {
    let why = fails(Provider::secure(Authority::company().server_until("localhost", 2020)), handshake);
    assert!(why.contains("certificate") && why.contains("expired"), "{why}");
}

#[test]
fn plain_http_on_the_port_for_tls_is_refused() {
    let why = fails(company("localhost"), |world| {
        let mut peer = world.provider.accept_bare();
        peer.send(answer(&set(&[&Signer::ed("a")])));
        assert!(peer.is_closed());
    });
    assert!(why.contains("could not be connected to"), "{why}");
}

#[test]
fn a_handshake_that_stalls_ends_with_the_time_for_connecting() {
    let why = fails(company("localhost"), |world| {
        let mut peer = world.provider.accept_bare();
        world.clock.until_sleep(Duration::from_secs(3));
        world.clock.advance(Duration::from_secs(3));
        assert!(peer.is_closed());
    });
    assert_eq!(why, "it could not be connected to within 3 s");
}

#[test]
fn an_answer_whose_end_nobody_has_signed_is_refused() {
    let why = fails(company("localhost"), |world| {
        world.provider.serve(format!("HTTP/1.1 200 OK\r\n\r\n{}", set(&[&Signer::ed("a")])));
    });
    assert!(why.contains("broke off"), "{why}");
}

/// On the runtime's own clock and timers.
#[test]
fn a_handshake_that_stalls_ends_for_real() {
    let provider = company("localhost");
    let source = KeySource::parse(&provider.url()).unwrap();
    let source = source.with_root_certificates(Authority::company().pem().as_bytes()).unwrap();
    let key_set = backend().key_set().cloned().unwrap();
    let fetcher = runtime::start(source, key_set, runtime::HOST).unwrap();
    let mut peer = provider.accept_bare();
    assert!(peer.is_closed());
    drop(fetcher);
}
