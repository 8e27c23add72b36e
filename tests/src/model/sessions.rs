//! What a session is worth.

use authgate_core::Scheme;

use super::head::Seen;
use super::proofs::{Proof, or_unknowable};
use crate::case::{Answers, At, Config, Ended, Kept, Loaded, LookedUp, secret};

/// A session's worth, and whether somebody must be asked to find out.
pub(super) enum Found {
    AtHand(Proof),
    Asked(Proof),
}

pub(super) fn find(config: &Config, seen: &Seen<'_>, answers: &Answers, foreign: bool) -> Found {
    let shown = shown(config, seen);
    let [one] = &shown[..] else { return Found::AtHand(Proof::Nothing) };
    let mut memory = Memory::before(config, answers.begin);
    let heard = if config.shared.is_some() { memory.hear(answers) } else { Some(answers.begin) };
    let Some(heard) = heard else { return Found::Asked(Proof::Unknowable) };
    let judge = Judge { config, answers, foreign, memory };
    match one {
        Cookie::Sealed(kept) => {
            let proof = judge.weigh(kept, heard);
            let asks = config.shared.is_some() || judge.asks_about(kept, heard);
            if asks { Found::Asked(proof) } else { Found::AtHand(proof) }
        }
        Cookie::Record(number) => Found::Asked(or_unknowable(&answers.load.answer, |loaded| match loaded {
            None => Proof::Nothing,
            Some(Loaded { kept, asked_for }) if *asked_for || Some(kept.number) == *number => {
                let number = number.unwrap_or(u8::MAX);
                let kept = if *asked_for { Kept { number, ..kept.clone() } } else { kept.clone() };
                judge.weigh(&kept, answers.load.moment)
            }
            // Another's session: the store has mixed something up.
            Some(_) => Proof::Unknowable,
        })),
    }
}

/// A cookie that may be a session.
enum Cookie {
    Sealed(Kept),
    /// The number of the secret, if it is one of ours.
    Record(Option<u8>),
}

/// The cookies that are sessions by their looks; only the first eight of the name are looked at.
fn shown(config: &Config, seen: &Seen<'_>) -> Vec<Cookie> {
    let name = config.cookie(seen.scheme == Scheme::Https);
    let fields = seen.all("cookie");
    let pairs = fields.iter().flat_map(|field| field.split(';')).map(str::trim_ascii);
    let values = pairs.filter_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    let read = |value: &str| {
        if config.sealed {
            let mut book = seen.request.sealed.iter();
            return book
                .find(|sealed| sealed.value == value)
                .map(|sealed| Cookie::Sealed(sealed.kept.clone()));
        }
        let number = (0..8).find(|number| secret(*number) == value);
        (number.is_some() || is_secret(value)).then_some(Cookie::Record(number))
    };
    values.take(8).filter_map(read).collect()
}

/// 32 bytes in base64url: 43 characters, of which the last holds four bits and no more.
fn is_secret(value: &str) -> bool {
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let last = value.chars().last().and_then(|last| alphabet.find(last));
    value.len() == 43
        && value.chars().all(|c| alphabet.contains(c))
        && last.is_some_and(|place| place % 4 == 0)
}

/// What is known of endings, and of the store's clock.
struct Memory {
    ended: Vec<Ended>,
    /// Whatever was issued up to here has ended.
    floor: i64,
    /// How far the store's clock is ahead.
    ahead: i64,
    lifetime: i64,
}

impl Memory {
    /// What has ended here.
    fn before(config: &Config, begin: i64) -> Self {
        let lifetime = millis(config.lifetimes.lifetime);
        let mut memory = Self { ended: Vec::new(), floor: i64::MIN, ahead: 0, lifetime };
        for (user, until) in &config.ended {
            // Each ending sweeps first, as time has it then.
            memory.forget(begin);
            memory.ended.push(Ended::User(user.clone(), *until));
        }
        memory
    }

    /// Takes all news; the moment at which all is known, if that moment comes.
    fn hear(&mut self, answers: &Answers) -> Option<i64> {
        for number in 0..200 {
            let At { moment, answer } = answers.news.get(number).or(answers.news.last())?;
            let news = answer.as_ref().ok()?;
            self.ended.extend(news.ended.iter().cloned());
            self.forget(news.now);
            self.floor = self.floor.max(news.floor);
            self.ahead = news.now - moment;
            if !news.more {
                return Some(*moment);
            }
        }
        None
    }

    /// What ended a lifetime ago is forgotten, and whatever is as old has ended with it.
    fn forget(&mut self, now: i64) {
        let before = now.saturating_sub(self.lifetime);
        let moment = |ended: &Ended| match ended {
            Ended::Session(_, moment) | Ended::User(_, moment) => *moment,
        };
        // A user's, and a session's, ending that was told twice is as late as the later one.
        let latest = |one: &Ended, all: &[Ended]| {
            all.iter().filter(|other| is_same(one, other)).map(moment).max().unwrap_or(i64::MIN)
        };
        let all = self.ended.clone();
        let (old, kept) = all.iter().cloned().partition(|one| latest(one, &all) <= before);
        self.ended = kept;
        self.floor = old.iter().map(moment).fold(self.floor, i64::max);
    }

    fn spares(&self, kept: &Kept) -> bool {
        kept.issued > self.floor
            && !self.ended.iter().any(|ended| match ended {
                Ended::Session(number, _) => *number == kept.number,
                Ended::User(user, until) => *user == kept.person.id && kept.issued <= *until,
            })
    }
}

fn is_same(one: &Ended, other: &Ended) -> bool {
    match (one, other) {
        (Ended::Session(one, _), Ended::Session(other, _)) => one == other,
        (Ended::User(one, _), Ended::User(other, _)) => one == other,
        _ => false,
    }
}

struct Judge<'a> {
    config: &'a Config,
    answers: &'a Answers,
    foreign: bool,
    memory: Memory,
}

/// Why a session does not hold.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// By itself.
    Over,
    /// Somebody has ended it.
    SignedOut,
    /// Its user is not the same any more.
    UserChanged,
}

impl Judge<'_> {
    /// What a session proves when it is shown at this moment.
    fn weigh(&self, kept: &Kept, moment: i64) -> Proof {
        if let Err(fault) = self.holds(kept, moment) {
            return self.over(fault);
        }
        if self.is_due(kept, moment) {
            return self.renewed(kept);
        }
        Proof::Of { person: kept.person.clone(), ambient: true }
    }

    /// Whether its user is looked up.
    fn asks_about(&self, kept: &Kept, moment: i64) -> bool {
        self.holds(kept, moment).is_ok() && self.is_due(kept, moment)
    }

    fn holds(&self, kept: &Kept, moment: i64) -> Result<(), Fault> {
        let now = moment + self.memory.ahead;
        let (idle, lifetime) = (millis(self.config.lifetimes.idle), self.memory.lifetime);
        let ends = kept.ends.min(kept.issued.saturating_add(lifetime));
        let until = kept.until.min(kept.renewed.saturating_add(idle)).min(ends);
        // A session that ends so late was issued in a future that no clock was ever set to.
        let is_absurd = ends > now + 2 * lifetime;
        if kept.person.id.is_empty() || is_absurd || now >= until {
            return Err(Fault::Over);
        }
        if self.memory.spares(kept) { Ok(()) } else { Err(Fault::SignedOut) }
    }

    /// It was renewed some time ago, or in the future: a clock was set back. Another site's request keeps nothing alive.
    fn is_due(&self, kept: &Kept, moment: i64) -> bool {
        let now = moment + self.memory.ahead;
        let is_fresh = kept.renewed <= now
            && now < kept.renewed.saturating_add(millis(self.config.lifetimes.renew_every));
        !self.foreign && !is_fresh
    }

    /// What the session proves once its user was looked up.
    fn renewed(&self, kept: &Kept) -> Proof {
        or_unknowable(&self.answers.look_up.answer, |user| {
            let person = match user {
                LookedUp::Gone => return self.over(Fault::UserChanged),
                LookedUp::Unknowable => &kept.person,
                LookedUp::Found(person, credential) => {
                    let differs = credential.zip(kept.credential).is_some_and(|(now, then)| now != then);
                    if person.id != kept.person.id || differs {
                        return self.over(Fault::UserChanged);
                    }
                    person
                }
            };
            let renewed = self.answers.look_up.moment + self.memory.ahead;
            let until = renewed + millis(self.config.lifetimes.idle);
            let kept = Kept { person: person.clone(), renewed, until, ..kept.clone() };
            if self.config.sealed {
                return or_unknowable(&self.answers.random.answer, |_| {
                    self.after(&kept, self.answers.random.moment)
                });
            }
            or_unknowable(&self.answers.renew.answer, |was_there| {
                if *was_there { self.after(&kept, self.answers.renew.moment) } else { Proof::Nothing }
            })
        })
    }

    /// A renewed session may have ended while others were asked.
    fn after(&self, kept: &Kept, moment: i64) -> Proof {
        match self.holds(kept, moment) {
            Err(fault) => self.over(fault),
            Ok(()) => Proof::Of { person: kept.person.clone(), ambient: true },
        }
    }

    /// A record that somebody has ended leaves the store. If that cannot be told, nobody is let in meanwhile.
    fn over(&self, fault: Fault) -> Proof {
        let leaves = match fault {
            Fault::Over => false,
            Fault::SignedOut => !self.config.sealed && self.config.shared.is_none(),
            Fault::UserChanged => !self.config.sealed,
        };
        if leaves && self.answers.drop.answer.is_err() { Proof::Unknowable } else { Proof::Nothing }
    }
}

fn millis(seconds: u64) -> i64 {
    i64::try_from(seconds * 1000).unwrap()
}
