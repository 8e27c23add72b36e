use std::fmt;

use aws_lc_rs::digest;
use base64_simd::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use zeroize::Zeroize as _;

use crate::base64url;

/// What a store keeps a session under.
///
/// It is a digest of the secret in the visitor's cookie: whoever reads the store, a log or a backup cannot make a cookie
/// of it, and however long a store takes to find one tells nothing of a secret. It prints as 43 characters of
/// base64url, in whole or shortened.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SessionId(#[serde(with = "base64url")] [u8; 32]);

/// The secret that a visitor's cookie holds where sessions are records. It is never compared: its digest is looked up.
pub(crate) struct SessionSecret([u8; 32]);

impl SessionId {
    /// Before all others.
    pub(crate) const FIRST: Self = Self([0; 32]);

    pub(crate) fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes that tell this session from all others.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl SessionSecret {
    pub(crate) fn new(random: [u8; 32]) -> Self {
        Self(random)
    }

    /// The secret in a cookie's value.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        base64url::decode_array(text).map(Self)
    }

    /// The value of the cookie.
    pub(crate) fn to_text(&self) -> String {
        URL_SAFE_NO_PAD.encode_to_string(self.0)
    }

    /// The secret itself, to seal with.
    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    pub(crate) fn id(&self) -> SessionId {
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(b"authgate session id\0");
        context.update(&self.0);
        let mut id = [0; 32];
        id.iter_mut().zip(context.finish().as_ref()).for_each(|(to, from)| *to = *from);
        SessionId(id)
    }
}

impl Drop for SessionSecret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode_to_string(self.0))
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.to_string();
        write!(f, "SessionId({}…)", text.get(..8).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_is_not_the_secret_and_both_are_stable() {
        let secret = SessionSecret::new([7; 32]);
        assert_ne!(secret.id().as_bytes(), &[7; 32]);
        let again = SessionSecret::parse(secret.to_text().as_bytes()).unwrap();
        assert_eq!(again.id(), secret.id());
        for text in ["", "AA", "\u{e9}", &"A".repeat(44), &format!("{}=", secret.to_text())] {
            assert!(SessionSecret::parse(text.as_bytes()).is_none(), "{text}");
        }
    }

    #[test]
    fn an_id_reads_back_as_it_was_written() {
        let id = SessionSecret::new([7; 32]).id();
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(serde_json::from_str::<SessionId>(&json).unwrap(), id);
        assert_eq!(json, format!("\"{id}\""));
    }

    #[test]
    fn an_id_is_told_in_whole_where_it_is_asked_for_and_else_shortened() {
        let (secret, other) = (SessionSecret::new([7; 32]), SessionSecret::new([8; 32]));
        assert_eq!(secret.bytes(), &[7; 32]);
        assert_ne!(secret.id().as_bytes(), other.id().as_bytes());
        let id = secret.id().to_string();
        assert_eq!((id.len(), format!("{:?}", secret.id())), (43, format!("SessionId({}…)", &id[..8])));
    }
}
