use authgate_core::{
    Account, BodyError, Count, Ending, EndingsNews, Lookup, Session, SessionId, Timestamp, Unavailable,
    Verdict,
};

use super::directory::Vouched;
use super::kept::Kept;
use super::person::Person;

/// What everybody answers, whenever they are asked, and at which moment each answer comes: clocks go forward and back.
#[derive(Debug, Clone)]
pub struct Answers {
    /// When the request comes, in milliseconds.
    pub begin: i64,
    /// Why there is no body, if there is none.
    pub body: At<Option<BodyError>>,
    /// What the first and the second directory say.
    pub directories: [At<Told<Option<Vouched>>>; 2],
    /// What a fetch of the provider's keys brings; asked several times, the last answer comes again. Of the keys that there
    /// are, `rsa2048` and `p-256`, the set has those that are named.
    pub keys: Vec<At<Told<Vec<&'static str>>>>,
    /// Whose the password is, if anybody's.
    pub password: At<Told<Option<Holder>>>,
    /// What is known of the user of a session.
    pub look_up: At<Told<LookedUp>>,
    /// Random bytes, all alike.
    pub random: At<Told<u8>>,
    /// What the store has under any id.
    pub load: At<Told<Option<Loaded>>>,
    /// Whether there was none yet.
    pub create: At<Told<bool>>,
    /// Whether there still was one.
    pub renew: At<Told<bool>>,
    /// Whether it could be told.
    pub drop: At<Told<()>>,
    /// What has ended elsewhere; the last answer comes again and again.
    pub news: Vec<At<Told<News>>>,
    /// Counts of tries; as many as it likes.
    pub counts: At<Told<Vec<Option<Count>>>>,
    /// Whether nobody else had changed them; the last answer comes again and again.
    pub swap: Vec<At<Told<bool>>>,
}

/// An answer and the moment at which it comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct At<T> {
    /// In milliseconds.
    pub moment: i64,
    /// The answer.
    pub answer: T,
}

/// Whose a password is, and what their credential is, if that is known.
pub type Holder = (Person, Option<&'static str>);

/// What was answered, or that nobody could be asked.
pub type Told<T> = Result<T, ()>;

/// A session that a store gives back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// What it holds.
    pub kept: Kept,
    /// Whether it is kept under the id that was asked for, whatever its number says.
    pub asked_for: bool,
}

/// What is known of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LookedUp {
    /// This.
    Found(Person, Option<&'static str>),
    /// They are gone.
    Gone,
    /// Nobody can tell.
    Unknowable,
}

/// What a store tells of endings; moments by its own clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// What has ended.
    pub ended: Vec<Ended>,
    /// Whether there is more.
    pub more: bool,
    /// What was issued up to here has ended.
    pub floor: i64,
    /// The time there.
    pub now: i64,
}

/// Something that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// The session of this number.
    Session(u8, i64),
    /// All of a user's until then.
    User(String, i64),
}

/// For whatever cannot be asked.
pub fn down() -> Unavailable {
    Unavailable::new("down")
}

impl<T> At<T> {
    /// An answer that comes at this moment.
    pub fn new(moment: i64, answer: T) -> Self {
        Self { moment, answer }
    }

    /// The moment, as the gate is told it.
    pub fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.moment)
    }
}

impl Answers {
    /// Everybody answers at once, at the moment `now`, and knows nobody.
    pub fn still(now: Timestamp) -> Self {
        let at = now.as_millis();
        let nothing = News { ended: Vec::new(), more: false, floor: i64::MIN, now: at };
        Self {
            begin: at,
            body: At::new(at, None),
            directories: [At::new(at, Ok(None)), At::new(at, Ok(None))],
            keys: vec![At::new(at, Ok(vec!["rsa2048", "p-256"]))],
            password: At::new(at, Ok(None)),
            look_up: At::new(at, Ok(LookedUp::Unknowable)),
            random: At::new(at, Ok(7)),
            load: At::new(at, Ok(None)),
            create: At::new(at, Ok(true)),
            renew: At::new(at, Ok(true)),
            drop: At::new(at, Ok(())),
            news: vec![At::new(at, Ok(nothing))],
            counts: At::new(at, Ok(vec![None; 4])),
            swap: vec![At::new(at, Ok(true))],
        }
    }
}

impl Loaded {
    /// As the gate reads it, when it has asked for `id`.
    pub fn session(&self, id: SessionId) -> Session {
        let session = self.kept.session();
        if !self.asked_for {
            return session;
        }
        let mut json = serde_json::to_value(session).unwrap();
        json["id"] = serde_json::to_value(id).unwrap();
        serde_json::from_value(json).unwrap()
    }
}

impl LookedUp {
    /// As the gate reads it.
    pub fn lookup(&self) -> Lookup {
        match self {
            Self::Found(person, credential) => Lookup::Found(account(person, *credential)),
            Self::Gone => Lookup::Gone,
            Self::Unknowable => Lookup::Unknowable,
        }
    }
}

/// A verdict on a password.
pub(super) fn verdict(whose: Option<&Holder>) -> Verdict {
    whose.map(|(person, credential)| account(person, *credential)).into()
}

fn account(person: &Person, credential: Option<&'static str>) -> Account {
    let account = Account::from(person.user());
    match credential {
        Some(credential) => account.with_credential(credential),
        None => account,
    }
}

impl News {
    /// As the gate reads it; `position` tells one answer from the next.
    pub fn endings(&self, position: usize) -> EndingsNews {
        let at = Timestamp::from_millis;
        let ending = |ended: &Ended| match ended {
            Ended::Session(number, moment) => Ending::Session { id: Kept::id(*number), at: at(*moment) },
            Ended::User(user, until) => Ending::User { user: user.clone(), until: at(*until) },
        };
        EndingsNews {
            endings: self.ended.iter().map(ending).collect(),
            position: position.to_string(),
            more: self.more,
            floor: at(self.floor),
            now: at(self.now),
        }
    }
}
