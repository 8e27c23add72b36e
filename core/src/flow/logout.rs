use http::StatusCode;
use smol_str::SmolStr;

use super::leave::Leaving;
use super::login::{guarded, refuse_method};
use super::refuse::Asker;
use super::visit::Visit;
use super::{delegate, ordinary};
use crate::backend::LogoutAnswer;
use crate::decision::DelegatedPage;
use crate::event::{Details, Note, Reason};
use crate::reply::Reply;
use crate::session::SessionRules;
use crate::{Decision, Denial, Gate, Kind, Step, Timestamp, Unavailable};

/// The logout path: not for another site's forms either.
pub(super) fn logout(visit: &Visit<'_>, now: Timestamp) -> Step {
    guarded(visit, |backend| match (backend.logout(), &visit.gate.settings().sessions) {
        (LogoutAnswer::Delegate, _) => delegate(visit, backend.name(), DelegatedPage::Logout, Reason::Logout),
        (LogoutAnswer::EndSession, Some(sessions)) => match visit.head.method() {
            "POST" => end(visit, sessions, now),
            _ if visit.head.is_safe() => button(visit),
            _ => refuse_method(visit),
        },
        (LogoutAnswer::Forward, _) => ordinary(visit, now),
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

/// Every session that the browser shows ends, of as many cookies as are looked at.
fn end(visit: &Visit<'_>, sessions: &SessionRules, now: Timestamp) -> Step {
    let (gate, mut asker) = (visit.gate.clone(), visit.asker());
    asker.fields.touch();
    if !sessions.are_shown(visit.head.headers, visit.scheme) {
        let note = asker.note(Reason::Logout);
        return to_login(&gate, &asker, note);
    }
    let shown = sessions.all(visit.head.headers, visit.scheme).collect();
    Leaving::begin(visit.gate.clone(), shown, now, move |ended, _| match ended {
        Err(why) => refuse(&gate, &asker, &why),
        Ok(user) => signed_out(&gate, asker, user),
    })
}

/// The cookie stays: whoever could not be signed out can try again.
fn refuse(gate: &Gate, asker: &Asker, why: &Unavailable) -> Step {
    let login = || gate.settings().login(&asker.mount);
    let reply = asker.refuse(gate.settings(), Denial::Unavailable, Details::of(why), login);
    Decision::Respond(reply).into()
}

fn signed_out(gate: &Gate, mut asker: Asker, user: Option<SmolStr>) -> Step {
    if let Some(sessions) = &gate.settings().sessions {
        asker.fields.set_cookie(sessions.removal(asker.scheme));
        asker.fields.add_cookie(sessions.farewell(asker.scheme));
    }
    let reason = if user.is_some() { Reason::SignOut } else { Reason::Logout };
    let note = asker.note_with(reason, Details::of_user(user));
    to_login(gate, &asker, note)
}

fn to_login(gate: &Gate, asker: &Asker, note: Note) -> Step {
    let login = gate.settings().login(&asker.mount);
    asker.respond(match asker.kind {
        Kind::Htmx => Reply::empty(StatusCode::NO_CONTENT, note).with_hx_redirect(login),
        _ => Reply::see_other(login, note),
    })
}
