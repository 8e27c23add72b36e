use super::admit::{Found, Parked};
use crate::account::Lookup;
use crate::event::Details;
use crate::session::{SessionRules, Standing};
use crate::step::Then;
use crate::{Denial, Gate, Session, SessionFault, Step, Timestamp, Unavailable};

/// A visit with a session that was held until now; whether it goes on is judged here.
pub(super) struct Held {
    pub(super) parked: Parked,
    pub(super) session: Session,
}

impl Held {
    /// A record as it was loaded, or what a cookie holds.
    pub(super) fn begin(self, now: Timestamp) -> Step {
        let gate = self.parked.gate.clone();
        let Some(sessions) = rules(&gate) else { return self.end(SessionFault::Unknown, now) };
        match sessions.weigh(&self.session, self.parked.search.foreign, now) {
            Standing::Fails(fault) => self.end(fault, now),
            Standing::Due => self.renew(),
            Standing::Holds { until } => self.admit(until, now),
        }
    }

    /// A session that is used goes on, if its user is still the same.
    pub(super) fn renew(self) -> Step {
        let user = self.session.user.id.to_string();
        Step::LookUpUser(user, Then::new(move |answer, now| self.looked_up(answer, now)))
    }

    fn looked_up(self, answer: Result<Lookup, Unavailable>, now: Timestamp) -> Step {
        let gate = self.parked.gate.clone();
        let Some(sessions) = rules(&gate) else { return self.end(SessionFault::Unknown, now) };
        let lookup = match answer {
            Err(why) => return self.unavailable(&why),
            Ok(lookup) => lookup,
        };
        let Some(session) = sessions.renewed(self.session.clone(), lookup, now) else {
            sessions.end(self.session.id, self.session.issued, now);
            return self.end(SessionFault::UserChanged, now);
        };
        let held = Self { session: session.clone(), ..self };
        if sessions.are_sealed() {
            Step::DrawBytes(Then::new(move |random, now| held.sealed(random, now)))
        } else {
            Step::RenewSession(session.id, session, Then::new(move |answer, now| held.renewed(answer, now)))
        }
    }

    fn sealed(mut self, random: Result<[u8; 32], Unavailable>, now: Timestamp) -> Step {
        let gate = self.parked.gate.clone();
        let Some(sessions) = rules(&gate) else { return self.end(SessionFault::Unknown, now) };
        let scheme = self.parked.asker.scheme;
        match random.and_then(|random| sessions.seal(&self.session, &random, scheme)) {
            Err(why) => self.unavailable(&why),
            Ok(cookie) => {
                self.parked.search.fields.set_cookie(Some(cookie));
                self.go_on(now)
            }
        }
    }

    fn renewed(self, answer: Result<bool, Unavailable>, now: Timestamp) -> Step {
        match answer {
            Err(why) => self.unavailable(&why),
            // Its user signed out in the meantime.
            Ok(false) => self.parked.reject(SessionFault::Unknown, Some(self.session), now),
            Ok(true) => self.go_on(now),
        }
    }

    /// Goes on with a renewed session, unless it has ended while others were asked.
    fn go_on(self, now: Timestamp) -> Step {
        let gate = self.parked.gate.clone();
        let Some(sessions) = rules(&gate) else { return self.end(SessionFault::Unknown, now) };
        let until = sessions.until(&self.session, now);
        match sessions.judge(&self.session, now) {
            Err(fault) => self.end(fault, now),
            Ok(()) => self.admit(until, now),
        }
    }

    fn admit(self, until: Timestamp, now: Timestamp) -> Step {
        let found = Found::in_session(&self.parked.gate, self.session, until);
        self.parked.weigh(found, now)
    }

    /// A session that was ended by somebody leaves the store as well, so that nobody revives it; what ended by itself is
    /// the store's to forget, and where gates share it they know already who was signed out. A sealed one is in no store,
    /// and other gates look its user up as this one did.
    fn end(self, fault: SessionFault, now: Timestamp) -> Step {
        let is_told = rules(&self.parked.gate).is_some_and(|sessions| match fault {
            SessionFault::SignedOut => !sessions.are_sealed() && !sessions.are_shared(),
            SessionFault::UserChanged => !sessions.are_sealed(),
            _ => false,
        });
        if !is_told {
            return self.parked.reject(fault, Some(self.session), now);
        }
        let id = self.session.id;
        let dropped = move |answer, now| match answer {
            Err(why) => self.unavailable(&why),
            Ok(()) => self.parked.reject(fault, Some(self.session), now),
        };
        Step::DropSession(id, Then::new(dropped))
    }

    fn unavailable(self, why: &Unavailable) -> Step {
        let details = Details { user: Some(self.session.user.id.clone()), ..Details::of(why) };
        self.parked.refuse(Denial::Unavailable, details)
    }
}

fn rules(gate: &Gate) -> Option<&SessionRules> {
    gate.settings().sessions.as_ref()
}
