//! What a request proves, and in which order that counts.

use super::head::Seen;
use super::sessions::{self, Found};
use super::tokens;
use crate::case::{Answers, At, Backend, Config, Directory, Person, Shown, Told, Vouched, shown};

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
            Backend::Tokens(trust) => tokens::find(trust, seen, answers, &mut at_hand, &mut asked),
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
    let Some(badge) = seen.one(directory.field()) else { return };
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

/// What was told, or that it cannot be found out.
pub(super) fn or_unknowable<T>(told: &Told<T>, proves: impl FnOnce(&T) -> Proof) -> Proof {
    told.as_ref().map_or(Proof::Unknowable, proves)
}
