//! What a request proves, and in which order that counts.

use super::head::Seen;
use super::sessions::{self, Found};
use crate::case::tokens::{self, Issued};
use crate::case::{Answers, At, Backend, Config, Directory, Person, Shown, Told, Trust, Vouched, shown};

/// What one proof is worth.
#[derive(Debug, Clone)]
pub(super) enum Proof {
    /// It is none.
    Nothing,
    /// It proves this person; `ambient` if the browser sent it by itself.
    Of { person: Person, ambient: bool },
    /// It cannot be found out.
    Unknowable,
}

/// All proofs in the order in which they count: first those that are at hand, then those that somebody is asked about.
pub(super) fn in_order(config: &Config, seen: &Seen<'_>, answers: &Answers, foreign: bool) -> Vec<Proof> {
    let (mut at_hand, mut asked) = (Vec::new(), Vec::new());
    if config.has_people() {
        match sessions::find(config, seen, answers, foreign) {
            Found::AtHand(proof) => at_hand.push(proof),
            Found::Asked(proof) => asked.push(proof),
        }
    }
    for backend in &config.backends {
        match backend {
            Backend::People => {}
            Backend::Tokens(trust) => token(*trust, seen, answers, &mut at_hand, &mut asked),
            Backend::Directory(directory) => badge(*directory, seen, answers, &mut at_hand, &mut asked),
        }
    }
    at_hand.extend(asked);
    at_hand
}

fn badge(
    directory: Directory,
    seen: &Seen<'_>,
    answers: &Answers,
    at_hand: &mut Vec<Proof>,
    asked: &mut Vec<Proof>,
) {
    let [badge] = seen.all(directory.field())[..] else { return };
    match shown(badge) {
        Shown::Nothing => {}
        Shown::Proof(vouched) => at_hand.push(vouched.proves(answers.begin)),
        Shown::Down => asked.push(Proof::Unknowable),
        Shown::Ask => {
            let At { moment, answer } = &answers.directories[usize::from(directory.number - 1)];
            asked.push(match answer {
                Err(()) => Proof::Unknowable,
                Ok(None) => Proof::Nothing,
                Ok(Some(vouched)) => vouched.proves(*moment),
            });
        }
    }
}

impl Vouched {
    fn proves(&self, now: i64) -> Proof {
        let Self { person, until, ambient } = self.clone();
        if until.is_some_and(|until| until <= now) { Proof::Nothing } else { Proof::Of { person, ambient } }
    }
}

fn token(trust: Trust, seen: &Seen<'_>, answers: &Answers, at_hand: &mut Vec<Proof>, asked: &mut Vec<Proof>) {
    let [value] = seen.all("authorization")[..] else { return };
    let Some((scheme, text)) = value.split_once(' ') else { return };
    let Some(issued) = tokens::look_up(text).filter(|_| scheme.eq_ignore_ascii_case("bearer")) else {
        return;
    };
    if !trust.algorithms().contains(&issued.algorithm) {
        return;
    }
    if trust != Trust::Provider {
        let proof = if issued.ours { issued.proves(answers.begin) } else { Proof::Nothing };
        at_hand.push(proof);
        return;
    }
    asked.push(with_fetched_keys(issued, answers));
}

/// The keys are fetched when the token comes. If its key is not among them, and they were asked for before the token came,
/// they are fetched once more.
fn with_fetched_keys(issued: &Issued, answers: &Answers) -> Proof {
    let right = if issued.algorithm == "RS256" { "rsa2048" } else { "p-256" };
    // Keys that came once are still there when the next fetch fails.
    let mut known: Option<&[&str]> = None;
    for round in 0..2 {
        let At { moment, answer } = answers.keys.get(round).or(answers.keys.last()).unwrap();
        known = match answer {
            Ok(names) if !names.is_empty() => Some(names),
            _ => known,
        };
        let Some(names) = known else { return Proof::Unknowable };
        let is_named = issued.kid.is_none_or(|kid| names.contains(&kid));
        let is_right = issued.ours && names.contains(&right) && issued.kid.is_none_or(|kid| kid == right);
        if is_right {
            return issued.proves(*moment);
        }
        if is_named && issued.kid.is_some() {
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
    fn proves(&self, now: i64) -> Proof {
        let begins = [self.times.nbf, self.times.iat].into_iter().flatten();
        let holds = self.times.exp.is_none_or(|exp| now < exp * 1000)
            && begins.max().is_none_or(|begin| begin * 1000 <= now)
            && !self.person.id.is_empty();
        if holds { Proof::Of { person: self.person.clone(), ambient: false } } else { Proof::Nothing }
    }
}

/// What was told, or that it cannot be found out.
pub(super) fn or_unknowable<T>(told: &Told<T>, proves: impl FnOnce(&T) -> Proof) -> Proof {
    told.as_ref().map_or(Proof::Unknowable, proves)
}
