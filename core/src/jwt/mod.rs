//! Bearer tokens: signed by somebody else, checked here each time.

mod algorithm;
mod builder;
mod claim;
mod claims;
mod fault;
mod json;
mod key;
mod key_set;
mod keys;
mod plain;
mod token;
mod verifier;
mod wanted;

use http::header::HeaderName;

pub use self::algorithm::Algorithm;
pub use self::builder::JwtBackendBuilder;
pub use self::claims::VerifyOptions;
use self::claims::{Judgement, Policy};
pub use self::fault::TokenFault;
pub use self::key::Key;
pub use self::key_set::{KeySet, KeySetLimits};
use self::keys::Keys;
use self::token::Unproven;
use crate::backend::{AuthBackend, BadProof, LoginAnswer, LogoutAnswer, Proof, Proven};
use crate::page::LoginPage;
use crate::remembered::Remembered;
use crate::{Head, Timestamp, Unavailable};

/// The backend that keeps no session: `Authorization: Bearer <token>` (RFC 6750 §2.1) with a JSON Web Token (RFC 7519).
///
/// A token's signature and its times are checked whenever it comes. What its claims say is remembered for up to 1024
/// tokens that come again, of at most 3 KiB of claims.
///
/// ```
/// use authgate_core::{Algorithm, JwtBackend, Key};
///
/// let backend = JwtBackend::builder()
///     .key(Key::secret("a secret of at least thirty-two bytes")?)
///     .algorithms([Algorithm::HS256])
///     .audience(["dashboard"])
///     .build()?;
/// # Ok::<(), authgate_core::ConfigError>(())
/// ```
#[derive(Debug)]
pub struct JwtBackend {
    header: HeaderName,
    /// The field's name as it was set, for people.
    header_text: String,
    scheme: String,
    keys: Keys,
    policy: Policy,
    /// What claims came to, by a token's payload as it stands in the token.
    judged: Remembered<Judgement>,
}

impl JwtBackend {
    /// Starts with AsyncMQ's defaults; a key is still missing.
    pub fn builder() -> JwtBackendBuilder {
        JwtBackendBuilder::default()
    }

    /// Whom `token` proves at the moment `now`. The proof ends with the token's `exp`, leeway included.
    ///
    /// # Errors
    /// Why the token proves nothing.
    pub fn verify(&self, token: &[u8], now: Timestamp) -> Result<Proven, TokenFault> {
        self.open(token, now).map_err(|why| match why {
            Unproven::Fault(fault) => fault,
            Unproven::UnknownKey(_) | Unproven::NoKeys => TokenFault::UnknownKey,
        })
    }

    /// The provider's keys, for whoever fetches them; nothing if all keys are fixed.
    pub fn key_set(&self) -> Option<&KeySet> {
        self.keys.set()
    }

    fn open(&self, token: &[u8], now: Timestamp) -> Result<Proven, Unproven> {
        let signed = token::open(token, &self.keys, now)?;
        let holds = |judgement: &Judgement| self.policy.holds(judgement, now);
        if let Some(judgement) = self.judged.recall(signed.mark, signed.payload, holds) {
            return Ok(judgement.into());
        }
        // One that does not hold now is judged once more, which tells why.
        let judgement = self.policy.judge(signed.decode()?, now)?;
        self.judged.note(signed.mark, signed.payload, &judgement);
        Ok(judgement.into())
    }

    /// What a token proves before anybody is asked for keys.
    fn judge(&self, token: &[u8], now: Timestamp) -> Proof {
        match self.open(token, now) {
            Ok(proven) => Proof::Proven(proven),
            Err(Unproven::Fault(fault)) => refused(fault),
            Err(Unproven::UnknownKey(kid)) if self.keys.set().is_some_and(|set| set.misses(&kid, now)) => {
                refused(TokenFault::UnknownKey)
            }
            Err(Unproven::UnknownKey(_) | Unproven::NoKeys) => Proof::NeedsKeys(token.to_vec()),
        }
    }

    /// The token in the header field, or nothing if the field is missing or of another scheme.
    fn token<'a>(&self, head: &Head<'a>) -> Result<Option<&'a [u8]>, TokenFault> {
        let Some(value) = head.headers().one(&self.header).map_err(|_| TokenFault::Repeated)? else {
            return Ok(None);
        };
        let scheme = value.get(..self.scheme.len()).unwrap_or(value);
        if !scheme.eq_ignore_ascii_case(self.scheme.as_bytes()) {
            return Ok(None);
        }
        match value.get(scheme.len()..) {
            // What follows the one space is checked byte by byte as base64url, so white space and non-ASCII end there.
            Some([b' ', token @ ..]) => Ok(Some(token)),
            _ => Err(TokenFault::Scheme),
        }
    }
}

impl AuthBackend for JwtBackend {
    fn name(&self) -> &'static str {
        "jwt"
    }

    fn challenge(&self) -> &str {
        &self.scheme
    }

    fn authenticate(&self, head: &Head<'_>, now: Timestamp) -> Proof {
        match self.token(head) {
            Ok(None) => Proof::Absent,
            Ok(Some(token)) => self.judge(token, now),
            Err(fault) => refused(fault),
        }
    }

    fn authenticate_with_keys(
        &self,
        token: &[u8],
        asked: Timestamp,
        fetched: Result<(), Unavailable>,
        now: Timestamp,
    ) -> Proof {
        match (self.open(token, now), fetched) {
            (Ok(proven), _) => Proof::Proven(proven),
            (Err(Unproven::Fault(fault)), _) => refused(fault),
            (Err(Unproven::UnknownKey(kid)), Ok(())) => match self.keys.set() {
                // What came had been asked for before there was the token, and maybe before there was the key.
                Some(set) if !set.is_of(asked) => Proof::NeedsKeys(token.to_vec()),
                set => {
                    set.inspect(|set| set.miss(&kid));
                    refused(TokenFault::UnknownKey)
                }
            },
            (Err(Unproven::UnknownKey(_) | Unproven::NoKeys), Err(why)) => Proof::Unavailable(why),
            (Err(Unproven::NoKeys), Ok(())) => {
                Proof::Unavailable(Unavailable::new("the provider's keys have not been fetched"))
            }
        }
    }

    fn login(&self) -> LoginAnswer {
        LoginAnswer::Page(LoginPage::Token { header: self.header_text.clone(), scheme: self.scheme.clone() })
    }

    // There is nothing to end on this side, so any method may do it.
    fn logout(&self) -> LogoutAnswer {
        LogoutAnswer::ToLogin
    }
}

fn refused(fault: TokenFault) -> Proof {
    Proof::Refused(BadProof::Token(fault))
}
