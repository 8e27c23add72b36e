//! Bytes of a known length as text, wherever sessions are written down.

use base64_simd::{Out, URL_SAFE_NO_PAD};
use serde::de::Error as _;
use serde::{Deserialize as _, Deserializer, Serializer};

pub(crate) fn serialize<S: Serializer, const N: usize>(bytes: &[u8; N], to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&URL_SAFE_NO_PAD.encode_to_string(bytes))
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>, const N: usize>(from: D) -> Result<[u8; N], D::Error> {
    let text = std::borrow::Cow::<str>::deserialize(from)?;
    decode(text.as_bytes()).ok_or_else(|| D::Error::custom("not base64url of the right length"))
}

/// The `N` bytes that `text` stands for, if it stands for exactly as many.
pub(crate) fn decode<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    (URL_SAFE_NO_PAD.decoded_length(text).ok()? == N).then_some(())?;
    let decoded = URL_SAFE_NO_PAD.decode(text, Out::from_slice(&mut bytes)).ok()?;
    (decoded.len() == N).then_some(())?;
    Some(bytes)
}
