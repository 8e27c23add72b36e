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
use crate::{Denial, Gate, Kind, Session, SessionId, Step, Timestamp, Unavailable};

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

fn end(visit: &Visit<'_>, sessions: &SessionRules, now: Timestamp) -> Step {
    let gate = visit.gate.clone();
    let mut asker = visit.asker();
    asker.fields.touch();
    match sessions.read(visit.head.headers, visit.scheme) {
        Presented::Nothing => {
            let note = asker.note(Reason::Logout);
            to_login(&gate, &asker, note)
        }
        Presented::Bad => signed_out(&gate, asker, None),
        Presented::Sealed(id, session) => {
            let held = sessions.judge(&id, &session, now).is_ok();
            sessions.endings().end(id, session.issued(), now);
            signed_out(&gate, asker, held.then_some(session))
        }
        Presented::Record(id) => {
            Step::LoadSession(id, Then::new(move |answer, _| loaded(gate, asker, id, answer)))
        }
    }
}

/// The record is loaded for its user's name in the log, and so that streams of this process end at once.
fn loaded(gate: Gate, asker: Asker, id: SessionId, answer: Result<Option<Session>, Unavailable>) -> Step {
    match answer {
        Err(why) => refuse(&gate, &asker, &why),
        Ok(session) => Step::DropSession(
            id,
            Then::new(move |answer, now| match answer {
                Err(why) => refuse(&gate, &asker, &why),
                Ok(()) => {
                    if let (Some(sessions), Some(session)) = (&gate.settings().sessions, &session) {
                        sessions.endings().end(id, session.issued(), now);
                    }
                    signed_out(&gate, asker, session)
                }
            }),
        ),
    }
}

/// The cookie stays: whoever could not be signed out can try again.
fn refuse(gate: &Gate, asker: &Asker, why: &Unavailable) -> Step {
    let reply = asker.refuse(gate.settings(), Denial::Unavailable, Details::of(why), || {
        gate.settings().login(&asker.mount)
    });
    crate::Decision::Respond(reply).into()
}

fn signed_out(gate: &Gate, mut asker: Asker, session: Option<Session>) -> Step {
    let removal = gate.settings().sessions.as_ref().and_then(|sessions| sessions.removal(asker.scheme));
    asker.fields.set_cookie(removal);
    let reason = if session.is_some() { Reason::SignOut } else { Reason::Logout };
    let note = Note { user: session.map(|session| session.user.id), ..asker.note(reason) };
    to_login(gate, &asker, note)
}

fn to_login(gate: &Gate, asker: &Asker, note: Note) -> Step {
    let login = gate.settings().login(&asker.mount);
    asker.respond(match asker.kind {
        Kind::Htmx => Reply::empty(StatusCode::NO_CONTENT, note).with_hx_redirect(&login),
        _ => Reply::see_other(&login, note),
    })
}
