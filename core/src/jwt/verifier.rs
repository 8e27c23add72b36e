use std::collections::{BTreeMap, BTreeSet};

use aws_lc_rs::hmac;
use aws_lc_rs::signature::ParsedPublicKey;
use base64_simd::URL_SAFE_NO_PAD;

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
#[derive(Debug)]
struct Ring {
    /// The header of a token as most issuers write it, in base64url, so that it need not be read.
    usual: [String; 3],
    checks: Vec<Check>,
    by_id: BTreeMap<String, Vec<usize>>,
}

/// How many keys a token without a known `kid` is tried with: enough for any rotation, and few enough that a flood of
/// forged ones costs little.
const MOST_TRIES: usize = 16;

impl Verifiers {
    /// Pairs each allowed algorithm with the keys that fit it.
    pub(super) fn new(keys: &[Key], algorithms: &[Algorithm]) -> Result<Self, ConfigError> {
        let mut rings = Vec::with_capacity(algorithms.len());
        let mut unused: Vec<&Key> = keys.iter().filter(|key| !key.from_set).collect();
        for &algorithm in algorithms {
            let mut ring = Ring::new(algorithm);
            for key in keys {
                let Some(check) = key.prepare(algorithm)? else { continue };
                unused.retain(|other| !std::ptr::eq(*other, key));
                let index = ring.checks.len();
                ring.checks.push(check);
                if let Some(id) = key.id() {
                    ring.by_id.entry(id.to_owned()).or_default().push(index);
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
        if !unused.is_empty() {
            return Err(ConfigError::new(
                "algorithms",
                "a key fits none of those allowed",
                "allow an algorithm that it is for, or leave the key out",
            ));
        }
        let ids = keys.iter().filter_map(|key| key.id().map(str::to_owned)).collect();
        Ok(Self { rings, ids })
    }

    /// Whether a key of the algorithm called `name` signed `message`; nothing if no such algorithm is allowed.
    ///
    /// A known `kid` selects its keys. Without one, or with one that nobody knows, the first 16 keys are tried in order.
    pub(super) fn check(
        &self,
        name: &str,
        kid: Option<&str>,
        message: &[u8],
        signature: &[u8],
    ) -> Option<bool> {
        let (_, ring) = self.rings.iter().find(|(algorithm, _)| algorithm.as_str() == name)?;
        Some(match kid.filter(|kid| self.ids.contains(*kid)) {
            Some(kid) => {
                let named = ring.by_id.get(kid).into_iter().flatten();
                named.filter_map(|&index| ring.checks.get(index)).any(|check| check.holds(message, signature))
            }
            None => ring.tries(message, signature),
        })
    }

    /// As [`check`](Self::check), for the encoded header of a token; nothing if it must be read first.
    pub(super) fn check_usual(&self, header: &[u8], message: &[u8], signature: &[u8]) -> Option<bool> {
        let is_usual = |ring: &&(_, Ring)| ring.1.usual.iter().any(|usual| usual.as_bytes() == header);
        self.rings.iter().find(is_usual).map(|(_, ring)| ring.tries(message, signature))
    }
}

impl Ring {
    fn new(algorithm: Algorithm) -> Self {
        let usual = [
            format!("{{\"alg\":\"{algorithm}\",\"typ\":\"JWT\"}}"),
            format!("{{\"typ\":\"JWT\",\"alg\":\"{algorithm}\"}}"),
            format!("{{\"alg\":\"{algorithm}\"}}"),
        ];
        let usual = usual.map(|header| URL_SAFE_NO_PAD.encode_to_string(header));
        Self { usual, checks: Vec::new(), by_id: BTreeMap::new() }
    }

    fn tries(&self, message: &[u8], signature: &[u8]) -> bool {
        self.checks.iter().take(MOST_TRIES).any(|check| check.holds(message, signature))
    }
}
