use http::header::ALLOW;
use http::{HeaderValue, StatusCode};

use super::visit::Visit;
use super::{delegate, sign_in};
use crate::backend::{AuthBackend, LoginAnswer};
use crate::decision::DelegatedPage;
use crate::event::Reason;
use crate::reply::Reply;
use crate::{Decision, Denial, Step};

/// The login path: public, but not for another site's forms.
pub(super) fn login(visit: &Visit<'_>) -> Step {
    guarded(visit, |backend| match backend.login() {
        LoginAnswer::Delegate => delegate(visit, backend.name(), DelegatedPage::Login, Reason::Login),
        LoginAnswer::Forward => visit.admission(Reason::Login).into(),
        LoginAnswer::Password | LoginAnswer::PasswordForHost => match visit.head.method() {
            "POST" => sign_in::begin(visit),
            _ if visit.head.is_safe() => sign_in::form(visit),
            _ => refuse_method(visit),
        },
        LoginAnswer::Page(page) => {
            let pages = &visit.gate.settings().pages;
            let note = visit.note(Reason::Login);
            visit.asker().respond(Reply::page(StatusCode::OK, pages.login(&page), pages.policy(), note))
        }
    })
}

/// Asks the first backend, unless another site may be behind the request.
pub(super) fn guarded(visit: &Visit<'_>, ask: impl FnOnce(&dyn AuthBackend) -> Step) -> Step {
    if !visit.head.is_safe() && visit.is_foreign_sign_in() {
        return visit.refuse(Denial::CrossSite);
    }
    match visit.gate.settings().backends.first() {
        Some(backend) => ask(backend.as_ref()),
        None => visit.refuse(Denial::Unavailable),
    }
}

/// A page with a form: it is looked at, or posted to (RFC 9110 §15.5.6).
pub(super) fn refuse_method(visit: &Visit<'_>) -> Step {
    let reply =
        visit.refusal(Denial::Method).with(ALLOW, HeaderValue::from_static("GET, HEAD, OPTIONS, POST"));
    Decision::Respond(reply).into()
}
