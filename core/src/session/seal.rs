use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use base64_simd::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use zeroize::Zeroize as _;

use super::{Session, SessionId};
use crate::ConfigError;

/// The first byte of what is sealed. Another one is another version's, and nothing to us.
const VERSION: u8 = 1;

/// The shortest secret, in bytes: as many as the key that is derived from it has.
const SHORTEST: usize = 32;

/// A key that seals sessions into cookies: derived from a secret (HKDF-SHA256, RFC 5869), used with AES-256-GCM-SIV
/// (RFC 8452), which forgives a nonce that is drawn twice.
pub struct SealingKey(LessSafeKey);

/// What a sealed cookie holds.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sealed {
    pub(crate) id: SessionId,
    pub(crate) session: Session,
}

/// The keys of a gate: the first seals, all of them open.
pub(crate) struct KeyRing(Vec<SealingKey>);

impl SealingKey {
    /// A key from a secret of at least 32 bytes that nobody can guess, such as `authgate secret` prints.
    ///
    /// # Errors
    /// A secret that is shorter, or that is the same byte over and over.
    pub fn new(secret: impl AsRef<[u8]>) -> Result<Self, ConfigError> {
        let secret = secret.as_ref();
        let refuse = |problem: String| {
            Err(ConfigError::new("session_secret", problem, "make one with `authgate secret`"))
        };
        if secret.len() < SHORTEST {
            return refuse(format!("{} bytes are too few, {SHORTEST} are needed", secret.len()));
        }
        let first = secret.first();
        if secret.iter().all(|byte| Some(byte) == first) {
            return refuse("it is one byte over and over".to_owned());
        }
        derive(secret).map_or_else(|| refuse("no key can be derived from it".to_owned()), |key| Ok(Self(key)))
    }
}

impl KeyRing {
    pub(crate) fn new(keys: Vec<SealingKey>) -> Result<Self, ConfigError> {
        if keys.is_empty() {
            return Err(ConfigError::new(
                "session_secret",
                "sealed sessions have no key",
                "give one, or several to rotate: the first seals, all of them open",
            ));
        }
        Ok(Self(keys))
    }

    /// The value of a cookie that nobody else can read or make. `name` is the cookie's: one cookie is no other.
    pub(crate) fn seal(&self, sealed: &Sealed, name: &str, random: &[u8; 32]) -> Option<String> {
        let mut text = serde_json::to_vec(sealed).ok()?;
        let nonce: [u8; NONCE_LEN] = *random.first_chunk()?;
        let aad = aad(name);
        self.0.first()?.0.seal_in_place_append_tag(Nonce::from(&nonce), Aad::from(aad), &mut text).ok()?;
        Some(URL_SAFE_NO_PAD.encode_to_string([&[VERSION], &nonce[..], &text].concat()))
    }

    /// What was sealed, if it was sealed with one of our keys.
    pub(crate) fn open(&self, text: &str, name: &str) -> Option<Sealed> {
        let bytes = URL_SAFE_NO_PAD.decode_to_vec(text).ok()?;
        let (&version, rest) = bytes.split_first()?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_LEN>()?;
        (version == VERSION).then_some(())?;
        let aad = aad(name);
        self.0.iter().find_map(|key| {
            let mut copy = sealed.to_vec();
            let plain = key.0.open_in_place(Nonce::from(nonce), Aad::from(&aad), &mut copy).ok()?;
            serde_json::from_slice(plain).ok()
        })
    }
}

/// What is authenticated beside the session itself.
fn aad(name: &str) -> Vec<u8> {
    [&b"authgate session\0"[..], &[VERSION], name.as_bytes()].concat()
}

fn derive(secret: &[u8]) -> Option<LessSafeKey> {
    let mut key = [0; 32];
    let derived = Salt::new(HKDF_SHA256, b"authgate").extract(secret);
    derived.expand(&[b"sealed session"], HKDF_SHA256).ok()?.fill(&mut key).ok()?;
    let prepared = UnboundKey::new(&AES_256_GCM_SIV, &key).ok().map(LessSafeKey::new);
    key.zeroize();
    prepared
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealingKey(•••)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::id::SessionSecret;
    use crate::session::tests::session;

    fn ring(secrets: &[&str]) -> KeyRing {
        KeyRing::new(secrets.iter().map(|secret| SealingKey::new(secret).unwrap()).collect()).unwrap()
    }

    fn sealed() -> Sealed {
        Sealed { id: SessionSecret::new([1; 32]).id(), session: session("ada") }
    }

    const OLD: &str = "an old secret of thirty-two bytes or more";
    const NEW: &str = "a new secret of thirty-two bytes or more";

    #[test]
    fn what_is_sealed_opens_again_and_is_not_readable() {
        let text = ring(&[OLD]).seal(&sealed(), "s", &[3; 32]).unwrap();
        let opened = ring(&[OLD]).open(&text, "s").unwrap();
        assert_eq!((opened.id, opened.session), (sealed().id, sealed().session));
        assert!(!String::from_utf8_lossy(&URL_SAFE_NO_PAD.decode_to_vec(&text).unwrap()).contains("ada"));
    }

    #[test]
    fn the_first_key_seals_all_open_and_a_removed_one_does_not() {
        let text = ring(&[OLD]).seal(&sealed(), "s", &[3; 32]).unwrap();
        assert!(ring(&[NEW, OLD]).open(&text, "s").is_some());
        assert!(ring(&[NEW]).open(&text, "s").is_none());
        let text = ring(&[NEW, OLD]).seal(&sealed(), "s", &[3; 32]).unwrap();
        assert!(ring(&[NEW]).open(&text, "s").is_some());
        assert!(ring(&[OLD]).open(&text, "s").is_none());
    }

    #[test]
    fn any_change_of_any_bit_any_cut_and_another_name_is_refused() {
        let ring = ring(&[OLD]);
        let text = ring.seal(&sealed(), "s", &[3; 32]).unwrap();
        let bytes = URL_SAFE_NO_PAD.decode_to_vec(&text).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(ring.open(&URL_SAFE_NO_PAD.encode_to_string(&changed), "s").is_none(), "bit {bit}");
        }
        for length in 0..bytes.len() {
            assert!(ring.open(&URL_SAFE_NO_PAD.encode_to_string(&bytes[..length]), "s").is_none());
        }
        assert!(ring.open(&text, "other").is_none());
        assert!(ring.open(&format!("{text}A"), "s").is_none());
        assert!(ring.open(&format!("{text}="), "s").is_none());
    }

    #[test]
    fn t26_a_secret_that_is_none_is_refused_and_no_key_prints() {
        for secret in [&b""[..], &[7; 31], &[7; 64]] {
            assert_eq!(SealingKey::new(secret).unwrap_err().field(), "session_secret");
        }
        assert!(KeyRing::new(Vec::new()).is_err());
        assert_eq!(format!("{:?}", SealingKey::new(OLD).unwrap()), "SealingKey(•••)");
    }
}
