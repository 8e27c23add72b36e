use http::StatusCode;

use crate::event::{Note, Reason};
use crate::gate::Settings;
use crate::local_path::LocalPath;
use crate::mount::Mount;
use crate::reply::Reply;
use crate::{Denial, Kind, Peer};

/// What is needed to refuse somebody, without borrowing from the request.
#[derive(Debug, Clone)]
pub(super) struct Asker {
    pub(super) kind: Kind,
    pub(super) client: Peer,
    pub(super) mount: Mount,
    /// HEAD: the answer has no body.
    pub(super) bodiless: bool,
}

/// What the log learns beyond the reason, and the client does not.
#[derive(Default)]
pub(super) struct Details {
    pub(super) user: Option<String>,
    pub(super) why: Option<String>,
}

impl Asker {
    pub(super) fn note(&self, reason: Reason) -> Note {
        Note { kind: self.kind, client: self.client, reason, refused_user: None, detail: None }
    }

    /// The reply as the asker's method wants it.
    pub(super) fn finish(&self, reply: Reply) -> Reply {
        if self.bodiless { reply.without_body() } else { reply }
    }

    /// The one place where a denial becomes an answer that the asker can read.
    pub(super) fn refuse(
        &self,
        settings: &Settings,
        denial: Denial,
        details: Details,
        login: impl FnOnce() -> LocalPath,
    ) -> Reply {
        let Details { user, why } = details;
        let note = Note { refused_user: user, detail: why, ..self.note(Reason::Denied(denial)) };
        let refusal = denial.answer();
        let reply = match self.kind {
            Kind::Page if denial.wants_login() => Reply::see_other(&login(), note),
            Kind::Page if refusal.status != StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => {
                let home = LocalPath::home(&self.mount);
                let html = settings.pages.refusal(refusal.status, refusal.text, &home);
                Reply::page(refusal.status, html, settings.pages.policy(), note)
            }
            kind => {
                let reply = Reply::text(refusal.status, refusal.text, note);
                match (kind, refusal.status) {
                    (Kind::Htmx, StatusCode::UNAUTHORIZED) => {
                        reply.with_challenges(&settings.challenges).with_hx_redirect(&login())
                    }
                    (_, StatusCode::UNAUTHORIZED) => reply.with_challenges(&settings.challenges),
                    _ => reply,
                }
            }
        };
        self.finish(reply)
    }
}
