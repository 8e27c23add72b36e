//! Bearer tokens that hold.

use std::hint::black_box;

use aws_lc_rs::signature::VerificationAlgorithm;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256};
use base64_simd::URL_SAFE_NO_PAD;
use http::header::HeaderMap;
use jsonwebtoken::{DecodingKey, Validation};
use serde::Deserialize;

use crate::cases::{Cases, in_turn};
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

pub(crate) fn hs256(cases: &mut Cases) {
    let presented = Presented::hs256();
    let gate = presented.gate().build().unwrap();
    assert!(is_let_in(&gate, "/queues", &presented.headers()));
    assert!(least(&floor::Token::new(), &presented.headers(), &mut [0; 1024]));

    let least = || {
        let (floor, mut room) = (floor::Token::new(), [0; 1024]);
        move |headers: &HeaderMap| least(&floor, headers, &mut room)
    };
    let decide = || {
        let gate = gate.clone();
        move |headers: &HeaderMap| decide(&gate, black_box("/queues"), headers)
    };
    let theirs = || {
        let key = DecodingKey::from_secret(SECRET.as_bytes());
        let validation = validation(jsonwebtoken::Algorithm::HS256);
        move |presented: &Presented| theirs(&presented.token, &key, &validation)
    };
    let again = || vec![presented.headers()];
    cases.add("hs256/floor", in_turn(again(), least()));
    cases.add("hs256/forward", in_turn(again(), decide()));
    // The token without a request around it, as jsonwebtoken has it.
    let backend = presented.backend().build().unwrap();
    let verify =
        move |presented: &Presented| backend.verify(black_box(presented.token.as_bytes()), NOW).unwrap();
    cases.add("hs256/verify", in_turn(vec![Presented::hs256()], verify));
    cases.add("hs256/jsonwebtoken", in_turn(vec![Presented::hs256()], theirs()));
    // Whoever is new is not in the processor's caches either, be it for the gate, its floor or its peer, which has the token
    // alone, and no request around it.
    let many = || (0..MANY).map(Presented::aged);
    let headers = || many().map(|presented| presented.headers()).collect();
    cases.add("hs256/floor, new", in_turn(headers(), least()));
    cases.add("hs256/new", in_turn(headers(), decide()));
    cases.add("hs256/jsonwebtoken, new", in_turn(many().collect(), theirs()));
}

pub(crate) fn public_keys(cases: &mut Cases) {
    let algorithms: [(_, _, &'static dyn VerificationAlgorithm); 3] = [
        ("RS256", "rsa2048", &RSA_PKCS1_2048_8192_SHA256),
        ("ES256", "p-256", &ECDSA_P256_SHA256_FIXED),
        ("EdDSA", "ed25519", &ED25519),
    ];
    for (name, file, raw) in algorithms {
        let presented = Presented::named(name, None, NOW);
        let (gate, headers) = (presented.gate().build().unwrap(), presented.headers());
        assert!(is_let_in(&gate, "/queues", &headers));
        let (key, validation) = (decoding_key(name, file), validation(name.parse().unwrap()));
        let prepared = ParsedPublicKey::new(raw, key.try_get_as_bytes().unwrap()).unwrap();
        let (message, signature) = presented.token.rsplit_once('.').unwrap();
        let (message, signature) = (message.to_owned(), URL_SAFE_NO_PAD.decode_to_vec(signature).unwrap());

        let name = name.to_lowercase();
        cases.add(format!("{name}/verify alone"), move || {
            prepared.verify_sig(black_box(message.as_bytes()), &signature).unwrap();
        });
        cases
            .add(format!("{name}/forward"), move || decide(&gate, black_box("/queues"), black_box(&headers)));
        let token = presented.token;
        cases.add(format!("{name}/jsonwebtoken"), move || theirs(black_box(&token), &key, &validation));
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
