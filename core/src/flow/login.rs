use http::StatusCode;

use super::delegate;
use super::visit::Visit;
use crate::backend::{AuthBackend, LoginAnswer, LogoutAnswer};
use crate::decision::{Decision, DelegatedPage};
use crate::event::Reason;
use crate::reply::Reply;
use crate::{Denial, Kind, Step};

/// The login path: public, but not for another site's forms.
pub(super) fn login(visit: &Visit<'_>) -> Step {
    guarded(visit, |backend| match backend.login() {
        LoginAnswer::Delegate => delegate(visit, backend.name(), DelegatedPage::Login, Reason::Login),
        LoginAnswer::Page(page) => {
            let pages = &visit.gate.settings().pages;
            let note = visit.note(Reason::Login);
            respond(visit, Reply::page(StatusCode::OK, pages.login(&page), pages.policy(), note))
        }
    })
}

/// The logout path: not for another site's forms either.
pub(super) fn logout(visit: &Visit<'_>) -> Step {
    guarded(visit, |backend| match backend.logout() {
        LogoutAnswer::Delegate => delegate(visit, backend.name(), DelegatedPage::Logout, Reason::Logout),
        LogoutAnswer::ToLogin => {
            let note = visit.note(Reason::Logout);
            respond(
                visit,
                match visit.kind {
                    Kind::Htmx => Reply::empty(StatusCode::NO_CONTENT, note).with_hx_redirect(&visit.login()),
                    _ => Reply::see_other(&visit.login(), note),
                },
            )
        }
    })
}

/// Asks the first backend, unless another site may be behind the request.
fn guarded(visit: &Visit<'_>, ask: impl FnOnce(&dyn AuthBackend) -> Step) -> Step {
    if !visit.head.is_safe() && visit.is_foreign() {
        return visit.refuse(Denial::CrossSite);
    }
    match visit.gate.settings().backends.first() {
        Some(backend) => ask(backend.as_ref()),
        None => visit.refuse(Denial::Unavailable),
    }
}

fn respond(visit: &Visit<'_>, reply: Reply) -> Step {
    Decision::Respond(visit.asker().finish(reply)).into()
}
