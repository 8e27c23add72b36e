use http::StatusCode;

use super::delegate;
use super::login::{guarded, refuse_method};
use super::refuse::{Asker, Details};
use super::visit::Visit;
use crate::backend::LogoutAnswer;
use crate::decision::DelegatedPage;
use crate::event::{Note, Reason};
use crate::reply::Reply;
use crate::session::{Presented, SessionRules};
use crate::step::Then;
use crate::{Decision, Denial, Gate, Kind, Session, SessionId, Step, Timestamp, Unavailable};

/// The logout path: not for another site's forms either.
pub(super) fn logout(visit: &Visit<'_>, now: Timestamp) -> Step {
    guarded(visit, |backend| match (backend.logout(), &visit.gate.settings().sessions) {
        (LogoutAnswer::Delegate, _) => delegate(visit, backend.name(), DelegatedPage::Logout, Reason::Logout),
        (LogoutAnswer::EndSession, Some(sessions)) => match visit.head.method() {
            "POST" => end(visit, sessions, now),
            _ if visit.head.is_safe() => button(visit),
            _ => refuse_method(visit),
        },
        (LogoutAnswer::ToLogin | LogoutAnswer::EndSession, _) => {
            let asker = visit.asker();
            let note = asker.note(Reason::Logout);
            to_login(visit.gate, &asker, note)
        }
    })
}

/// Looking changes nothing: links are followed by prefetchers and other sites, too.
fn button(visit: &Visit<'_>) -> Step {
    let settings = visit.gate.settings();
    let html = settings.pages.logout(&settings.logout(&visit.mount), &visit.home());
    let note = visit.note(Reason::Logout);
    visit.asker().respond(Reply::page(StatusCode::OK, html, settings.pages.policy(), note))
}

/// Every session that the browser shows ends, as a rule one at most.
fn end(visit: &Visit<'_>, sessions: &SessionRules, now: Timestamp) -> Step {
    let mut asker = visit.asker();
    asker.fields.touch();
    if matches!(sessions.read(visit.head.headers, visit.scheme), Presented::Nothing) {
        let note = asker.note(Reason::Logout);
        return to_login(visit.gate, &asker, note);
    }
    let (mut records, mut user) = (Vec::new(), None);
    for shown in sessions.all(visit.head.headers, visit.scheme) {
        match shown {
            Presented::Record(id) => records.push(id),
            Presented::Sealed(session) => {
                let held = sessions.judge(&session, now).is_ok();
                sessions.endings().end(session.id, session.issued, now);
                user = held.then_some(session.user.id).or(user);
            }
            Presented::Nothing | Presented::Bad => {}
        }
    }
    Leaving { gate: visit.gate.clone(), asker, records, user }.next()
}

/// Somebody on their way out.
struct Leaving {
    gate: Gate,
    asker: Asker,
    /// The records that are still to be dropped.
    records: Vec<SessionId>,
    /// Whose session it was, once that is known.
    user: Option<String>,
}

impl Leaving {
    /// A record is loaded first for its user's name in the log, and so that streams of this process end at once.
    fn next(mut self) -> Step {
        match self.records.pop() {
            Some(id) => Step::LoadSession(id, Then::new(move |answer, _| self.loaded(id, answer))),
            None => self.signed_out(),
        }
    }

    fn loaded(mut self, id: SessionId, answer: Result<Option<Session>, Unavailable>) -> Step {
        let session = match answer {
            Err(why) => return self.refuse(&why),
            Ok(session) => session.filter(|session| session.id == id),
        };
        let dropped = move |answer, now| match answer {
            Err(why) => self.refuse(&why),
            Ok(()) => {
                if let (Some(sessions), Some(session)) = (&self.gate.settings().sessions, session) {
                    sessions.endings().end(id, session.issued, now);
                    self.user = Some(session.user.id);
                }
                self.next()
            }
        };
        Step::DropSession(id, Then::new(dropped))
    }

    /// The cookie stays: whoever could not be signed out can try again.
    fn refuse(self, why: &Unavailable) -> Step {
        let settings = self.gate.settings();
        let login = || settings.login(&self.asker.mount);
        Decision::Respond(self.asker.refuse(settings, Denial::Unavailable, Details::of(why), login)).into()
    }

    fn signed_out(mut self) -> Step {
        let scheme = self.asker.scheme;
        if let Some(sessions) = &self.gate.settings().sessions {
            self.asker.fields.set_cookie(sessions.removal(scheme));
            self.asker.fields.add_cookie(sessions.farewell(scheme));
        }
        let reason = if self.user.is_some() { Reason::SignOut } else { Reason::Logout };
        let note = Note { user: self.user, ..self.asker.note(reason) };
        to_login(&self.gate, &self.asker, note)
    }
}

fn to_login(gate: &Gate, asker: &Asker, note: Note) -> Step {
    let login = gate.settings().login(&asker.mount);
    asker.respond(match asker.kind {
        Kind::Htmx => Reply::empty(StatusCode::NO_CONTENT, note).with_hx_redirect(&login),
        _ => Reply::see_other(&login, note),
    })
}
