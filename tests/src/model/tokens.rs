//! What a token is worth. Its signature is good if the issuer's book says so.

use serde_json::Value;

use super::head::Seen;
use super::proofs::Proof;
use crate::case::tokens::{self, Issued};
use crate::case::{Answers, At, Person, Trust};

pub(super) fn find(
    trust: &Trust,
    seen: &Seen<'_>,
    answers: &Answers,
    at_hand: &mut Vec<Proof>,
    asked: &mut Vec<Proof>,
) {
    let Some((scheme, text)) = seen.one(trust.header).and_then(|value| value.split_once(' ')) else { return };
    let Some(issued) = tokens::look_up(text).filter(|_| scheme.eq_ignore_ascii_case(trust.scheme)) else {
        return;
    };
    if !trust.algorithms.contains(&issued.algorithm) {
        return;
    }
    // Whoever names a key that is here means that one; else it may be any.
    let named = issued.kid.filter(|kid| trust.keys.iter().any(|key| key.id == Some(kid)));
    let mut tried = trust.keys.iter().filter(|key| named.is_none() || key.id == named);
    if tried.any(|key| issued.key == Some(key.name)) {
        at_hand.push(issued.proves(trust, answers.begin));
    } else if trust.provider && named.is_none() && issued.algorithm != "HS256" {
        asked.push(with_fetched_keys(trust, issued, answers));
    }
}

/// The keys are fetched when the token comes. If its key is not among them, and they were asked for before the token came,
/// they are fetched once more.
fn with_fetched_keys(trust: &Trust, issued: &Issued, answers: &Answers) -> Proof {
    let is_usable = |name: &&str| trust.algorithms.contains(&tokens::algorithm(name));
    // Keys that came once are still there when the next fetch fails.
    let mut known: Option<&[&str]> = None;
    for round in 0..2 {
        let At { moment, answer } = answers.keys.get(round).or(answers.keys.last()).unwrap();
        known = match answer {
            Ok(names) if names.iter().any(is_usable) => Some(names),
            _ => known,
        };
        let Some(names) = known else { return Proof::Unknowable };
        let has_signed = |name: &str| issued.key == Some(name) && issued.kid.is_none_or(|kid| kid == name);
        if names.iter().any(|name| has_signed(name)) {
            return issued.proves(trust, *moment);
        }
        if issued.kid.is_some_and(|kid| names.contains(&kid)) {
            return Proof::Nothing;
        }
        match answer {
            Err(()) => return Proof::Unknowable,
            Ok(_) if *moment >= answers.begin => return Proof::Nothing,
            Ok(_) => {}
        }
    }
    Proof::Unknowable
}

impl Issued {
    /// What the token proves once its signature is known to be good.
    fn proves(&self, trust: &Trust, now: i64) -> Proof {
        let holds = self.is_in_time(trust, now)
            && self.is_from_a_known_issuer(trust)
            && self.is_for_us(trust)
            && ["sub", "jti"].iter().all(|name| !trust.reads(name) || self.is_text_or_missing(name))
            && trust.require.iter().all(|name| self.claims.get(*name).is_some_and(|claim| !claim.is_null()));
        match self.person(trust).filter(|_| holds) {
            Some(person) => Proof::Of { person, ambient: false },
            None => Proof::Nothing,
        }
    }

    fn is_in_time(&self, trust: &Trust, now: i64) -> bool {
        ["exp", "nbf", "iat"].into_iter().filter(|name| trust.reads(name)).all(|name| {
            let Some(claim) = self.claims.get(name) else { return true };
            // Whole seconds are counted.
            let Some(seconds) = claim.as_f64().map(f64::trunc) else { return false };
            #[allow(clippy::cast_possible_truncation, reason = "the book has moments of these years only")]
            let moment = seconds as i64 * 1000;
            if name == "exp" { now < moment + trust.leeway } else { moment <= now + trust.leeway }
        })
    }

    fn is_from_a_known_issuer(&self, trust: &Trust) -> bool {
        let is_anybody = trust.issuer.is_empty();
        match self.claims.get("iss") {
            _ if !trust.reads("iss") => true,
            None | Some(Value::Null) => is_anybody,
            Some(Value::String(name)) => is_anybody || trust.issuer.iter().any(|issuer| issuer == name),
            Some(_) => false,
        }
    }

    fn is_for_us(&self, trust: &Trust) -> bool {
        let is_one = |name: &Value| trust.audience.iter().any(|audience| name == audience);
        match self.claims.get("aud") {
            _ if !trust.reads("aud") => true,
            None | Some(Value::Null) => trust.audience.is_empty(),
            Some(Value::String(name)) if name.is_empty() => trust.audience.is_empty(),
            Some(Value::Array(names)) if names.is_empty() => trust.audience.is_empty(),
            Some(name @ Value::String(_)) => is_one(name),
            Some(Value::Array(names)) => {
                !trust.strict_audience && names.iter().all(Value::is_string) && names.iter().any(is_one)
            }
            Some(_) => false,
        }
    }

    fn is_text_or_missing(&self, name: &str) -> bool {
        self.claims.get(name).is_none_or(Value::is_string)
    }

    /// Whom it names, if it names anybody.
    fn person(&self, trust: &Trust) -> Option<Person> {
        let id = self.claims.get(trust.user_claim).and_then(name)?;
        let is_admin = match self.claims.get(trust.admin_claim) {
            Some(Value::Bool(is_admin)) => *is_admin,
            Some(Value::String(text)) => ["1", "true", "yes", "on"].contains(&text.as_str()),
            _ => false,
        };
        let roles = match self.claims.get(trust.roles_claim) {
            None | Some(Value::Null | Value::Object(_)) => Vec::new(),
            Some(Value::Array(roles)) => roles.iter().filter_map(name).collect(),
            Some(role @ Value::String(_)) => name(role).into_iter().collect(),
            Some(Value::Bool(_) | Value::Number(_)) => return None,
        };
        Some(Person { id, is_admin, roles })
    }
}

/// A text, or a whole number, that can name somebody.
fn name(claim: &Value) -> Option<String> {
    let name = match claim {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    (!name.is_empty() && name != "0").then_some(name)
}

impl Trust {
    /// Whether a registered claim counts.
    fn reads(&self, claim: &str) -> bool {
        !self.ignored.contains(&claim)
    }
}
