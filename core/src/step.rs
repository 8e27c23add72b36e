use std::fmt;

use crate::{Admission, Decision, Proven, Timestamp};

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
    /// Ask the backend of this name who sent the request: somebody proven, nobody, or "could not ask".
    AskBackend(&'static str, Then<Result<Option<Proven>, Unavailable>>),
    /// The end.
    Done(Decision),
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
    /// Says why, for the log. It is one line: what could begin another, or turn this one around, becomes a space.
    pub fn new(why: impl Into<String>) -> Self {
        let odd = |c: char| c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        Self(why.into().replace(odd, " "))
    }
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
