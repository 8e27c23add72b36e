use std::sync::Arc;

use http::StatusCode;
use http::header::{HeaderName, HeaderValue};

use super::check::Check;
use crate::backend::LogoutAnswer;
use crate::event::{Details, Note, Reason};
use crate::gate::Settings;
use crate::local_path::LocalPath;
use crate::mount::Mount;
use crate::page::Links;
use crate::reply::Reply;
use crate::response_fields::ResponseFields;
use crate::{Admission, Decision, Denial, Gate, Kind, Peer, Scheme, Step};

/// What is needed to answer somebody, without borrowing from the request.
#[derive(Debug, Clone)]
pub(crate) struct Asker {
    pub(super) kind: Kind,
    pub(super) client: Peer,
    /// Where the client is, if that is known for sure.
    pub(super) place: Peer,
    pub(super) scheme: Scheme,
    pub(crate) mount: Mount,
    /// HEAD: the answer has no body.
    pub(super) bodiless: bool,
    /// What a session leaves on the answer.
    pub(crate) fields: ResponseFields,
    /// What another server behind the gate is told about the request.
    pub(crate) told: Vec<(HeaderName, HeaderValue)>,
    /// A proxy asks on somebody's behalf.
    pub(super) check: Option<Check>,
    /// Method and path of the request that it asks about.
    pub(super) about: Option<Arc<(String, String)>>,
}

/// A refusal that is still to be told.
pub(super) struct Refused<'a> {
    pub(super) settings: &'a Settings,
    pub(super) denial: Denial,
    pub(super) note: Note,
}

impl Asker {
    pub(crate) fn note(&self, reason: Reason) -> Note {
        self.note_with(reason, Details::default())
    }

    /// Leave for whoever it is.
    pub(super) fn admission(&self, gate: &Gate, reason: Reason) -> Admission {
        Admission::new(gate, self.note(reason), || self.clone())
    }

    pub(super) fn note_with(&self, reason: Reason, details: Details) -> Note {
        Note::new(self.kind, self.client, reason, Details { about: self.about.clone(), ..details })
    }

    /// The reply as the asker's method wants it, with what a session leaves on it.
    pub(super) fn finish(&self, reply: Reply) -> Reply {
        let reply = reply.with_fields(&self.fields);
        if self.bodiless { reply.without_body() } else { reply }
    }

    /// The reply as the end.
    pub(super) fn respond(&self, reply: Reply) -> Step {
        Decision::Respond(self.finish(reply)).into()
    }

    /// The one place where a denial becomes an answer that the asker can read.
    pub(crate) fn refuse(
        &self,
        settings: &Settings,
        denial: Denial,
        details: Details,
        login: impl FnOnce() -> LocalPath,
    ) -> Reply {
        let note = self.note_with(Reason::Denied(denial), details);
        if self.check == Some(Check::AuthRequest) {
            let refused = Refused { settings, denial, note };
            return self.finish(self.refuse_auth_request(refused, login));
        }
        let refusal = denial.answer();
        let reply = match self.kind {
            Kind::Page if denial.wants_login() => Reply::see_other(login(), note),
            Kind::Page if refusal.status != StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => {
                let home = LocalPath::home(&self.mount);
                // Somebody who may not enter may know somebody who may.
                let may_switch = denial == Denial::NotAllowed && signs_out(settings);
                let switch = may_switch.then(|| settings.logout(&self.mount));
                let links = Links { home: &home, switch_user: switch.as_ref() };
                let html = settings.pages.refusal(refusal.status, refusal.text, links);
                Reply::page(refusal.status, html, settings.pages.policy(), note)
            }
            kind => {
                let reply = Reply::text(refusal.status, refusal.text, note);
                match (kind, refusal.status) {
                    (Kind::Htmx, StatusCode::UNAUTHORIZED) => {
                        reply.with_challenges(&settings.challenges).with_hx_redirect(login())
                    }
                    (_, StatusCode::UNAUTHORIZED) => reply.with_challenges(&settings.challenges),
                    _ => reply,
                }
            }
        };
        self.finish(reply)
    }
}

/// Whether signing out makes somebody nobody, so that another may sign in; where tokens prove who asks, it does not.
fn signs_out(settings: &Settings) -> bool {
    let first = settings.backends.first().map(|backend| backend.logout());
    first.is_some_and(|logout| !matches!(logout, LogoutAnswer::ToLogin))
}
