//! Bearer tokens that hold.

use std::hint::black_box;

use aws_lc_rs::signature::VerificationAlgorithm;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256};
use base64_simd::URL_SAFE_NO_PAD;
use criterion::Criterion;
use http::header::HeaderMap;
use jsonwebtoken::{DecodingKey, Validation};
use serde::Deserialize;

use crate::floor;
use crate::presented::{AUDIENCE, ISSUER, MANY, NOW, Presented, SECRET, decide, is_let_in, pem};

/// What a dashboard's own code would read.
#[derive(Deserialize)]
struct Claims {
    sub: String,
    name: String,
    is_admin: bool,
    roles: Vec<String>,
}

pub(crate) fn hs256(criterion: &mut Criterion) {
    let presented = Presented::hs256();
    let (gate, headers, floor) =
        (presented.gate().build().unwrap(), presented.headers(), floor::Token::new());
    assert!(
        floor.check(&headers, NOW.as_secs(), &mut [0; 1024]).is_some()
            && is_let_in(&gate, "/queues", &headers)
    );

    let mut group = criterion.benchmark_group("hs256");
    let mut room = [0; 1024];
    group.bench_function("floor", |bencher| bencher.iter(|| least(&floor, black_box(&headers), &mut room)));
    group.bench_function("forward", |bencher| {
        bencher.iter(|| decide(&gate, black_box("/queues"), black_box(&headers)));
    });
    // Whoever is new is not in the processor's caches either, be it for the gate, its floor or its peer.
    let many: Vec<_> = (0..MANY).map(|age| Presented::aged(age).headers()).collect();
    let mut next = many.iter().cycle();
    group.bench_function("floor, new", |bencher| {
        bencher.iter(|| least(&floor, black_box(next.next().unwrap()), &mut room));
    });
    let mut next = many.iter().cycle();
    group.bench_function("new", |bencher| {
        bencher.iter(|| decide(&gate, black_box("/queues"), black_box(next.next().unwrap())));
    });
    // The token without a request around it, as jsonwebtoken has it.
    let backend = presented.backend().build().unwrap();
    group.bench_function("verify", |bencher| {
        bencher.iter(|| backend.verify(black_box(presented.token.as_bytes()), NOW).unwrap());
    });
    let (key, validation) =
        (DecodingKey::from_secret(SECRET.as_bytes()), validation(jsonwebtoken::Algorithm::HS256));
    group.bench_function("jsonwebtoken", |bencher| {
        bencher.iter(|| theirs(black_box(&presented.token), &key, &validation));
    });
    let many: Vec<_> = (0..MANY).map(|age| Presented::aged(age).token).collect();
    let mut next = many.iter().cycle();
    group.bench_function("jsonwebtoken, new", |bencher| {
        bencher.iter(|| theirs(black_box(next.next().unwrap()), &key, &validation));
    });
    group.finish();
}

pub(crate) fn public_keys(criterion: &mut Criterion) {
    let algorithms: [(_, _, &'static dyn VerificationAlgorithm); 3] = [
        ("RS256", "rsa2048", &RSA_PKCS1_2048_8192_SHA256),
        ("ES256", "p-256", &ECDSA_P256_SHA256_FIXED),
        ("EdDSA", "ed25519", &ED25519),
    ];
    for (name, file, raw) in algorithms {
        let presented = Presented::named(name, None, NOW);
        let (gate, headers) = (presented.gate().build().unwrap(), presented.headers());
        assert!(is_let_in(&gate, "/queues", &headers));
        let mut group = criterion.benchmark_group(name.to_lowercase());

        let key = decoding_key(name, file);
        let prepared = ParsedPublicKey::new(raw, key.try_get_as_bytes().unwrap()).unwrap();
        let (message, signature) = presented.token.rsplit_once('.').unwrap();
        let signature = URL_SAFE_NO_PAD.decode_to_vec(signature).unwrap();
        group.bench_function("verify alone", |bencher| {
            bencher.iter(|| prepared.verify_sig(black_box(message.as_bytes()), &signature).unwrap());
        });
        group.bench_function("forward", |bencher| {
            bencher.iter(|| decide(&gate, black_box("/queues"), black_box(&headers)));
        });
        let validation = validation(name.parse().unwrap());
        group.bench_function("jsonwebtoken", |bencher| {
            bencher.iter(|| theirs(black_box(&presented.token), &key, &validation));
        });
        group.finish();
    }
}

fn least(floor: &floor::Token, headers: &HeaderMap, room: &mut [u8]) -> bool {
    let claims = floor.check(headers, NOW.as_secs(), room);
    claims.is_some_and(|user| black_box((user.sub, user.name, user.is_admin, user.roles)).2)
}

/// As its documentation shows it.
fn theirs(token: &str, key: &DecodingKey, validation: &Validation) -> bool {
    let user = jsonwebtoken::decode::<Claims>(token, key, validation).unwrap().claims;
    black_box((user.sub, user.name, user.is_admin, user.roles)).2
}

/// The same questions as the gate's.
fn validation(algorithm: jsonwebtoken::Algorithm) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.set_audience(&[AUDIENCE]);
    validation.set_issuer(&[ISSUER]);
    validation
}

fn decoding_key(name: &str, file: &str) -> DecodingKey {
    let pem = pem(file);
    match name {
        "RS256" => DecodingKey::from_rsa_pem(&pem),
        "ES256" => DecodingKey::from_ec_pem(&pem),
        _ => DecodingKey::from_ed_pem(&pem),
    }
    .unwrap()
}
