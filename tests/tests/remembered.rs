//! A token that comes again is worth what it would be worth to a backend that has never seen it.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use authgate_core::{
    Algorithm, JwtBackend, JwtBackendBuilder, Key, KeySetLimits, Timestamp, TokenFault, VerifyOptions,
};
use authgate_tests::forge::{SECRET, honest, key_name, public_pem, signer, token};
use authgate_tests::world::NOW;
use base64_simd::URL_SAFE_NO_PAD;
use proptest::prelude::*;

fn hs256() -> JwtBackendBuilder {
    JwtBackend::builder().key(Key::secret(SECRET).unwrap())
}

fn backend_of(algorithm: &str) -> JwtBackend {
    let key = match algorithm {
        "HS256" => Key::secret(SECRET).unwrap(),
        _ => Key::pem(&public_pem(key_name(algorithm))).unwrap(),
    };
    JwtBackend::builder().key(key).algorithms([algorithm.parse::<Algorithm>().unwrap()]).build().unwrap()
}

/// Shows a token until the backend remembers it, and makes sure of that.
fn show(backend: &JwtBackend, token: &str) {
    let shown = [0; 4].map(|_| backend.verify(token.as_bytes(), NOW).unwrap());
    assert!(!Arc::ptr_eq(&shown[0].user, &shown[1].user), "who comes once is not remembered");
    assert!(Arc::ptr_eq(&shown[2].user, &shown[3].user), "who comes again is");
    assert!(shown.iter().all(|proven| *proven == shown[0]));
}

/// The token with another signature: one bit of it is another, each in turn.
fn forgeries(token: &str) -> impl Iterator<Item = String> {
    let (message, signature) = token.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode_to_vec(signature).unwrap();
    (0..8 * signature.len()).map(move |bit| {
        let mut signature = signature.clone();
        signature[bit / 8] ^= 1 << (bit % 8);
        format!("{message}.{}", URL_SAFE_NO_PAD.encode_to_string(signature))
    })
}

#[test]
fn t35_the_signature_of_a_token_that_comes_again_is_checked_again() {
    for name in ["HS256", "RS256", "PS384", "ES256", "EdDSA"] {
        let backend = backend_of(name);
        let token = token_of(name, r#"{"sub":"ada"}"#);
        show(&backend, &token);
        for forged in forgeries(&token) {
            assert!(backend.verify(forged.as_bytes(), NOW).is_err(), "{name}: {forged}");
        }
        // Nor may anything else of it be exchanged for what is remembered.
        let (message, signature) = token.rsplit_once('.').unwrap();
        let (header, payload) = message.split_once('.').unwrap();
        let other = token_of(name, r#"{"sub":"eve"}"#);
        let eve = other.split('.').nth(1).unwrap();
        // The end of a signature says where to look, and proves nothing.
        let mut other_begin = URL_SAFE_NO_PAD.decode_to_vec(signature).unwrap();
        let begin = other_begin.len() - 8;
        other_begin[..begin].fill(1);
        let other_begin = URL_SAFE_NO_PAD.encode_to_string(other_begin);
        for forged in [
            format!("{header}.{eve}.{signature}"),
            format!("e30.{payload}.{signature}"),
            format!("{message}.{other_begin}"),
            message.to_owned(),
        ] {
            assert!(backend.verify(forged.as_bytes(), NOW).is_err(), "{name}: {forged}");
        }
        assert!(backend.verify(token.as_bytes(), NOW).is_ok());
    }
}

fn token_of(algorithm: &str, payload: &str) -> String {
    token(&format!(r#"{{"alg":"{algorithm}"}}"#), payload, &*signer(algorithm))
}

#[test]
fn a_token_that_comes_again_ends_with_its_key() {
    let set = |id: &str| {
        let set = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/keys/jwks.json")).unwrap();
        let mut set: serde_json::Value = serde_json::from_str(&set).unwrap();
        set["keys"].as_array_mut().unwrap().retain(|key| key["kid"] == id);
        set.to_string()
    };
    let backend = JwtBackend::builder().key_set(KeySetLimits::default());
    let backend = backend.algorithms([Algorithm::ES256, Algorithm::RS256]).build().unwrap();
    backend.key_set().unwrap().fetched(&set("p-256"), None, NOW).unwrap();
    let token = token(r#"{"alg":"ES256","kid":"p-256"}"#, r#"{"sub":"ada"}"#, &*signer("ES256"));
    show(&backend, &token);
    backend.key_set().unwrap().fetched(&set("rsa2048"), None, NOW).unwrap();
    assert_eq!(backend.verify(token.as_bytes(), NOW), Err(TokenFault::UnknownKey));
}

#[test]
fn a_token_that_comes_again_is_refused_from_its_end_on_and_before_its_beginning() {
    let backend = hs256().build().unwrap();
    let at = |seconds: i64| NOW.as_secs() + seconds;
    let token = honest(&format!(r#"{{"sub":"ada","nbf":{},"iat":{},"exp":{}}}"#, at(-5), at(-9), at(5)));
    show(&backend, &token);
    let millis = Duration::from_millis;
    let verify = |now| backend.verify(token.as_bytes(), now).map(|_| ());
    assert_eq!(verify(NOW.after(millis(4_999))), Ok(()));
    assert_eq!(verify(NOW.after(millis(5_000))), Err(TokenFault::Expired));
    assert_eq!(verify(NOW.before(millis(5_000))), Ok(()));
    assert_eq!(verify(NOW.before(millis(5_001))), Err(TokenFault::NotYetValid));
    assert_eq!(verify(NOW), Ok(()));
}

#[test]
fn what_one_backend_remembers_is_no_other_s() {
    let now = NOW.as_secs();
    let token = honest(&format!(
        r#"{{"sub":"ada","mail":"a@x","aud":"us","roles":["ops"],"groups":["dev"],"exp":{}}}"#,
        now + 5
    ));
    let us = || hs256().audience(["us"]);
    show(&us().build().unwrap(), &token);
    let told = |backend: JwtBackendBuilder, now| {
        let backend = backend.build().unwrap();
        [(); 4].map(|()| {
            backend.verify(token.as_bytes(), now).map(|proven| {
                (proven.user.id.to_string(), proven.user.roles.iter().map(ToString::to_string).collect())
            })
        })
    };
    let known = |id: &str, role: &str| Ok((id.to_owned(), vec![role.to_owned()]));
    let late = NOW.after(Duration::from_secs(5));
    for (backend, now, answer) in [
        (us(), NOW, known("ada", "ops")),
        (us().user_claim("mail"), NOW, known("a@x", "ops")),
        (us().roles_claim("groups"), NOW, known("ada", "dev")),
        (hs256().audience(["them"]), NOW, Err(TokenFault::Audience)),
        (hs256(), NOW, Err(TokenFault::Audience)),
        (us(), late, Err(TokenFault::Expired)),
        (us().leeway_seconds(1.0), late, known("ada", "ops")),
        (
            us().verify_options(VerifyOptions { verify_exp: false, ..Default::default() }),
            late,
            known("ada", "ops"),
        ),
        (us().issuer(["somebody"]), NOW, Err(TokenFault::Missing("iss"))),
    ] {
        assert_eq!(told(backend, now), [(); 4].map(|()| answer.clone()));
    }
}

#[test]
fn tokens_of_every_algorithm_are_spread_over_all_places() {
    for name in ["HS256", "RS256", "ES256", "EdDSA"] {
        let backend = backend_of(name);
        let verify = |token: &String| backend.verify(token.as_bytes(), NOW).unwrap().user;
        let tokens: Vec<_> =
            (0..200).map(|number| token_of(name, &format!(r#"{{"sub":"user {number}"}}"#))).collect();
        for token in &tokens {
            verify(token);
            verify(token);
        }
        let remembered = tokens.iter().filter(|token| Arc::ptr_eq(&verify(token), &verify(token))).count();
        // Of 200 in 1024 places, some 165 share theirs with nobody; ES256 draws its signatures anew in each run.
        assert!(remembered > 120, "{name}: {remembered}");
    }
}

#[test]
fn many_who_come_at_once_are_all_told_who_they_are() {
    let backend = hs256().build().unwrap();
    // More than are remembered, so that many share a place.
    let tokens: Vec<_> = (0..1500).map(|number| honest(&format!(r#"{{"sub":"user {number}"}}"#))).collect();
    thread::scope(|threads| {
        for first in 0..4 {
            let (backend, tokens) = (&backend, &tokens);
            threads.spawn(move || {
                for (number, token) in tokens.iter().enumerate().skip(first * 100) {
                    for _ in 0..3 {
                        let proven = backend.verify(token.as_bytes(), NOW).unwrap();
                        assert_eq!(proven.user.id, format!("user {number}"));
                    }
                }
            });
        }
    });
}

proptest! {
    /// Tokens come in any order and at any time, also while the clock is set back.
    #[test]
    fn a_backend_that_has_seen_tokens_judges_as_one_that_has_not(
        leeway in -3.0_f64..4.0,
        claims in proptest::collection::vec(
            (proptest::option::of(-3_i64..4), proptest::option::of(-3_i64..4), proptest::option::of(-3_i64..4)), 1..4,
        ),
        visits in proptest::collection::vec((0_usize..4, -6_000_i64..6_000), 1..40),
    ) {
        let build = || hs256().leeway_seconds(leeway).build().unwrap();
        let seen = build();
        let tokens: Vec<_> = claims.iter().map(|(iat, nbf, exp)| {
            let times = [("iat", iat), ("nbf", nbf), ("exp", exp)];
            let member = |(name, value): (&str, &Option<i64>)| {
                value.map(|value| format!(r#","{name}":{}"#, NOW.as_secs() + value)).unwrap_or_default()
            };
            honest(&format!(r#"{{"sub":"ada"{}}}"#, times.map(member).concat()))
        }).collect();
        for (which, millis) in visits {
            let token = tokens[which % tokens.len()].as_bytes();
            let now = Timestamp::from_millis(NOW.as_millis() + millis);
            prop_assert_eq!(seen.verify(token, now), build().verify(token, now));
        }
    }
}
