//! Makes tokens, honest or not: any header, any payload, signed with any key, byte by byte.

use std::fs;
use std::path::PathBuf;

use aws_lc_rs::signature::{self, EcdsaKeyPair, Ed25519KeyPair, RsaKeyPair};
use aws_lc_rs::{hmac, rand};
use base64_simd::URL_SAFE_NO_PAD;

/// The secret of every gate in the tests; 64 bytes, good for each HS*.
pub const SECRET: &str = "a secret of sixty-four bytes that is known to the tests only ....";

/// A signature over the message, or whatever stands in its place.
pub type Sign<'a> = &'a dyn Fn(&[u8]) -> Vec<u8>;

/// [`Sign`], with a key of its own.
pub type Signer = Box<dyn Fn(&[u8]) -> Vec<u8>>;

/// A compact JWS of exactly these texts.
pub fn token(header: &str, payload: &str, sign: Sign<'_>) -> String {
    token_of_bytes(header.as_bytes(), payload.as_bytes(), sign)
}

/// A compact JWS of exactly these bytes.
pub fn token_of_bytes(header: &[u8], payload: &[u8], sign: Sign<'_>) -> String {
    let message = format!("{}.{}", base64(header), base64(payload));
    let signature = base64(&sign(message.as_bytes()));
    format!("{message}.{signature}")
}

/// An honest HS256 token with these claims.
pub fn honest(payload: &str) -> String {
    token(r#"{"alg":"HS256","typ":"JWT"}"#, payload, &hs256(SECRET))
}

/// Canonical base64url.
pub fn base64(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode_to_string(bytes)
}

/// Signs with HMAC and SHA-256.
pub fn hs256(secret: &str) -> impl Fn(&[u8]) -> Vec<u8> {
    hmac_with(hmac::HMAC_SHA256, secret.as_bytes())
}

/// Signs with HMAC.
pub fn hmac_with(algorithm: hmac::Algorithm, secret: &[u8]) -> impl Fn(&[u8]) -> Vec<u8> + use<> {
    let key = hmac::Key::new(algorithm, secret);
    move |message| hmac::sign(&key, message).as_ref().to_vec()
}

/// Signs with the algorithm of this name and the checked-in key that fits it.
pub fn signer(algorithm: &str) -> Signer {
    match algorithm {
        "HS256" => Box::new(hmac_with(hmac::HMAC_SHA256, SECRET.as_bytes())),
        "HS384" => Box::new(hmac_with(hmac::HMAC_SHA384, SECRET.as_bytes())),
        "HS512" => Box::new(hmac_with(hmac::HMAC_SHA512, SECRET.as_bytes())),
        "RS256" => rsa(&signature::RSA_PKCS1_SHA256),
        "RS384" => rsa(&signature::RSA_PKCS1_SHA384),
        "RS512" => rsa(&signature::RSA_PKCS1_SHA512),
        "PS256" => rsa(&signature::RSA_PSS_SHA256),
        "PS384" => rsa(&signature::RSA_PSS_SHA384),
        "PS512" => rsa(&signature::RSA_PSS_SHA512),
        "ES256" => ec(&signature::ECDSA_P256_SHA256_FIXED_SIGNING, "p-256"),
        "ES384" => ec(&signature::ECDSA_P384_SHA384_FIXED_SIGNING, "p-384"),
        "ES512" => ec(&signature::ECDSA_P521_SHA512_FIXED_SIGNING, "p-521"),
        "EdDSA" => {
            let key = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&private("ed25519")).unwrap();
            Box::new(move |message| key.sign(message).as_ref().to_vec())
        }
        other => panic!("no key for {other}"),
    }
}

/// The PEM text of a checked-in public key.
pub fn public_pem(name: &str) -> String {
    fs::read_to_string(keys().join(format!("{name}.pem"))).unwrap()
}

/// The name of the checked-in key that fits an algorithm.
pub fn key_name(algorithm: &str) -> &'static str {
    match algorithm {
        "ES256" => "p-256",
        "ES384" => "p-384",
        "ES512" => "p-521",
        "EdDSA" => "ed25519",
        _ => "rsa2048",
    }
}

/// A JWK Set of those of the checked-in public keys that have these ids.
pub fn jwk_set(ids: &[&str]) -> String {
    let text = fs::read_to_string(keys().join("jwks.json")).unwrap();
    let mut set: serde_json::Value = serde_json::from_str(&text).unwrap();
    set["keys"].as_array_mut().unwrap().retain(|key| ids.iter().any(|id| key["kid"] == *id));
    set.to_string()
}

fn rsa(padding: &'static dyn signature::RsaEncoding) -> Signer {
    let key = RsaKeyPair::from_pkcs8(&private("rsa2048")).unwrap();
    Box::new(move |message| {
        let mut made = vec![0; key.public_modulus_len()];
        key.sign(padding, &rand::SystemRandom::new(), message, &mut made).unwrap();
        made
    })
}

fn ec(algorithm: &'static signature::EcdsaSigningAlgorithm, name: &str) -> Signer {
    let key = EcdsaKeyPair::from_pkcs8(algorithm, &private(name)).unwrap();
    Box::new(move |message| key.sign(&rand::SystemRandom::new(), message).unwrap().as_ref().to_vec())
}

fn private(name: &str) -> Vec<u8> {
    let text = fs::read_to_string(keys().join(format!("{name}.private.pem"))).unwrap();
    pem::parse(text).unwrap().into_contents()
}

fn keys() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("keys")
}
