//! A proxy asks about a request that it will pass on itself (nginx's `auth_request`, Caddy's `forward_auth`, Traefik's
//! `forwardAuth`).

use http::StatusCode;
use http::header::{COOKIE, HeaderName, LOCATION};

use super::ordinary;
use super::refuse::{Asker, Refused};
use super::visit::Visit;
use crate::event::Details;
use crate::field_names::{X_FORWARDED_METHOD, X_FORWARDED_URI};
use crate::head::HeadError;
use crate::local_path::LocalPath;
use crate::reply::Reply;
use crate::upstream::pretence;
use crate::{Admission, Decision, Denial, Gate, Head, Kind, Step, Timestamp};

/// What the proxy can do with the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Check {
    /// It knows 2xx, 401 and 403, and never passes a body on.
    AuthRequest,
    /// Whatever is not 2xx it sends to the client as it is.
    ForwardAuth,
}

impl Check {
    /// The question that is asked at `path`.
    pub(super) fn at(path: &str) -> Option<Self> {
        match path {
            Gate::AUTH_REQUEST => Some(Self::AuthRequest),
            Gate::FORWARD_AUTH => Some(Self::ForwardAuth),
            _ => None,
        }
    }
}

/// Decides on the request that `asking` is about.
pub(super) fn begin(asking: &Visit<'_>, check: Check, now: Timestamp) -> Step {
    let mut asked = asking.clone();
    asked.check = Some(check);
    let settings = asking.gate.settings();
    if !settings.proxies.trusts(asking.head.peer) {
        return asked.refuse(Denial::UntrustedProxy);
    }
    let Some(head) = asked_about(asking.head) else {
        return asked.refuse(Denial::Head(HeadError::AskedAbout));
    };
    asked.head = &head;
    if let Err(denial) = asked.examine() {
        return asked.refuse(denial);
    }
    if let Some(field) = pretence(&head, &settings.identity) {
        let error = HeadError::Pretence;
        let reply = asked.refusal_because(error.into(), Details::naming(&field, error));
        return Decision::Respond(reply).into();
    }
    match asked.path {
        None => asked.refuse(Denial::OutsideMount),
        // Sent on to us, or to nowhere; asking for a proof there would lead in circles.
        Some(path) if settings.answers_itself(path) => asked.admit_anybody(),
        Some(_) => ordinary(&asked, now),
    }
}

/// The head that the proxy describes: the client's own fields, with method and target as the proxy writes them.
fn asked_about<'a>(head: &Head<'a>) -> Option<Head<'a>> {
    let method = head.headers.text(&X_FORWARDED_METHOD)?;
    let target = head.headers.text(&X_FORWARDED_URI).filter(|target| target.starts_with('/'))?;
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    Some(Head { method, path, query, prefix: "", ..*head })
}

impl Asker {
    /// The end for somebody who may pass: the request goes on, or a proxy is told so.
    pub(crate) fn let_in(&self, admission: Admission) -> Step {
        if self.check.is_none() {
            return admission.into();
        }
        let identity = admission.identity_fields();
        let mut note = admission.note;
        note.details().user = admission.user.as_ref().map(|user| user.id.clone());
        let mut reply = Reply::empty(StatusCode::NO_CONTENT, note);
        for (name, value) in identity.into_iter().chain(self.told.iter().cloned()) {
            reply = reply.with(name, value);
        }
        self.respond(reply.with_fields(&admission.fields))
    }

    /// The refusal that `auth_request` can read: empty, and nothing but 401, 403 or a failure. The address that nginx may send a
    /// person to stands in `Location`.
    pub(super) fn refuse_auth_request(
        &self,
        refused: Refused<'_>,
        login: impl FnOnce() -> LocalPath,
    ) -> Reply {
        let Refused { settings, denial, note } = refused;
        let status = denial.answer().status;
        if denial.wants_login() {
            let reply = Reply::empty(StatusCode::UNAUTHORIZED, note).with_challenges(&settings.challenges);
            return match self.kind {
                Kind::Page => reply.with(LOCATION, login().into_header_value()),
                Kind::Htmx => reply.with_hx_redirect(login()),
                Kind::Api | Kind::WebSocket => reply,
            };
        }
        Reply::empty(if status.is_server_error() { status } else { StatusCode::FORBIDDEN }, note)
    }
}

impl Visit<'_> {
    /// The cookies as the dashboard should see them, if any is left: for the proxy to put in place of the client's.
    pub(super) fn kept_cookies(&self) -> Option<(HeaderName, http::HeaderValue)> {
        let upstream = self.gate.settings().upstream.as_ref()?;
        Some((COOKIE, upstream.cookies.without_session(self.head.headers())?))
    }
}
