use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, SeqAccess, Visitor};
use serde_json::value::RawValue;
use smol_str::SmolStr;

use super::fault::TokenFault;
use super::json::{is_readable, string};
use super::token::Text;
use super::wanted::{Found, Purpose, Wanted};
use crate::Timestamp;
use crate::user::{Claims, User};

/// What is asked of a token's claims; see [`JwtBackendBuilder`](super::JwtBackendBuilder) for each.
#[derive(Debug)]
pub(super) struct Policy {
    pub(super) audience: Option<Vec<String>>,
    pub(super) issuer: Option<Vec<String>>,
    pub(super) wanted: Wanted,
    /// In milliseconds; below zero, tokens end earlier and begin later than they say.
    pub(super) leeway: i64,
    pub(super) options: VerifyOptions,
}

/// Which claims are checked, under PyJWT's names. The signature always is: there is no option for it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "PyJWT's options, one switch each")]
pub struct VerifyOptions {
    /// Refuse a token from its `exp` on. Default true.
    pub verify_exp: bool,
    /// Refuse a token before its `nbf`. Default true.
    pub verify_nbf: bool,
    /// Refuse a token from before its `iat`. Default true.
    pub verify_iat: bool,
    /// Refuse a token for another `aud`, or for any if no audience is set. Default true.
    pub verify_aud: bool,
    /// Refuse a token of another `iss`, if an issuer is set. Default true.
    pub verify_iss: bool,
    /// Refuse a `sub` that is no string. Default true.
    pub verify_sub: bool,
    /// Refuse a `jti` that is no string. Default true.
    pub verify_jti: bool,
    /// `aud` must be one string, equal to the one audience that is set. Default false.
    pub strict_aud: bool,
    /// Claims that must be there and not null, at most 64. Default none.
    pub require: Vec<String>,
}

impl Default for VerifyOptions {
    fn default() -> Self {
        Self {
            verify_exp: true,
            verify_nbf: true,
            verify_iat: true,
            verify_aud: true,
            verify_iss: true,
            verify_sub: true,
            verify_jti: true,
            strict_aud: false,
            require: Vec::new(),
        }
    }
}

impl Policy {
    /// The user that `payload` names and when the token expires, or why it proves nothing.
    pub(super) fn judge(
        &self,
        payload: Vec<u8>,
        now: Timestamp,
    ) -> Result<(User, Option<Timestamp>), TokenFault> {
        let text = String::from_utf8(payload).ok().filter(|text| is_readable(text));
        let text = text.ok_or(TokenFault::Payload)?;
        let found = self.wanted.find(&text).ok_or(TokenFault::Payload)?;
        let until = self.check_times(&found, now)?;
        self.check_parties(&found)?;
        if found.required.count_ones() as usize != self.options.require.len() {
            return Err(TokenFault::Required);
        }
        let mut user = user(&found)?;
        user.claims = Some(Claims::known(text));
        Ok((user, until))
    }

    /// RFC 7519 §4.1.4–4.1.6, compared as PyJWT does: whole seconds of the claim against the very moment.
    fn check_times(&self, found: &Found<'_>, now: Timestamp) -> Result<Option<Timestamp>, TokenFault> {
        let options = &self.options;
        let time = |on: bool, purpose: Purpose, name| match found.get(purpose).filter(|_| on) {
            Some(claim) => numeric_date(claim).map(Some).ok_or(TokenFault::Claim(name)),
            None => Ok(None),
        };
        let later =
            |moment: Timestamp| Timestamp::from_millis(moment.as_millis().saturating_add(self.leeway));
        let latest = later(now);
        for (on, purpose, name) in
            [(options.verify_iat, Purpose::Iat, "iat"), (options.verify_nbf, Purpose::Nbf, "nbf")]
        {
            if time(on, purpose, name)?.is_some_and(|moment| moment > latest) {
                return Err(TokenFault::NotYetValid);
            }
        }
        let until = time(options.verify_exp, Purpose::Exp, "exp")?.map(later);
        if until.is_some_and(|until| until <= now) { Err(TokenFault::Expired) } else { Ok(until) }
    }

    fn check_parties(&self, found: &Found<'_>) -> Result<(), TokenFault> {
        let options = &self.options;
        for (on, purpose, name) in
            [(options.verify_sub, Purpose::Sub, "sub"), (options.verify_jti, Purpose::Jti, "jti")]
        {
            if on && found.get(purpose).is_some_and(|claim| string(claim).is_none()) {
                return Err(TokenFault::Claim(name));
            }
        }
        if options.verify_iss {
            let issuer = match found.get(Purpose::Iss) {
                None | Some("null") => None,
                Some(claim) => Some(string(claim).ok_or(TokenFault::Claim("iss"))?),
            };
            match (&self.issuer, issuer) {
                (Some(_), None) => return Err(TokenFault::Missing("iss")),
                (Some(accepted), Some(issuer)) if !accepted.iter().any(|one| *one == issuer) => {
                    return Err(TokenFault::Issuer);
                }
                _ => {}
            }
        }
        if options.verify_aud { self.check_audience(found.get(Purpose::Aud)) } else { Ok(()) }
    }

    /// RFC 7519 §4.1.3. An empty or null `aud` counts as none.
    fn check_audience(&self, claim: Option<&str>) -> Result<(), TokenFault> {
        let one = claim.and_then(string).filter(|name| !name.is_empty());
        let many: Vec<Text<'_>> = match claim {
            None | Some("null" | "\"\"") => Vec::new(),
            Some(_) if one.is_some() => Vec::new(),
            Some(list) => serde_json::from_str(list).map_err(|_| TokenFault::Claim("aud"))?,
        };
        let Some(accepted) = &self.audience else {
            return if one.is_none() && many.is_empty() { Ok(()) } else { Err(TokenFault::Audience) };
        };
        let is_ours = |name: &str| accepted.iter().any(|audience| audience == name);
        match one {
            None if many.is_empty() => Err(TokenFault::Missing("aud")),
            None if self.options.strict_aud => Err(TokenFault::Claim("aud")),
            Some(name) if is_ours(&name) => Ok(()),
            None if many.iter().any(|name| is_ours(&name.0)) => Ok(()),
            _ => Err(TokenFault::Audience),
        }
    }
}

/// The user that verified claims name, still without the claims themselves.
fn user(found: &Found<'_>) -> Result<User, TokenFault> {
    let id: SmolStr = found.get(Purpose::Id).and_then(name).ok_or(TokenFault::NoUser)?.into();
    Ok(User {
        name: found.get(Purpose::Name).and_then(name).map_or_else(|| id.clone(), SmolStr::from),
        is_admin: found.get(Purpose::Admin).is_some_and(is_true),
        roles: found.get(Purpose::Roles).map_or(Some(Vec::new()), roles).ok_or(TokenFault::Claim("roles"))?,
        claims: None,
        extra: None,
        id,
    })
}

/// A NumericDate (RFC 7519 §2): a number, whole seconds counted, the fraction cut off as PyJWT does. Any size; beyond
/// the range of a clock it is the end of time. Text, booleans and what overflows a float are refused.
fn numeric_date(json: &str) -> Option<Timestamp> {
    if let Ok(seconds) = json.parse() {
        return Some(Timestamp::from_secs(seconds));
    }
    let digits = json.strip_prefix('-').unwrap_or(json);
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        let end = if digits.len() < json.len() { i64::MIN } else { i64::MAX };
        return Some(Timestamp::from_secs(end));
    }
    // The standard library rounds as Python does. Its words, such as `inf`, are no JSON.
    let seconds: f64 = json.parse().ok()?;
    #[allow(clippy::cast_possible_truncation, reason = "beyond the range it saturates, as it should")]
    seconds.is_finite().then(|| Timestamp::from_secs(seconds.trunc() as i64))
}

/// What can name somebody: a string or a number, and not an empty or zero one.
fn name(json: &str) -> Option<Cow<'_, str>> {
    match json.as_bytes().first()? {
        b'"' => string(json).filter(|text| !text.is_empty()),
        b'-' | b'0'..=b'9' => (!is_zero(json)).then_some(Cow::Borrowed(json)),
        _ => None,
    }
}

/// Whether a JSON number is zero, as a float that is too small to be anything else is, too.
fn is_zero(number: &str) -> bool {
    match number.find(['.', 'e', 'E']) {
        Some(_) => number.parse::<f64>().is_ok_and(|value| value == 0.0),
        None => number.bytes().all(|digit| matches!(digit, b'-' | b'0')),
    }
}

/// AsyncMQ's notion of a right that is granted: true itself, or a string that says so. Never a number, list or object.
fn is_true(json: &str) -> bool {
    json == "true" || string(json).is_some_and(|text| User::grants(&text))
}

/// One role as a string, or several as a list of strings and integers. What else stands in a list, and an object
/// instead of one, grants nothing. A number or a boolean instead of one is a mistake: AsyncMQ fails on it, too.
fn roles(json: &str) -> Option<Vec<SmolStr>> {
    let is_integer = |json: &str| json.bytes().all(|byte| matches!(byte, b'-' | b'0'..=b'9'));
    match json.as_bytes().first()? {
        b'[' => {
            let mut roles = Vec::new();
            each(json, |role| {
                let role = Some(role).filter(|role| role.starts_with('"') || is_integer(role));
                roles.extend(role.and_then(name).map(SmolStr::from));
            })?;
            Some(roles)
        }
        b'"' => Some(string(json).filter(|role| !role.is_empty()).map(SmolStr::from).into_iter().collect()),
        b'{' | b'n' => Some(Vec::new()),
        _ => None,
    }
}

/// Shows the JSON text of each entry of a list; nothing if it is none.
fn each(json: &str, look: impl FnMut(&str)) -> Option<()> {
    struct Entries<F>(F);

    impl<'de, F: FnMut(&str)> Visitor<'de> for Entries<F> {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list")
        }

        fn visit_seq<S: SeqAccess<'de>>(mut self, mut list: S) -> Result<(), S::Error> {
            while let Some(entry) = list.next_element::<&RawValue>()? {
                (self.0)(entry.get());
            }
            Ok(())
        }
    }

    serde_json::Deserializer::from_str(json).deserialize_seq(Entries(look)).ok()
}
