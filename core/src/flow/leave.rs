use smol_str::SmolStr;

use crate::session::Shown;
use crate::step::Then;
use crate::{Gate, Session, SessionId, Step, Timestamp, Unavailable};

/// Ends all sessions that a browser shows, as a rule one at most, and goes on from there.
pub(super) struct Leaving {
    gate: Gate,
    /// Those that are still to end.
    shown: Vec<Shown>,
    /// Whose session it was, once that is known.
    user: Option<SmolStr>,
    then: Box<Next>,
}

type Next = dyn FnOnce(Result<Option<SmolStr>, Unavailable>, Timestamp) -> Step + Send;

impl Leaving {
    /// Ends them all; `then` learns whose they were, if any held, or why it cannot be done.
    pub(super) fn begin(
        gate: Gate,
        shown: Vec<Shown>,
        now: Timestamp,
        then: impl FnOnce(Result<Option<SmolStr>, Unavailable>, Timestamp) -> Step + Send + 'static,
    ) -> Step {
        Self { gate, shown, user: None, then: Box::new(then) }.next(now)
    }

    fn next(mut self, now: Timestamp) -> Step {
        loop {
            match self.shown.pop() {
                None => return (self.then)(Ok(self.user), now),
                Some(Shown::Sealed(session)) if self.tells(&session, now) => return self.tell(session),
                Some(Shown::Sealed(session)) => self.end(session.id, &session, now),
                Some(Shown::Record(id)) => {
                    return Step::LoadSession(id, Then::new(move |answer, now| self.loaded(id, answer, now)));
                }
            }
        }
    }

    /// A record ends in this process before it leaves the store: should the store's answer get lost, streams have ended, and
    /// the record is dropped when it is shown again.
    fn loaded(mut self, id: SessionId, answer: Result<Option<Session>, Unavailable>, now: Timestamp) -> Step {
        match answer {
            Err(why) => return (self.then)(Err(why), now),
            Ok(None) => return self.next(now),
            Ok(Some(session)) if session.id == id => self.end(id, &session, now),
            Ok(Some(_)) => {}
        }
        Step::DropSession(
            id,
            Then::new(move |answer, now| match answer {
                Err(why) => (self.then)(Err(why), now),
                Ok(()) => self.next(now),
            }),
        )
    }

    /// Whether others would go on believing a sealed session that still holds.
    fn tells(&self, session: &Session, now: Timestamp) -> bool {
        let sessions = self.gate.settings().sessions.as_ref();
        sessions.is_some_and(|sessions| sessions.are_shared() && sessions.judge(session, now).is_ok())
    }

    /// A sealed session ends in the store before it ends here: should the store's answer get lost, it holds, and is told
    /// again when it is shown again.
    fn tell(mut self, session: Session) -> Step {
        let id = session.id;
        Step::DropSession(
            id,
            Then::new(move |answer, now| match answer {
                Err(why) => (self.then)(Err(why), now),
                Ok(()) => {
                    self.end(id, &session, now);
                    self.next(now)
                }
            }),
        )
    }

    fn end(&mut self, id: SessionId, session: &Session, now: Timestamp) {
        let Some(sessions) = &self.gate.settings().sessions else { return };
        let held = sessions.judge(session, now).is_ok();
        sessions.end(id, session.issued, now);
        if held {
            self.user = Some(session.user.id.clone());
        }
    }
}
