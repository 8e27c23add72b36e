use std::collections::{BTreeMap, BTreeSet};

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
pub(super) struct Verifiers {
    rings: Vec<(Algorithm, Ring)>,
    /// The ids of all keys, whatever their algorithm.
    ids: BTreeSet<String>,
}

/// The keys of one algorithm, in the order given.
#[derive(Debug, Default)]
struct Ring {
    checks: Vec<Check>,
    by_id: BTreeMap<String, Vec<usize>>,
}

/// How many keys a token without a known `kid` is tried with: enough for any rotation, and few enough that a flood of
/// forged ones costs little.
const MOST_TRIES: usize = 16;

impl Verifiers {
    /// Pairs each allowed algorithm with the keys that fit it. Where `others` may have keys, too, one may be without.
    pub(super) fn new(keys: &[Key], algorithms: &[Algorithm], others: bool) -> Result<Self, ConfigError> {
        let mut unused: Vec<&Key> = keys.iter().filter(|key| !key.from_set).collect();
        let rings = algorithms.iter().map(|&algorithm| {
            let mut ring = Ring::default();
            for key in keys {
                let Some(check) = key.prepare(algorithm)? else { continue };
                unused.retain(|other| !std::ptr::eq(*other, key));
                ring.push(check, key.id());
            }
            if ring.checks.is_empty() && (!others || algorithm.is_hmac()) {
                return Err(ConfigError::new(
                    "algorithms",
                    format!("no key fits {algorithm}"),
                    "HS* takes a secret, RS* and PS* an RSA key, ES* a key on its curve, EdDSA an Ed25519 key",
                ));
            }
            Ok((algorithm, ring))
        });
        let rings = rings.collect::<Result<_, _>>()?;
        if !unused.is_empty() {
            return Err(ConfigError::new(
                "algorithms",
                "a key fits none of those allowed",
                "allow an algorithm that it is for, or leave the key out",
            ));
        }
        Ok(Self { rings, ids: ids(keys) })
    }

    /// The same for keys that somebody else publishes, of which some may be for nothing here, and how many are for
    /// something; nothing if none is.
    pub(super) fn of_set(keys: &[Key], algorithms: &[Algorithm]) -> Option<(Self, usize)> {
        let mut usable = BTreeSet::new();
        let rings = algorithms.iter().map(|&algorithm| {
            let mut ring = Ring::default();
            for (index, key) in keys.iter().enumerate() {
                if let Ok(Some(check)) = key.prepare(algorithm) {
                    usable.insert(index);
                    ring.push(check, key.id());
                }
            }
            (algorithm, ring)
        });
        let verifiers = Self { rings: rings.collect(), ids: ids(keys) };
        (!usable.is_empty()).then_some((verifiers, usable.len()))
    }

    /// Whether there is a key of this id, whatever it is for.
    pub(super) fn knows(&self, kid: &str) -> bool {
        self.ids.contains(kid)
    }

    /// Whether a key of `algorithm` signed `message`.
    ///
    /// A known `kid` selects its keys. Without one, or with one that nobody knows, the first 16 keys are tried in order.
    pub(super) fn check(
        &self,
        algorithm: Algorithm,
        kid: Option<&str>,
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        let Some((_, ring)) = self.rings.iter().find(|(ours, _)| *ours == algorithm) else { return false };
        match kid.filter(|kid| self.knows(kid)) {
            Some(kid) => {
                let named = ring.by_id.get(kid).into_iter().flatten();
                named.filter_map(|&index| ring.checks.get(index)).any(|check| check.holds(message, signature))
            }
            None => ring.checks.iter().take(MOST_TRIES).any(|check| check.holds(message, signature)),
        }
    }
}

impl Ring {
    fn push(&mut self, check: Check, id: Option<&str>) {
        if let Some(id) = id {
            self.by_id.entry(id.to_owned()).or_default().push(self.checks.len());
        }
        self.checks.push(check);
    }
}

fn ids(keys: &[Key]) -> BTreeSet<String> {
    keys.iter().filter_map(|key| key.id().map(str::to_owned)).collect()
}
