use std::time::Duration;

use http::header::HeaderName;

use super::JwtBackend;
use super::algorithm::Algorithm;
use super::claims::{Policy, VerifyOptions};
use super::key::Key;
use super::key_set::{KeySet, KeySetLimits};
use super::keys::Keys;
use super::verifier::Verifiers;
use super::wanted::{Purpose, Wanted};
use crate::ConfigError;
use crate::head::is_token;
use crate::remembered::Remembered;

/// The settings of a [`JwtBackend`], under AsyncMQ's names and with its defaults.
#[derive(Debug)]
#[must_use = "a builder does nothing until it is built"]
pub struct JwtBackendBuilder {
    keys: Vec<Key>,
    key_set: Option<KeySetLimits>,
    algorithms: Vec<Algorithm>,
    header: String,
    scheme: String,
    /// In seconds, as it was set.
    leeway: f64,
    user_claim: String,
    user_name_claim: String,
    admin_claim: String,
    roles_claim: String,
    audience: Option<Vec<String>>,
    issuer: Option<Vec<String>>,
    options: VerifyOptions,
}

/// The longest leeway, in seconds: a century.
const MOST_LEEWAY: f64 = 36_525.0 * 86_400.0;

impl Default for JwtBackendBuilder {
    fn default() -> Self {
        Self {
            keys: Vec::new(),
            key_set: None,
            algorithms: vec![Algorithm::HS256],
            header: "Authorization".to_owned(),
            scheme: "Bearer".to_owned(),
            leeway: 0.0,
            user_claim: "sub".to_owned(),
            user_name_claim: "name".to_owned(),
            admin_claim: "is_admin".to_owned(),
            roles_claim: "roles".to_owned(),
            audience: None,
            issuer: None,
            options: VerifyOptions::default(),
        }
    }
}

impl JwtBackendBuilder {
    /// Adds a key. Several keys allow rotation: a token's `kid` selects among them, else the first 16 are tried in order.
    pub fn key(mut self, key: Key) -> Self {
        self.keys.push(key);
        self
    }

    /// Adds several keys, for example a whole [JWK Set](Key::jwk_set).
    pub fn keys(mut self, keys: impl IntoIterator<Item = Key>) -> Self {
        self.keys.extend(keys);
        self
    }

    /// Adds the keys of an identity provider, which the driver fetches; see [`JwtBackend::key_set`]. The algorithms that
    /// it signs with must be named: what it publishes does not decide that. Default: none.
    pub fn key_set(mut self, limits: KeySetLimits) -> Self {
        self.key_set = Some(limits);
        self
    }

    /// The algorithms that are allowed, instead of the default, HS256. Each needs a key that fits it.
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        self.algorithms.clear();
        for algorithm in algorithms {
            if !self.algorithms.contains(&algorithm) {
                self.algorithms.push(algorithm);
            }
        }
        self
    }

    /// The audiences that are us: a token must name at least one in `aud`. Default: a token with an `aud` is refused.
    pub fn audience(mut self, audience: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.audience = Some(audience.into_iter().map(Into::into).collect());
        self
    }

    /// The issuers that are accepted: a token must name one in `iss`. Default: any, or none.
    pub fn issuer(mut self, issuer: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.issuer = Some(issuer.into_iter().map(Into::into).collect());
        self
    }

    /// The header field that carries the token. Default `Authorization`.
    pub fn header(mut self, name: impl Into<String>) -> Self {
        self.header = name.into();
        self
    }

    /// The word before the token, whatever its case. Default `Bearer`.
    pub fn scheme(mut self, scheme: impl Into<String>) -> Self {
        self.scheme = scheme.into();
        self
    }

    /// The claim that identifies the user. Default `sub`.
    pub fn user_claim(mut self, claim: impl Into<String>) -> Self {
        self.user_claim = claim.into();
        self
    }

    /// The claim with the user's display name; without it, the id is shown. Default `name`.
    pub fn user_name_claim(mut self, claim: impl Into<String>) -> Self {
        self.user_name_claim = claim.into();
        self
    }

    /// The claim that makes an administrator: true, or one of the strings `1 true yes on`. Default `is_admin`.
    pub fn admin_claim(mut self, claim: impl Into<String>) -> Self {
        self.admin_claim = claim.into();
        self
    }

    /// The claim with the user's roles: a string, or a list of them. Default `roles`.
    pub fn roles_claim(mut self, claim: impl Into<String>) -> Self {
        self.roles_claim = claim.into();
        self
    }

    /// How far the issuer's clock may be off, for `exp`, `nbf` and `iat`. Default zero.
    pub fn leeway(self, leeway: Duration) -> Self {
        self.leeway_seconds(leeway.as_secs_f64())
    }

    /// [`leeway`](Self::leeway) as PyJWT takes it: in seconds, with a fraction (down to a millisecond), and below zero
    /// to be stricter than the token says. At most a century either way.
    pub fn leeway_seconds(mut self, seconds: f64) -> Self {
        self.leeway = seconds;
        self
    }

    /// Which claims are checked, and which must be there.
    pub fn verify_options(mut self, options: VerifyOptions) -> Self {
        self.options = options;
        self
    }

    /// Prepares every key once.
    ///
    /// # Errors
    /// No key; an algorithm that no key fits, or a key that fits no algorithm (one of a set may); a secret shorter than
    /// its hash (RFC 7518 §3.2: 32, 48 or 64 bytes); an RSA key below 2048 bits; an empty audience, issuer or claim
    /// name; a header or scheme that is no token; a leeway that is no number or beyond a century; more than 64 required
    /// claims.
    pub fn build(mut self) -> Result<JwtBackend, ConfigError> {
        if self.keys.is_empty() && self.key_set.is_none() {
            return Err(ConfigError::new("key", "there is none", "add a secret, a public key or a key set"));
        }
        if self.algorithms.is_empty() {
            return Err(ConfigError::new(
                "algorithms",
                "the list is empty",
                "allow at least one, such as HS256",
            ));
        }
        self.check_names()?;
        let leeway = milliseconds(self.leeway)?;
        let header = HeaderName::from_bytes(self.header.as_bytes()).map_err(|_| {
            ConfigError::new(
                "header",
                format!("{:?} is no field name", self.header),
                "write for example \"Authorization\"",
            )
        })?;
        let set = self.key_set.map(|limits| KeySet::new(&self.algorithms, limits)).transpose()?;
        let fixed = Verifiers::new(&self.keys, &self.algorithms, set.is_some())?;
        Ok(JwtBackend {
            header,
            header_text: self.header,
            scheme: self.scheme,
            keys: Keys::new(&self.algorithms, fixed, set),
            policy: Policy {
                wanted: Wanted::new(
                    [
                        (&*self.user_claim, Purpose::Id),
                        (&*self.user_name_claim, Purpose::Name),
                        (&*self.admin_claim, Purpose::Admin),
                        (&*self.roles_claim, Purpose::Roles),
                    ],
                    &self.options.require,
                ),
                audience: self.audience,
                issuer: self.issuer,
                leeway,
                options: self.options,
            },
            judged: Remembered::default(),
        })
    }

    fn check_names(&mut self) -> Result<(), ConfigError> {
        let empty = |names: &Vec<String>| names.is_empty() || names.iter().any(String::is_empty);
        for (field, names) in [("audience", &self.audience), ("issuer", &self.issuer)] {
            if names.as_ref().is_some_and(empty) {
                return Err(ConfigError::new(
                    field,
                    "it is set but names nobody",
                    "name at least one, or leave it out",
                ));
            }
        }
        if self.options.strict_aud && self.audience.as_ref().is_none_or(|names| names.len() != 1) {
            return Err(ConfigError::new(
                "strict_aud",
                "it needs exactly one audience",
                "set one, or leave it out",
            ));
        }
        for (field, claim) in [
            ("user_claim", &self.user_claim),
            ("user_name_claim", &self.user_name_claim),
            ("admin_claim", &self.admin_claim),
            ("roles_claim", &self.roles_claim),
        ] {
            if claim.is_empty() {
                return Err(ConfigError::new(field, "the name is empty", "name a claim"));
            }
        }
        let require = &mut self.options.require;
        require.sort();
        require.dedup();
        if require.len() > 64 {
            return Err(ConfigError::new("require", "there are more than 64 claims", "require fewer"));
        }
        if self.scheme.is_empty() || !self.scheme.bytes().all(is_token) {
            return Err(ConfigError::new(
                "scheme",
                format!("{:?} is no scheme", self.scheme),
                "write for example \"Bearer\"",
            ));
        }
        Ok(())
    }
}

/// Rounded down, which is the stricter side; but not for a decimal fraction that is only written in binary.
fn milliseconds(seconds: f64) -> Result<i64, ConfigError> {
    // Not the other way round: NaN is in no range.
    if !(-MOST_LEEWAY..=MOST_LEEWAY).contains(&seconds) {
        return Err(ConfigError::new(
            "leeway",
            format!("{seconds} is no number of seconds that a clock may be off"),
            "write for example 30; to ignore a time, switch off its `verify_…` option",
        ));
    }
    #[allow(clippy::cast_possible_truncation, reason = "a century is far from the ends of the range")]
    Ok((seconds * 1000.0 + 1e-6).floor() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leeway_is_whole_milliseconds_and_never_longer_than_asked_for() {
        for (seconds, wanted) in [
            (0.0, 0),
            (0.29, 290),
            (0.1, 100),
            (1.0009, 1000),
            (-0.0001, -1),
            (-2.5, -2500),
            (1e9, 1_000_000_000_000),
        ] {
            assert_eq!(milliseconds(seconds), Ok(wanted), "{seconds}");
        }
        for seconds in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e10, -1e10, f64::MAX] {
            assert_eq!(milliseconds(seconds).unwrap_err().field(), "leeway", "{seconds}");
        }
    }
}
