use std::sync::Arc;

use smol_str::SmolStr;

use super::claim::Claim;
use super::fault::TokenFault;
use super::wanted::{Found, Purpose, Wanted};
use crate::Timestamp;
use crate::backend::Proven;
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

/// Whom claims name, and when they hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Judgement {
    user: Arc<User>,
    span: Span,
}

/// When claims hold.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Span {
    /// The later one of `iat` and `nbf`, as they are written; the leeway is for whoever compares.
    begin: Option<Timestamp>,
    /// `exp`, leeway included.
    until: Option<Timestamp>,
}

impl Span {
    fn has_begun(&self, latest: Timestamp) -> bool {
        self.begin.is_none_or(|begin| begin <= latest)
    }

    fn is_over(&self, now: Timestamp) -> bool {
        self.until.is_some_and(|until| until <= now)
    }
}

impl From<Judgement> for Proven {
    fn from(judgement: Judgement) -> Self {
        Self { user: judgement.user, until: judgement.span.until, ambient: false }
    }
}

impl Policy {
    /// Whom `payload` names and when, or why it proves nothing. Beside the payload it depends on settings, which are fixed, and
    /// on the time only as [`holds`](Self::holds) does.
    pub(super) fn judge(&self, payload: Vec<u8>, now: Timestamp) -> Result<Judgement, TokenFault> {
        let text = String::from_utf8(payload).map_err(|_| TokenFault::Payload)?;
        let Some(found) = self.wanted.find(&text) else { return Err(TokenFault::Payload) };
        let span = self.check_times(&found, now)?;
        self.check_parties(&found)?;
        if found.required.count_ones() as usize != self.options.require.len() {
            return Err(TokenFault::Required);
        }
        let mut user = user(&found)?;
        user.claims = Some(Claims::known(text));
        Ok(Judgement { user: Arc::new(user), span })
    }

    /// Whether claims that held once hold at the moment `now`.
    pub(super) fn holds(&self, judgement: &Judgement, now: Timestamp) -> bool {
        judgement.span.has_begun(self.later(now)) && !judgement.span.is_over(now)
    }

    /// This moment, later by the leeway.
    fn later(&self, moment: Timestamp) -> Timestamp {
        Timestamp::from_millis(moment.as_millis().saturating_add(self.leeway))
    }

    /// RFC 7519 §4.1.4–4.1.6, compared as PyJWT does: whole seconds of the claim against the very moment.
    fn check_times(&self, found: &Found<'_>, now: Timestamp) -> Result<Span, TokenFault> {
        let options = &self.options;
        let time = |on: bool, purpose: Purpose, name| match found.get(purpose).filter(|_| on) {
            Some(claim) => claim.date().map(Some).ok_or(TokenFault::Claim(name)),
            None => Ok(None),
        };
        let mut span = Span { begin: None, until: None };
        for (on, purpose, name) in
            [(options.verify_iat, Purpose::Iat, "iat"), (options.verify_nbf, Purpose::Nbf, "nbf")]
        {
            span.begin = span.begin.max(time(on, purpose, name)?);
            if !span.has_begun(self.later(now)) {
                return Err(TokenFault::NotYetValid);
            }
        }
        span.until = time(options.verify_exp, Purpose::Exp, "exp")?.map(|moment| self.later(moment));
        if span.is_over(now) { Err(TokenFault::Expired) } else { Ok(span) }
    }

    fn check_parties(&self, found: &Found<'_>) -> Result<(), TokenFault> {
        let options = &self.options;
        for (on, purpose, name) in
            [(options.verify_sub, Purpose::Sub, "sub"), (options.verify_jti, Purpose::Jti, "jti")]
        {
            if on && found.get(purpose).is_some_and(|claim| claim.string().is_none()) {
                return Err(TokenFault::Claim(name));
            }
        }
        if options.verify_iss {
            let issuer = found.get(Purpose::Iss).filter(|claim| !claim.is_null());
            let issuer = issuer.map(|claim| claim.string().ok_or(TokenFault::Claim("iss"))).transpose()?;
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
    fn check_audience(&self, claim: Option<Claim<'_>>) -> Result<(), TokenFault> {
        let (mut named, mut ours) = (false, false);
        let mut look = |name: &str| {
            named = true;
            ours |= self.audience.iter().flatten().any(|audience| audience == name);
        };
        let string = claim.and_then(Claim::string);
        match (claim, &string) {
            (_, Some(name)) if !name.is_empty() => look(name),
            (Some(list), None) if !list.is_null() => list.strings(look).ok_or(TokenFault::Claim("aud"))?,
            _ => {}
        }
        match &self.audience {
            None if named => Err(TokenFault::Audience),
            None => Ok(()),
            Some(_) if !named => Err(TokenFault::Missing("aud")),
            Some(_) if self.options.strict_aud && string.is_none() => Err(TokenFault::Claim("aud")),
            Some(_) if ours => Ok(()),
            Some(_) => Err(TokenFault::Audience),
        }
    }
}

/// The user that verified claims name, still without the claims themselves.
fn user(found: &Found<'_>) -> Result<User, TokenFault> {
    let id: SmolStr = found.get(Purpose::Id).and_then(Claim::name).ok_or(TokenFault::NoUser)?.into();
    let roles = found.get(Purpose::Roles).map_or(Some(Vec::new()), Claim::roles);
    Ok(User {
        name: found.get(Purpose::Name).and_then(Claim::name).map_or_else(|| id.clone(), SmolStr::from),
        is_admin: found.get(Purpose::Admin).is_some_and(Claim::is_true),
        roles: roles.ok_or(TokenFault::Claim("roles"))?,
        claims: None,
        extra: None,
        id,
    })
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;
    use crate::{Algorithm, JwtBackend, Key};

    const VALUES: &[&str] = &[
        "1000",
        "0",
        "-1",
        "2000",
        "9999999999",
        "true",
        "false",
        "null",
        "\"\"",
        "\"ada\"",
        "\"us\"",
        "\"true\"",
        "\"yes\"",
        "[]",
        "[\"us\"]",
        "[\"them\", \"us\"]",
        "[\"\"]",
        "[\"ops\",7,null,true,\"\"]",
        "[1]",
        "\"é\"",
    ];
    const NAMES: &[&str] =
        &["exp", "nbf", "iat", "iss", "aud", "sub", "jti", "name", "is_admin", "roles", "other"];

    proptest! {
        /// A newline behind an object changes nothing but who reads it.
        #[test]
        fn plain_claims_are_judged_as_any_others(
            claims in vec((select(NAMES), select(VALUES)), 0..10),
            audience in vec(select(vec!["us", "them"]), 0..3),
            (issuer, strict_aud, verify_aud, require) in (any::<bool>(), any::<bool>(), any::<bool>(), vec(select(NAMES), 0..2)),
        ) {
            let options = VerifyOptions {
                strict_aud: strict_aud && audience.len() == 1,
                verify_aud,
                require: require.into_iter().map(str::to_owned).collect(),
                ..VerifyOptions::default()
            };
            let mut backend = JwtBackend::builder().key(Key::secret([7; 32]).unwrap()).algorithms([Algorithm::HS256]);
            if !audience.is_empty() {
                backend = backend.audience(audience);
            }
            if issuer {
                backend = backend.issuer(["us"]);
            }
            let backend = backend.verify_options(options).build().unwrap();
            let members: Vec<_> = claims.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
            let json = format!("{{{}}}", members.join(","));
            let judged = [json.clone(), json + "\n"].map(|json| {
                let judged = backend.policy.judge(json.into_bytes(), Timestamp::from_secs(1500));
                judged.map(|judgement| (User { claims: None, ..(*judgement.user).clone() }, judgement.span))
            });
            prop_assert_eq!(&judged[0], &judged[1]);
        }
    }
}
