use http::StatusCode;

use super::delegate;
use super::visit::Visit;
use crate::backend::{Answer, AuthBackend};
use crate::decision::{Decision, DelegatedPage, Reason};
use crate::reply::Reply;
use crate::{Denial, Kind, Step};

/// The login path: public, but not for another site's forms.
pub(super) fn login(visit: &Visit<'_>) -> Step {
    arrive(visit, DelegatedPage::Login, Reason::Login, AuthBackend::login)
}

/// The logout path.
pub(super) fn logout(visit: &Visit<'_>) -> Step {
    arrive(visit, DelegatedPage::Logout, Reason::Logout, AuthBackend::logout)
}

fn arrive(
    visit: &Visit<'_>,
    page: DelegatedPage,
    reason: Reason,
    ask: impl Fn(&dyn AuthBackend) -> Answer,
) -> Step {
    if !visit.head.is_safe() && visit.is_foreign() {
        return visit.refuse(Denial::CrossSite);
    }
    let settings = visit.gate.settings();
    let Some(backend) = settings.backends.first() else { return visit.refuse(Denial::Unavailable) };
    let note = visit.note(reason);
    let reply = match ask(backend.as_ref()) {
        Answer::Delegate => return delegate(visit, backend.name(), page, reason),
        Answer::Page(page) => {
            Reply::page(StatusCode::OK, settings.pages.login(&page), settings.pages.policy(), note)
        }
        Answer::ToLogin if visit.kind == Kind::Htmx => {
            Reply::empty(StatusCode::NO_CONTENT, note).with_hx_redirect(&visit.login())
        }
        Answer::ToLogin => Reply::see_other(&visit.login(), note),
    };
    Decision::Respond(if visit.head.method() == "HEAD" { reply.without_body() } else { reply }).into()
}
