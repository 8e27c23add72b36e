use std::fmt;
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use base64_simd::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use zeroize::Zeroizing;

use super::Session;
use super::cookie::LONGEST;
use crate::account::Fingerprint;
use crate::base64url::{self, room};
use crate::remembered::Remembered;
use crate::user::{Claims, User};
use crate::{ConfigError, SessionId, Timestamp};

/// The first byte of what is sealed. Another one is another version's, and nothing to us.
const VERSION: u8 = 2;

/// The shortest secret, in bytes: as many as the key that is derived from it has.
const SHORTEST: usize = 32;

/// A key that seals sessions into cookies.
///
/// Gates that share a key, a cookie's name and a realm share their sign-ins: whoever signed in to one has signed in to all.
/// That is the way to run one dashboard in several processes. Dashboards with different users need a secret each, or at
/// least a [`realm`](crate::GateBuilder::realm) each.
///
/// It is derived from a secret (HKDF-SHA256, RFC 5869), used with AES-256-GCM-SIV
/// (RFC 8452), which forgives a nonce that is drawn twice.
pub struct SealingKey(LessSafeKey);

/// The keys of a gate: the first seals, all of them open.
pub(crate) struct KeyRing {
    keys: Vec<SealingKey>,
    /// What is authenticated beside the session: one version's cookie is no other's, nor one name's, nor one realm's.
    context: Vec<u8>,
    /// Sessions that were read, by what was sealed.
    opened: Remembered<Session>,
}

impl SealingKey {
    /// A key from a secret of at least 32 bytes that nobody can guess, such as `authgate secret` prints. The secret
    /// stays the caller's, who erases it: lend it, and do not give it away.
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
    pub(crate) fn new(keys: Vec<SealingKey>, name: &str, realm: &str) -> Result<Self, ConfigError> {
        if keys.is_empty() {
            return Err(ConfigError::new(
                "session_secret",
                "sealed sessions have no key",
                "give one, or several to rotate: the first seals, all of them open",
            ));
        }
        let context =
            [&b"authgate session\0"[..], &[VERSION], name.as_bytes(), b"\0", realm.as_bytes()].concat();
        Ok(Self { keys, context, opened: Remembered::default() })
    }

    /// The value of a cookie that nobody else can read or make.
    pub(crate) fn seal(&self, session: &Session, random: &[u8; 32]) -> Option<String> {
        let mut bytes = postcard::to_allocvec(&Sealed::from(session)).ok()?;
        let nonce: [u8; NONCE_LEN] = *random.first_chunk()?;
        let key = &self.keys.first()?.0;
        key.seal_in_place_append_tag(Nonce::from(&nonce), Aad::from(&self.context), &mut bytes).ok()?;
        Some(URL_SAFE_NO_PAD.encode_to_string([&[VERSION], &nonce[..], &bytes].concat()))
    }

    /// What was sealed, if it was sealed with one of our keys.
    pub(crate) fn open(&self, text: &[u8]) -> Option<Session> {
        (text.len() <= LONGEST).then_some(())?;
        self.keys.iter().find_map(|key| {
            // Once more for each key: it is opened in place, and what the wrong key has made of it opens nothing.
            let mut room = room::<LONGEST>();
            let bytes = base64url::decode(text, &mut room).ok()?;
            let (version, rest) = bytes.split_first_mut()?;
            let (nonce, sealed) = rest.split_first_chunk_mut::<NONCE_LEN>()?;
            (*version == VERSION).then_some(())?;
            let mark = u64::from_le_bytes(*nonce.first_chunk()?);
            let plain = key.0.open_in_place(Nonce::from(&*nonce), Aad::from(&self.context), sealed).ok()?;
            // Whether a session holds is asked behind this; if it does not, the browser is told to forget its cookie.
            self.opened.recall(mark, plain, |_| true).or_else(|| {
                let (session, behind) = postcard::take_from_bytes::<Sealed>(plain).ok()?;
                let session = behind.is_empty().then(|| Session::from(session))?;
                self.opened.note(mark, plain, &session);
                Some(session)
            })
        })
    }
}

/// What is sealed: a session, field by field. A change of it is another [`VERSION`].
#[derive(Serialize, Deserialize)]
struct Sealed {
    id: [u8; 32],
    user: SmolStr,
    name: SmolStr,
    is_admin: bool,
    roles: Vec<SmolStr>,
    extra: Option<Claims>,
    credential: Option<[u8; 16]>,
    issued: Timestamp,
    renewed: Timestamp,
    until: Timestamp,
    ends: Timestamp,
}

impl From<&Session> for Sealed {
    fn from(session: &Session) -> Self {
        let user = &session.user;
        Self {
            id: *session.id.as_bytes(),
            user: user.id.clone(),
            name: user.name.clone(),
            is_admin: user.is_admin,
            roles: user.roles.clone(),
            extra: user.extra.clone(),
            credential: session.credential.map(Fingerprint::bytes),
            issued: session.issued,
            renewed: session.renewed,
            until: session.until,
            ends: session.ends,
        }
    }
}

impl From<Sealed> for Session {
    fn from(sealed: Sealed) -> Self {
        let Sealed { id, user, name, is_admin, roles, extra, credential, .. } = sealed;
        Self {
            id: SessionId::from_bytes(id),
            user: Arc::new(User { id: user, name, is_admin, roles, claims: None, extra }),
            credential: credential.map(Fingerprint::from_bytes),
            issued: sealed.issued,
            renewed: sealed.renewed,
            until: sealed.until,
            ends: sealed.ends,
        }
    }
}

fn derive(secret: &[u8]) -> Option<LessSafeKey> {
    let mut key = Zeroizing::new([0; 32]);
    let derived = Salt::new(HKDF_SHA256, b"authgate").extract(secret);
    derived.expand(&[b"sealed session"], HKDF_SHA256).ok()?.fill(&mut *key).ok()?;
    UnboundKey::new(&AES_256_GCM_SIV, &*key).ok().map(LessSafeKey::new)
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealingKey(•••)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::tests::session;

    fn ring_of(secrets: &[&str], name: &str, realm: &str) -> KeyRing {
        let keys = secrets.iter().map(|secret| SealingKey::new(secret).unwrap()).collect();
        KeyRing::new(keys, name, realm).unwrap()
    }

    fn ring(secrets: &[&str]) -> KeyRing {
        ring_of(secrets, "s", "dashboard")
    }

    fn seal(ring: &KeyRing) -> String {
        ring.seal(&session("ada"), &[3; 32]).unwrap()
    }

    const OLD: &str = "an old secret of thirty-two bytes or more";
    const NEW: &str = "a new secret of thirty-two bytes or more";

    #[test]
    fn what_is_sealed_opens_again_and_is_not_readable() {
        let text = seal(&ring(&[OLD]));
        assert_eq!(ring(&[OLD]).open(text.as_bytes()), Some(session("ada")));
        assert!(!String::from_utf8_lossy(&URL_SAFE_NO_PAD.decode_to_vec(&text).unwrap()).contains("ada"));
    }

    /// With everything that a session may have.
    fn whole() -> Session {
        Session {
            user: Arc::new(User {
                name: "Ada Lovelace".into(),
                is_admin: true,
                roles: vec!["ops".into(), "a role of more than twenty-three bytes".into()],
                extra: Claims::from_json(r#"{"desk":[1,"\u00e9"]}"#),
                ..User::new("ada")
            }),
            issued: Timestamp::from_millis(-1),
            ends: Timestamp::from_millis(i64::MAX),
            ..session("ada")
        }
    }

    /// Seals what no gate would.
    fn forge(ring: &KeyRing, mut bytes: Vec<u8>) -> String {
        let key = &ring.keys[0].0;
        key.seal_in_place_append_tag(Nonce::from(&[3; 12]), Aad::from(&ring.context), &mut bytes).unwrap();
        URL_SAFE_NO_PAD.encode_to_string([&[VERSION], &[3; 12][..], &bytes].concat())
    }

    #[test]
    fn a_session_is_sealed_with_all_that_it_has_and_nothing_behind_it() {
        let ring = ring(&[OLD]);
        for session in [whole(), Session { credential: None, ..session("") }] {
            let mut bytes = postcard::to_allocvec(&Sealed::from(&session)).unwrap();
            assert_eq!(forge(&ring, bytes.clone()), ring.seal(&session, &[3; 32]).unwrap());
            assert_eq!(ring.open(forge(&ring, bytes.clone()).as_bytes()), Some(session));
            bytes.push(0);
            assert!(ring.open(forge(&ring, bytes).as_bytes()).is_none());
        }
    }

    #[test]
    fn what_a_host_notes_about_a_user_is_an_object_or_nothing_opens() {
        let ring = ring(&[OLD]);
        for (extra, opens) in [("{}", true), ("[]", false), ("{", false), ("", false)] {
            let user = ("ada", "ada", false, [""; 0].as_slice(), Some(extra));
            let bytes = postcard::to_allocvec(&([1_u8; 32], user, None::<[u8; 16]>, [0_i64; 4])).unwrap();
            assert_eq!(ring.open(forge(&ring, bytes).as_bytes()).is_some(), opens, "{extra}");
        }
    }

    #[test]
    fn these_bytes_are_what_this_version_seals() {
        let bytes = postcard::to_allocvec(&Sealed::from(&whole())).unwrap();
        assert_eq!(URL_SAFE_NO_PAD.encode_to_string(bytes), GOLDEN);
    }

    const GOLDEN: &str = concat!(
        "CNRl_qoOX9VQRni1T9pgtzNUx79IvPvc8BbthQXGn4cDYWRhDEFkYSBMb3ZlbGFjZQECA29wcyZhIHJvbGUg",
        "b2YgbW9yZSB0aGFuIHR3ZW50eS10aHJlZSBieXRlcwEVeyJkZXNrIjpbMSwiXHUwMGU5Il19AWGYg8zYGCxH",
        "PKqDFPsgM7UBgIl6gObVAv7__________wE",
    );

    #[test]
    fn the_first_key_seals_all_open_and_a_removed_one_does_not() {
        let text = seal(&ring(&[OLD]));
        assert!(ring(&[NEW, OLD]).open(text.as_bytes()).is_some());
        assert!(ring(&[NEW]).open(text.as_bytes()).is_none());
        let text = seal(&ring(&[NEW, OLD]));
        assert!(ring(&[NEW]).open(text.as_bytes()).is_some());
        assert!(ring(&[OLD]).open(text.as_bytes()).is_none());
    }

    #[test]
    fn any_change_any_cut_another_name_and_another_realm_are_refused() {
        let ring = ring(&[OLD]);
        let text = seal(&ring);
        let bytes = URL_SAFE_NO_PAD.decode_to_vec(&text).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(ring.open(URL_SAFE_NO_PAD.encode_to_string(&changed).as_bytes()).is_none(), "bit {bit}");
        }
        for length in 0..bytes.len() {
            assert!(ring.open(URL_SAFE_NO_PAD.encode_to_string(&bytes[..length]).as_bytes()).is_none());
        }
        assert!(ring.open(format!("{text}A").as_bytes()).is_none());
        assert!(ring.open(format!("{text}=").as_bytes()).is_none());
        assert!(ring_of(&[OLD], "other", "dashboard").open(text.as_bytes()).is_none());
        assert!(ring_of(&[OLD], "s", "another").open(text.as_bytes()).is_none());
        assert!(ring.open("A".repeat(5000).as_bytes()).is_none());
    }

    #[test]
    fn t26_a_secret_that_is_none_is_refused_and_no_key_prints() {
        for secret in [&b""[..], &[7; 31], &[7; 64]] {
            assert_eq!(SealingKey::new(secret).unwrap_err().field(), "session_secret");
        }
        assert!(KeyRing::new(Vec::new(), "s", "dashboard").is_err());
        assert_eq!(format!("{:?}", SealingKey::new(OLD).unwrap()), "SealingKey(•••)");
    }
}
