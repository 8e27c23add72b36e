//! The least that any correct answer needs that remembers nothing, written down once and for this one token: prepared keys,
//! nothing allocated, nothing kept, no setting that could be another.

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hmac;
use base64_simd::{Out, URL_SAFE_NO_PAD};
use http::header::{AUTHORIZATION, HeaderMap};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::presented::{AUDIENCE, ISSUER, SECRET};

const HEADER: &[u8] = b"eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9";

#[derive(Deserialize)]
pub(crate) struct Claims<'a> {
    pub(crate) sub: &'a str,
    pub(crate) name: &'a str,
    pub(crate) is_admin: bool,
    /// Read when somebody asks.
    #[serde(borrow)]
    pub(crate) roles: &'a RawValue,
    exp: i64,
    iat: i64,
    aud: &'a str,
    iss: &'a str,
}

/// A prepared HMAC key.
pub(crate) struct Token(hmac::Key);

impl Token {
    pub(crate) fn new() -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes()))
    }

    /// The user's claims, decoded into `room`.
    pub(crate) fn check<'r>(&self, headers: &HeaderMap, now: i64, room: &'r mut [u8]) -> Option<Claims<'r>> {
        let token = headers.get(AUTHORIZATION)?.as_bytes().strip_prefix(b"Bearer ")?;
        let (message, signature) = token.split_at_checked(memchr::memrchr(b'.', token)?)?;
        let payload = message.strip_prefix(HEADER)?.strip_prefix(b".")?;
        let mut tag = [0; 32];
        let tag = URL_SAFE_NO_PAD.decode(signature.strip_prefix(b".")?, Out::from_slice(&mut tag)).ok()?;
        hmac::verify(&self.0, message, tag).ok()?;
        let length = URL_SAFE_NO_PAD.decoded_length(payload).ok()?;
        let json = URL_SAFE_NO_PAD.decode(payload, Out::from_slice(room.get_mut(..length)?)).ok()?;
        let claims: Claims<'_> = serde_json::from_slice(json).ok()?;
        (claims.exp > now && claims.iat <= now && claims.aud == AUDIENCE && claims.iss == ISSUER)
            .then_some(claims)
    }
}

/// The key of sealed texts, which are opened and read: the AEAD and the fields of a session.
pub(crate) struct Sealed(LessSafeKey);

/// The roles are left for whoever asks, as text.
#[derive(Serialize, Deserialize)]
pub(crate) struct Session<'a> {
    pub(crate) id: [u8; 32],
    pub(crate) user: &'a str,
    pub(crate) name: &'a str,
    pub(crate) is_admin: bool,
    pub(crate) roles: &'a str,
    pub(crate) extra: Option<&'a str>,
    pub(crate) credential: Option<[u8; 16]>,
    pub(crate) issued: i64,
    pub(crate) renewed: i64,
    pub(crate) until: i64,
    pub(crate) ends: i64,
}

impl Sealed {
    /// A key that is nobody's.
    pub(crate) fn new() -> Self {
        Self(LessSafeKey::new(UnboundKey::new(&AES_256_GCM_SIV, &[7; 32]).unwrap()))
    }

    pub(crate) fn seal(&self, session: &Session<'_>) -> String {
        let mut bytes = postcard::to_allocvec(session).unwrap();
        self.0.seal_in_place_append_tag(Nonce::from(&[7; 12]), Aad::from(CONTEXT), &mut bytes).unwrap();
        URL_SAFE_NO_PAD.encode_to_string([&[7; 12][..], &bytes].concat())
    }

    pub(crate) fn open<'r>(&self, text: &str, room: &'r mut [u8]) -> Option<Session<'r>> {
        let length = URL_SAFE_NO_PAD.decoded_length(text.as_bytes()).ok()?;
        let bytes = URL_SAFE_NO_PAD.decode(text.as_bytes(), Out::from_slice(room.get_mut(..length)?)).ok()?;
        let (nonce, sealed) = bytes.split_first_chunk_mut::<NONCE_LEN>()?;
        let plain = self.0.open_in_place(Nonce::from(&*nonce), Aad::from(CONTEXT), sealed).ok()?;
        postcard::from_bytes(plain).ok()
    }
}

/// As long as a gate's.
const CONTEXT: &[u8] = b"authgate session\0\x02authgate\0dashboard";
