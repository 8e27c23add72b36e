use std::collections::BTreeMap;

use aws_lc_rs::hmac;
use aws_lc_rs::signature::ParsedPublicKey;

use super::algorithm::Algorithm;
use super::key::Key;
use crate::ConfigError;

/// A key prepared for one algorithm.
#[derive(Debug)]
pub(super) enum Check {
    // Boxed: the prepared state is twenty times a public key's handle.
    Hmac(Box<hmac::Key>),
    Public(ParsedPublicKey),
}

impl Check {
    /// Whether `signature` is this key's over `message`. HMAC tags are compared in constant time.
    fn holds(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Hmac(key) => hmac::verify(key, message, signature).is_ok(),
            Self::Public(key) => key.verify_sig(message, signature).is_ok(),
        }
    }
}

/// All keys, by the algorithm that each is pinned to.
#[derive(Debug)]
pub(super) struct Verifiers(Vec<(Algorithm, Ring)>);

/// The keys of one algorithm, in the order given.
#[derive(Debug, Default)]
struct Ring {
    checks: Vec<Check>,
    by_id: BTreeMap<String, Vec<usize>>,
    without_id: Vec<usize>,
}

impl Verifiers {
    /// Pairs each allowed algorithm with the keys that fit it.
    pub(super) fn new(keys: &[Key], algorithms: &[Algorithm]) -> Result<Self, ConfigError> {
        let mut rings = Vec::with_capacity(algorithms.len());
        for &algorithm in algorithms {
            let mut ring = Ring::default();
            for key in keys {
                let Some(check) = key.prepare(algorithm)? else { continue };
                let index = ring.checks.len();
                ring.checks.push(check);
                match key.id() {
                    Some(id) => ring.by_id.entry(id.to_owned()).or_default().push(index),
                    None => ring.without_id.push(index),
                }
            }
            if ring.checks.is_empty() {
                return Err(ConfigError::new(
                    "algorithms",
                    format!("no key fits {algorithm}"),
                    "HS* takes a secret, RS* and PS* an RSA key, ES* a key on its curve, EdDSA an Ed25519 key",
                ));
            }
            rings.push((algorithm, ring));
        }
        Ok(Self(rings))
    }

    /// Whether a key of the algorithm called `name` signed `message`; nothing if no such algorithm is allowed.
    ///
    /// A known `kid` selects its keys. Without one, or with one that nobody knows, it is only a hint: then all keys,
    /// or all that have no id, are tried in order.
    pub(super) fn check(
        &self,
        name: &str,
        kid: Option<&str>,
        message: &[u8],
        signature: &[u8],
    ) -> Option<bool> {
        let (_, ring) = self.0.iter().find(|(algorithm, _)| algorithm.as_str() == name)?;
        let holds =
            |&index: &usize| ring.checks.get(index).is_some_and(|check| check.holds(message, signature));
        Some(match kid {
            Some(kid) => ring.by_id.get(kid).unwrap_or(&ring.without_id).iter().any(holds),
            None => ring.checks.iter().any(|check| check.holds(message, signature)),
        })
    }
}
