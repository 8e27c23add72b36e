//! What several targets need: a moment, a token, and one line that tells how a request ended.

use std::fmt::Write as _;

use authgate_core::{Decision, JwtBackend, Key, Step, Timestamp, Unavailable};
use base64_simd::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, crypto};

/// The moment at which everything happens.
pub(crate) const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

/// The secret of every gate; 64 bytes, good for each HS*.
pub(crate) const SECRET: &str = "a secret of sixty-four bytes that is known to the tests only ....";

/// A backend whose tokens [`token`] makes.
pub(crate) fn jwt() -> JwtBackend {
    JwtBackend::builder().key(Key::secret(SECRET).unwrap()).build().unwrap()
}

/// A token of exactly these bytes, signed as `algorithm` says with whatever `key` is.
pub(crate) fn sign(header: &[u8], payload: &[u8], key: &EncodingKey, algorithm: Algorithm) -> String {
    let message = format!("{}.{}", base64(header), base64(payload));
    let signature = crypto::sign(message.as_bytes(), key, algorithm).unwrap();
    format!("{message}.{signature}")
}

/// An honest token with these claims.
pub(crate) fn token(claims: &str) -> String {
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    sign(br#"{"alg":"HS256","typ":"JWT"}"#, claims.as_bytes(), &key, Algorithm::HS256)
}

/// Canonical base64url.
pub(crate) fn base64(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode_to_string(bytes)
}

/// The end of a request that nobody needs to be asked about: whatever is asked cannot be answered.
pub(crate) fn end(mut step: Step) -> Decision {
    loop {
        step = match step {
            Step::Done(decision) => return decision,
            question => question.unavailable(Unavailable::new("nobody to ask"), NOW),
        };
    }
}

/// How a request ended, in a text that can be compared.
pub(crate) fn told(decision: &Decision) -> String {
    let event = decision.event();
    let mut text = format!("{} {} {} {:?}", event.outcome, event.reason.slug(), event.client, event.user);
    if let Decision::Respond(reply) = decision {
        write!(text, " {}", reply.status()).unwrap();
        for (name, value) in reply.headers() {
            write!(text, "\n{name}: {value:?}").unwrap();
        }
        write!(text, "\n\n{:?}", reply.body()).unwrap();
    }
    text
}
