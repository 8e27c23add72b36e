use authgate_core::{Fingerprint, Session, SessionId, Timestamp};
use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::digest;
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use serde_json::json;

use super::person::Person;
use crate::forge;

/// A session as it lies in a store or in a sealed cookie; any of it may be nonsense. Moments are milliseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Which one: that of the [`secret`] with this number.
    pub number: u8,
    /// Whose.
    pub person: Person,
    /// What they proved themselves with, if that is known.
    pub credential: Option<&'static str>,
    /// When they signed in.
    pub issued: i64,
    /// When it was renewed last.
    pub renewed: i64,
    /// When it ends unless it is renewed.
    pub until: i64,
    /// When it ends whatever happens.
    pub ends: i64,
}

/// The value of a cookie that leads to the record of this number.
pub fn secret(number: u8) -> String {
    forge::base64(&[number; 32])
}

impl Kept {
    /// What it is kept under: a digest of the secret.
    pub fn id(number: u8) -> SessionId {
        let text = [&b"authgate session id\0"[..], &[number; 32]].concat();
        let digest = digest::digest(&digest::SHA256, &text);
        serde_json::from_value(json!(forge::base64(digest.as_ref()))).unwrap()
    }

    /// As a store gives it back.
    pub fn session(&self) -> Session {
        serde_json::from_value(self.json()).unwrap()
    }

    fn json(&self) -> serde_json::Value {
        let moment = Timestamp::from_millis;
        let Person { id, is_admin, roles } = &self.person;
        json!({
            "id": Self::id(self.number),
            "user": {"id": id, "name": id, "is_admin": is_admin, "roles": roles},
            "credential": self.credential.map(Fingerprint::of),
            "issued": moment(self.issued),
            "renewed": moment(self.renewed),
            "until": moment(self.until),
            "ends": moment(self.ends),
        })
    }

    /// As it stands in a cookie: field after field, without their names.
    fn bytes(&self) -> Vec<u8> {
        let Person { id, is_admin, roles } = &self.person;
        let extra: Option<&str> = None;
        let credential: Option<[u8; 16]> = self.credential.map(|credential| {
            let text = [&b"authgate credential\0"[..], credential.as_bytes()].concat();
            *digest::digest(&digest::SHA256, &text).as_ref().first_chunk().unwrap()
        });
        let user = (id, id, is_admin, roles, extra);
        let moments = (self.issued, self.renewed, self.until, self.ends);
        postcard::to_allocvec(&(Self::id(self.number).as_bytes(), user, credential, moments)).unwrap()
    }

    /// The cookie that holds it, as whoever has the `key` seals it; written here a second time, so that the tests can seal
    /// what no gate would.
    pub fn seal(&self, key: &str, cookie: &str, realm: &str) -> String {
        let extracted = Salt::new(HKDF_SHA256, b"authgate").extract(key.as_bytes());
        let mut bytes = [0; 32];
        extracted.expand(&[b"sealed session"], HKDF_SHA256).unwrap().fill(&mut bytes).unwrap();
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM_SIV, &bytes).unwrap());
        let context = [&b"authgate session\0\x02"[..], cookie.as_bytes(), b"\0", realm.as_bytes()].concat();
        let (nonce, mut text) = ([7; 12], self.bytes());
        key.seal_in_place_append_tag(Nonce::from(&nonce), Aad::from(&context), &mut text).unwrap();
        forge::base64(&[&[2], &nonce[..], &text].concat())
    }
}
