//! Keys that somebody publishes, and secrets that are none.

use std::sync::LazyLock;

use authgate_core::{Algorithm, JwtBackend, Key, KeySetLimits};
use base64_simd::URL_SAFE_NO_PAD;
use jsonwebtoken::EncodingKey;
use serde_json::Value;

use crate::world::{NOW, sign};

const PRIVATE: &str = include_str!("../../keys/ed25519.private.pem");
const KNOWN: &str = include_str!("../../keys/jwks.json");
const CLAIMS: &[u8] = br#"{"sub":"ada"}"#;

/// A token of the key called `ed25519` in the checked-in set.
static GOOD: LazyLock<String> = LazyLock::new(|| {
    let key = EncodingKey::from_ed_pem(PRIVATE.as_bytes()).unwrap();
    sign(br#"{"alg":"EdDSA","kid":"ed25519"}"#, CLAIMS, &key, jsonwebtoken::Algorithm::EdDSA)
});

/// The bytes are a key, a set of keys, or a secret. A set has no more usable keys than it lists public ones of a type that
/// signs; what is good for a key is no secret; a secret that was published signs nothing; and a set that cannot be used
/// leaves the one before it in force.
pub fn jwks(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        let _ = Key::secret(data);
        return;
    };
    let keys = [
        Key::jwk(text).ok().map(|key| vec![key]),
        Key::jwk_set(text).ok(),
        Key::pem(text).ok().map(|key| vec![key]),
    ];
    if keys.iter().any(Option::is_some) {
        assert!(Key::secret(text).is_err(), "a key is taken for a secret");
    }
    for keys in keys.into_iter().flatten() {
        assert!(!keys.is_empty());
        // Whether that fits is for the builder to say, and never a panic.
        let _ = JwtBackend::builder().keys(keys).algorithms(Algorithm::ALL.iter().copied()).build();
    }
    check_published(text);
}

fn check_published(text: &str) {
    let limits = KeySetLimits::default();
    let backend = JwtBackend::builder()
        .key_set(limits)
        .algorithms(Algorithm::ALL.iter().copied().filter(|&algorithm| is_public(algorithm)));
    let backend = backend.build().unwrap();
    let set = backend.key_set().unwrap();
    set.begin_fetch(NOW);
    assert_eq!(set.fetched(KNOWN, None, NOW).unwrap(), 5);
    assert!(backend.verify(GOOD.as_bytes(), NOW).is_ok());
    set.begin_fetch(NOW);
    let document: Option<Value> = serde_json::from_str(text).ok();
    let listed =
        document.as_ref().and_then(|document| document.get("keys")?.as_array().cloned()).unwrap_or_default();
    match set.fetched(text, None, NOW) {
        Err(_) => assert!(backend.verify(GOOD.as_bytes(), NOW).is_ok(), "the last good set goes on serving"),
        Ok(usable) => {
            assert!(
                usable > 0 && usable <= listed.iter().filter(|key| may_sign(key)).count(),
                "{usable} of {text}"
            );
            let known = backend.verify(GOOD.as_bytes(), NOW).is_ok();
            assert!(!known || text.contains("OKP") || text.contains('\\'), "a key that is not in the set");
        }
    }
    for key in &listed {
        check_secret(&backend, key);
    }
}

fn is_public(algorithm: Algorithm) -> bool {
    !algorithm.as_str().starts_with("HS")
}

/// Whether a key of a set could be one that signatures are checked with (RFC 7517 §4).
fn may_sign(key: &Value) -> bool {
    let is_public = matches!(key.get("kty").and_then(Value::as_str), Some("RSA" | "EC" | "OKP"))
        && key.get("d").is_none();
    let long = |name: &str| {
        let number =
            key.get(name).and_then(Value::as_str).and_then(|text| URL_SAFE_NO_PAD.decode_to_vec(text).ok());
        number.is_none_or(|bytes| bytes.iter().skip_while(|&&byte| byte == 0).count() >= 256)
    };
    let is_for_that = key.get("use").is_none_or(|usage| usage.is_null() || usage == "sig");
    is_public && is_for_that && (key["kty"] != "RSA" || long("n"))
}

/// A token signed with the secret of a symmetric key that everybody can fetch.
fn check_secret(backend: &JwtBackend, key: &Value) {
    let Some(secret) = key.get("k").and_then(Value::as_str) else { return };
    let Ok(secret) = URL_SAFE_NO_PAD.decode_to_vec(secret) else { return };
    let mut header = serde_json::json!({ "alg": "HS256" });
    if let Some(kid) = key.get("kid") {
        header["kid"] = kid.clone();
    }
    let signed = sign(
        header.to_string().as_bytes(),
        CLAIMS,
        &EncodingKey::from_secret(&secret),
        jsonwebtoken::Algorithm::HS256,
    );
    assert!(backend.verify(signed.as_bytes(), NOW).is_err(), "a published secret signs");
}
