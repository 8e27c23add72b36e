use std::borrow::Cow;
use std::fmt;

use base64_simd::URL_SAFE_NO_PAD;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::fault::TokenFault;
use super::json::is_readable;
use super::keys::Keys;
use crate::Timestamp;
use crate::base64url::{self, Undecoded, room};

/// The longest token, in bytes. Checked before anything is decoded.
pub(super) const MAX_BYTES: usize = 64 * 1024;

/// The longest signature, in bytes: that of RSA with 8192 bits.
const MAX_SIGNATURE: usize = 1024;

/// What one of our keys has signed, and nobody has read yet.
pub(super) struct Signed<'t> {
    /// As the token has it, encoded.
    pub(super) payload: &'t [u8],
    /// The end of its signature: the same for a token that comes again, and spread evenly over all others by its low
    /// bits. (Of Ed25519 the last byte, which are the highest, is never more than 16: RFC 8032 §5.1.7.)
    pub(super) mark: u64,
}

impl Signed<'_> {
    pub(super) fn decode(&self) -> Result<Vec<u8>, TokenFault> {
        decode(self.payload)
    }
}

/// Checks a compact JWS (RFC 7515 §7.1): whether it is signed by one of our keys, with the algorithm that this key is for.
pub(super) fn open<'t>(token: &'t [u8], keys: &Keys, now: Timestamp) -> Result<Signed<'t>, Unproven> {
    if token.len() > MAX_BYTES {
        return Err(TokenFault::TooLong.into());
    }
    let signed = memchr::memrchr(b'.', token).ok_or(TokenFault::Encoding)?;
    let (message, signature) = token.split_at_checked(signed).ok_or(TokenFault::Encoding)?;
    let dot = memchr::memchr(b'.', message).ok_or(TokenFault::Encoding)?;
    let (header, payload) = message.split_at_checked(dot).ok_or(TokenFault::Encoding)?;
    let [payload, signature] = [payload, signature].map(|part| part.strip_prefix(b".").unwrap_or(part));

    let mut room = room::<MAX_SIGNATURE>();
    let signature: &[u8] = base64url::decode(signature, &mut room).map_err(|why| match why {
        Undecoded::Encoding => TokenFault::Encoding,
        // What is too long is no key's signature.
        Undecoded::TooLong => TokenFault::Signature,
    })?;
    match keys.usual(header) {
        Some(algorithm) => keys.check(algorithm, None, message, signature, now)?,
        None => {
            let header = decode(header)?;
            let header = Header::read(&header)?;
            let algorithm = keys.allowed(&header.algorithm).ok_or(TokenFault::Algorithm)?;
            keys.check(algorithm, header.key_id.as_deref(), message, signature, now)?;
        }
    }
    Ok(Signed { payload, mark: signature.last_chunk().map_or(0, |end| u64::from_le_bytes(*end)) })
}

/// Why a token proves nothing, as far as anybody here knows.
#[derive(Debug)]
pub(super) enum Unproven {
    Fault(TokenFault),
    /// Its key is in no set that has been fetched; its id, or nothing if it names none.
    UnknownKey(String),
    /// The provider's keys have not been fetched, or too long ago.
    NoKeys,
}

impl From<TokenFault> for Unproven {
    fn from(fault: TokenFault) -> Self {
        Self::Fault(fault)
    }
}

/// Canonical base64url without padding: one text for each value. A dot inside the payload fails here, too.
fn decode(part: &[u8]) -> Result<Vec<u8>, TokenFault> {
    URL_SAFE_NO_PAD.decode_to_vec(part).map_err(|_| TokenFault::Encoding)
}

/// What matters in a JOSE header (RFC 7515 §4). Keys that the token brings along (`jwk`, `jku`, `x5u`, `x5c`) are
/// not even read.
struct Header<'a> {
    algorithm: Cow<'a, str>,
    key_id: Option<Cow<'a, str>>,
}

impl<'a> Header<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, TokenFault> {
        let text = std::str::from_utf8(bytes).ok().filter(|text| is_readable(text));
        let members: Members<'_> =
            text.and_then(|text| serde_json::from_str(text).ok()).ok_or(TokenFault::Header)?;
        let text = |member: &'a RawValue| Text::of(member).ok_or(TokenFault::Header);
        let header = Self {
            algorithm: members.alg.map(text).transpose()?.unwrap_or_default(),
            key_id: members.kid.map(text).transpose()?,
        };
        // RFC 7515 §4.1.11 and RFC 7797: `crit` may not be ignored, and none is understood here.
        match members.b64.map(RawValue::get) {
            _ if members.crit => Err(TokenFault::Critical),
            None | Some("true") => Ok(header),
            Some("false") => Err(TokenFault::Critical),
            Some(_) => Err(TokenFault::Header),
        }
    }
}

/// The header's members, as the JSON text of each.
#[derive(Default)]
struct Members<'a> {
    alg: Option<&'a RawValue>,
    kid: Option<&'a RawValue>,
    b64: Option<&'a RawValue>,
    crit: bool,
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JOSE header")
            }

            // By hand and not derived: of duplicate names the last one counts, as every JSON reader in Python has it.
            fn visit_map<M: MapAccess<'de>>(self, mut object: M) -> Result<Self::Value, M::Error> {
                let mut members = Members::default();
                while let Some(Text(name)) = object.next_key()? {
                    match &*name {
                        "alg" => members.alg = Some(object.next_value()?),
                        "kid" => members.kid = Some(object.next_value()?),
                        "b64" => members.b64 = Some(object.next_value()?),
                        name => {
                            members.crit |= name == "crit";
                            object.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                Ok(members)
            }
        }

        json.deserialize_map(Object)
    }
}

/// A string, borrowed unless it has escapes.
pub(super) struct Text<'a>(pub(super) Cow<'a, str>);

impl<'a> Text<'a> {
    /// A string's text; nothing for any other value.
    pub(super) fn of(json: &'a RawValue) -> Option<Cow<'a, str>> {
        serde_json::from_str::<Self>(json.get()).ok().map(|text| text.0)
    }
}

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct Characters;

        impl<'de> Visitor<'de> for Characters {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }

        json.deserialize_str(Characters)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(json: &str) -> Result<(String, Option<String>), TokenFault> {
        Header::read(json.as_bytes())
            .map(|header| (header.algorithm.into_owned(), header.key_id.map(Cow::into_owned)))
    }

    #[test]
    fn t37_an_extension_that_must_be_understood_is_not() {
        for json in [
            r#"{"alg":"HS256","crit":["b64"],"b64":false}"#,
            r#"{"alg":"HS256","crit":[]}"#,
            r#"{"alg":"HS256","crit":null}"#,
            r#"{"alg":"HS256","b64":false}"#,
            r#"{"crit":"exp","alg":"HS256"}"#,
        ] {
            assert_eq!(header(json), Err(TokenFault::Critical), "{json}");
        }
    }

    #[test]
    fn t37_keys_in_the_header_are_not_read() {
        let json =
            r#"{"alg":"HS256","jwk":{"kty":"oct","k":"AA"},"jku":"https://evil.example","x5c":[1],"x5u":1}"#;
        assert_eq!(header(json), Ok(("HS256".into(), None)));
    }

    #[test]
    fn the_last_of_duplicate_members_counts() {
        assert_eq!(
            header(r#"{"alg":1,"alg":"none","alg":"HS256","kid":["a"],"kid":"b","b64":false,"b64":true}"#),
            Ok(("HS256".into(), Some("b".into())))
        );
        assert_eq!(header(r#"{"alg":"HS256","kid":"a","kid":7}"#), Err(TokenFault::Header));
    }

    #[test]
    fn t38_a_header_member_of_the_wrong_type_refuses() {
        for json in [
            r#"{"alg":1}"#,
            r#"{"alg":null}"#,
            r#"{"alg":["HS256"]}"#,
            r#"{"alg":"HS256","kid":1}"#,
            r#"{"alg":"HS256","kid":null}"#,
            r#"{"alg":"HS256","b64":"no"}"#,
            "[]",
            "1",
            "",
            "{",
            r#"{"alg":"HS256"}x"#,
            "\u{feff}{\"alg\":\"HS256\"}",
        ] {
            assert_eq!(header(json), Err(TokenFault::Header), "{json}");
        }
    }

    #[test]
    fn only_canonical_base64url_is_read() {
        assert_eq!(decode(b"aGk").unwrap(), b"hi");
        for part in ["aGk=", "aGl", "aG k", "aGk\n", "a+b/", "aGk.", "a", "\u{e9}"] {
            assert_eq!(decode(part.as_bytes()), Err(TokenFault::Encoding), "{part:?}");
        }
    }
}
