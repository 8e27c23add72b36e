//! The ways a request can take. Nothing else makes a [`Step`].

mod admit;
mod refuse;
mod sign;
mod visit;

use self::visit::Visit;
use crate::decision::{Decision, DelegatedPage, Delegation, Reason};
use crate::{Admission, Denial, Gate, Head, Step, Timestamp};

/// Where a request goes: nowhere, to the login or logout page, to a backend's own page, or through the gate.
pub(crate) fn begin(gate: &Gate, head: &Head<'_>, now: Timestamp) -> Step {
    let mut visit = Visit::new(gate, head);
    if let Err(error) = visit.examine() {
        return visit.refuse(Denial::Head(error));
    }
    let settings = gate.settings();
    let Some(path) = visit.path else { return visit.refuse(Denial::OutsideMount) };
    if path == settings.login_path {
        sign::login(&visit)
    } else if path == settings.logout_path {
        sign::logout(&visit)
    } else if let Some(route) = settings.routes.iter().find(|route| route.path == path) {
        delegate(&visit, route.backend, DelegatedPage::Route, Reason::Route)
    } else if settings.public.contains(path) {
        Admission {
            user: None,
            until: None,
            note: visit.note(Reason::Public),
            identity: settings.identity.clone(),
        }
        .into()
    } else {
        admit::begin(&visit, now)
    }
}

fn delegate(visit: &Visit<'_>, backend: &'static str, page: DelegatedPage, reason: Reason) -> Step {
    let otherwise = visit.refusal(Denial::Unavailable);
    Decision::Delegate(Delegation { backend, page, note: visit.note(reason), otherwise }).into()
}
