use base64_simd::URL_SAFE_NO_PAD;

use super::algorithm::Algorithm;
use super::key_set::KeySet;
use super::token::Unproven;
use super::verifier::Verifiers;
use crate::{Timestamp, TokenFault};

/// All keys that a token may be signed with: those that are fixed, and those of a provider.
#[derive(Debug)]
pub(super) struct Keys {
    algorithms: Vec<Allowed>,
    fixed: Verifiers,
    set: Option<KeySet>,
}

/// An algorithm, and the header of a token as most issuers write it, in base64url, so that it need not be read.
#[derive(Debug)]
struct Allowed {
    algorithm: Algorithm,
    usual: [String; 3],
}

impl Keys {
    pub(super) fn new(algorithms: &[Algorithm], fixed: Verifiers, set: Option<KeySet>) -> Self {
        Self { algorithms: algorithms.iter().copied().map(Allowed::new).collect(), fixed, set }
    }

    pub(super) fn set(&self) -> Option<&KeySet> {
        self.set.as_ref()
    }

    /// The algorithm called `name`, if it is allowed.
    pub(super) fn allowed(&self, name: &str) -> Option<Algorithm> {
        self.algorithms.iter().map(|allowed| allowed.algorithm).find(|ours| ours.as_str() == name)
    }

    /// The algorithm of an encoded header that says nothing else; nothing if it must be read first.
    pub(super) fn usual(&self, header: &[u8]) -> Option<Algorithm> {
        let is_usual = |allowed: &&Allowed| allowed.usual.iter().any(|usual| usual.as_bytes() == header);
        self.algorithms.iter().find(is_usual).map(|allowed| allowed.algorithm)
    }

    /// Whether one of the keys signed `message`, with the algorithm that it is for.
    pub(super) fn check(
        &self,
        algorithm: Algorithm,
        kid: Option<&str>,
        message: &[u8],
        signature: &[u8],
        now: Timestamp,
    ) -> Result<(), Unproven> {
        let refused = Err(Unproven::Fault(TokenFault::Signature));
        if self.fixed.check(algorithm, kid, message, signature) {
            return Ok(());
        }
        let Some(set) = self.set.as_ref().filter(|_| !algorithm.is_hmac()) else { return refused };
        if kid.is_some_and(|kid| self.fixed.knows(kid)) {
            return refused;
        }
        let Some(keys) = set.verifiers(now) else { return Err(Unproven::NoKeys) };
        match kid {
            Some(kid) if !keys.knows(kid) => Err(Unproven::UnknownKey(kid.to_owned())),
            _ if keys.check(algorithm, kid, message, signature) => Ok(()),
            Some(_) => refused,
            // It may be a new key's.
            None => Err(Unproven::UnknownKey(String::new())),
        }
    }
}

impl Allowed {
    fn new(algorithm: Algorithm) -> Self {
        let usual = [
            format!("{{\"alg\":\"{algorithm}\",\"typ\":\"JWT\"}}"),
            format!("{{\"typ\":\"JWT\",\"alg\":\"{algorithm}\"}}"),
            format!("{{\"alg\":\"{algorithm}\"}}"),
        ];
        Self { algorithm, usual: usual.map(|header| URL_SAFE_NO_PAD.encode_to_string(header)) }
    }
}
