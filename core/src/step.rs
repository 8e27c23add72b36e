use std::fmt;

use crate::{
    Admission, Body, BodyError, BodyLimit, Count, CountKey, Credentials, Decision, EndingsNews, EndingsSince,
    Lookup, Proven, Session, SessionId, Swap, Timestamp, Verdict,
};

/// A question to the driver, or the end.
///
/// Each question owns the one place its answer fits, and answering consumes it. The wrong answer, a second answer or
/// an answer after the end does not compile:
///
/// ```compile_fail
/// # use authgate_core::{Step, Timestamp, User};
/// # fn f(step: Step, now: Timestamp) {
/// if let Step::AskBackend(_, then) = step {
///     let _first = then.resume(Ok(None), now);
///     let _second = then.resume(Ok(Some(User::new("ada").into())), now); // used after move
/// }
/// # }
/// ```
///
/// New needs become new variants, so every driver fails to compile until it answers them.
#[must_use = "a dropped step admits nobody"]
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "most requests are `Done` at once, and need no box for it")]
pub enum Step {
    /// Read the request's body, up to this limit. Nothing that reads a body ever forwards the request.
    ReadBody(BodyLimit, Then<Result<Body, BodyError>>),
    /// Ask the backend of this name who sent the request: somebody proven, nobody, or "could not ask".
    AskBackend(&'static str, Then<Result<Option<Proven>, Unavailable>>),
    /// Fetch the keys of the backend of this name, whose [`KeySet`](crate::KeySet) says when that may be: a token's key
    /// is not among those that are known. Answer once a fetch has ended, this request's or another's; an error if it
    /// brought no keys, or if it is too early for one.
    FetchKeys(&'static str, Then<Result<(), Unavailable>>),
    /// Check a password: whose it is, or nobody's. Hashing takes long: not on the event loop.
    CheckPassword(Credentials, Then<Result<Verdict, Unavailable>>),
    /// Tell what is known of the user with this id, whose session is being renewed.
    LookUpUser(String, Then<Result<Lookup, Unavailable>>),
    /// Draw random bytes, from a generator that nobody can predict.
    DrawBytes(Then<Result<[u8; 32], Unavailable>>),
    /// Load the session of this id from the store; nothing if there is none.
    LoadSession(SessionId, Then<Result<Option<Session>, Unavailable>>),
    /// Keep a new session in the store; `false` if there is one of this id already, which stays as it was.
    CreateSession(SessionId, Session, Then<Result<bool, Unavailable>>),
    /// Replace the session of this id in the store; `false` if there is none (any more), and then none is made.
    RenewSession(SessionId, Session, Then<Result<bool, Unavailable>>),
    /// Remove the session of this id from the store, for good. It is no fault if there is none. Where gates
    /// [share](crate::Sharing) a store, the others hear of it as of any ending, whether or not there was a record; there
    /// it is asked for sealed sessions, too.
    DropSession(SessionId, Then<Result<(), Unavailable>>),
    /// Tell what has ended since the gate heard last, here or elsewhere. It is asked again at once while the answer says
    /// that there is [`more`](EndingsNews::more). Asked only of gates that [share](crate::Sharing) a store, as are the
    /// next two.
    HearEndings(EndingsSince, Then<Result<EndingsNews, Unavailable>>),
    /// Load these counts of tries to sign in, in this order; nothing for one that there is not (any more).
    LoadCounts(Vec<CountKey>, Then<Result<Vec<Option<Count>>, Unavailable>>),
    /// Make all these changes in one step, or none of them; `false` if a count is not what it was.
    SwapCounts(Vec<Swap>, Then<Result<bool, Unavailable>>),
    /// The end.
    Done(Decision),
}

impl Step {
    /// Answers whatever is asked with "could not ask": for the questions that a driver cannot answer. A body counts as cut
    /// off, which is 400, and then `why` is not logged.
    pub fn unavailable(self, why: Unavailable, now: Timestamp) -> Self {
        match self {
            Self::Done(_) => self,
            Self::ReadBody(_, then) => then.resume(Err(BodyError::Cut), now),
            Self::AskBackend(_, then) => then.resume(Err(why), now),
            Self::CheckPassword(_, then) => then.resume(Err(why), now),
            Self::LookUpUser(_, then) => then.resume(Err(why), now),
            Self::DrawBytes(then) => then.resume(Err(why), now),
            Self::LoadSession(_, then) => then.resume(Err(why), now),
            Self::CreateSession(_, _, then) | Self::RenewSession(_, _, then) | Self::SwapCounts(_, then) => {
                then.resume(Err(why), now)
            }
            Self::FetchKeys(_, then) | Self::DropSession(_, then) => then.resume(Err(why), now),
            Self::HearEndings(_, then) => then.resume(Err(why), now),
            Self::LoadCounts(_, then) => then.resume(Err(why), now),
        }
    }
}

/// The one place where an answer of type `A` fits.
#[must_use = "a dropped step admits nobody"]
pub struct Then<A>(Box<dyn FnOnce(A, Timestamp) -> Step + Send>);

impl<A> Then<A> {
    pub(crate) fn new(next: impl FnOnce(A, Timestamp) -> Step + Send + 'static) -> Self {
        Self(Box::new(next))
    }

    /// Goes on with `answer`, at the moment `now`.
    pub fn resume(self, answer: A, now: Timestamp) -> Step {
        (self.0)(answer, now)
    }
}

impl<A> fmt::Debug for Then<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Then(…)")
    }
}

/// Somebody could not be asked: a store is down, a deadline has passed. Never a reason to let anybody in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unavailable(String);

impl Unavailable {
    /// Says why, for the log. It is one line, whatever the text holds.
    pub fn new(why: impl Into<String>) -> Self {
        Self(one_line(&why.into()))
    }
}

/// Text for the log: what could begin another line, or turn this one around, becomes a space.
pub(crate) fn one_line(text: &str) -> String {
    let odd = |c: char| c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.replace(odd, " ")
}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unavailable {}

impl From<Decision> for Step {
    fn from(decision: Decision) -> Self {
        Self::Done(decision)
    }
}

impl From<Admission> for Step {
    fn from(admission: Admission) -> Self {
        Self::Done(Decision::Forward(admission))
    }
}
