use std::sync::Arc;

use http::header::HeaderName;

use crate::event::{Event, Note, Outcome};
use crate::flow::Asker;
use crate::headers::HeaderView;
use crate::identity::IdentityHeaders;
use crate::lease::{Holder, Lease};
use crate::local_path::LocalPath;
use crate::reply::Reply;
use crate::response_fields::ResponseFields;
use crate::upstream::Passing;
use crate::{Gate, Timestamp, Unavailable, User};

/// How a request ends.
#[derive(Debug)]
pub enum Decision {
    /// Pass the request on.
    Forward(Admission),
    /// Send this, and pass nothing on.
    Respond(Reply),
    /// A custom backend answers this itself.
    Delegate(Box<Delegation>),
}

/// Leave to pass a request on.
#[derive(Debug)]
pub struct Admission {
    /// Who was admitted; nobody on a public path. Others may share it: those whom the same token or session admits.
    pub user: Option<Arc<User>>,
    /// When the admission ends, if it does. A response that is still streaming then must be cut off; see
    /// [`lease`](Self::lease), which knows of earlier endings, too.
    pub until: Option<Timestamp>,
    pub(crate) session: Option<Arc<Holder>>,
    pub(crate) fields: ResponseFields,
    pub(crate) note: Note,
    pub(crate) identity: Arc<IdentityHeaders>,
    /// For a server behind the gate.
    pub(crate) passing: Option<Box<Passing>>,
}

impl Admission {
    /// Leave for anybody. Who asks is kept only for another server behind the gate.
    pub(crate) fn new(gate: &Gate, note: Note, asker: impl FnOnce() -> Asker) -> Self {
        let settings = gate.settings();
        Self {
            user: None,
            until: None,
            session: None,
            fields: ResponseFields::guarding(settings.upstream.as_ref()),
            note,
            identity: settings.identity.clone(),
            passing: Passing::of(gate, asker),
        }
    }

    /// How long the admission is good for; whoever streams must ask it.
    pub fn lease(&self) -> Lease {
        Lease::new(self.until, self.session.clone())
    }

    /// What must stand in the answer to the request that is passed on.
    pub fn response_fields(&self) -> &ResponseFields {
        &self.fields
    }

    /// Whether the field `name` must be removed before the request is passed on: it could pretend an identity.
    pub fn strips(&self, name: &HeaderName) -> bool {
        self.identity.has(name.as_str())
    }

    /// Whether any of these fields must be removed; seldom one has to.
    pub fn strips_any(&self, headers: HeaderView<'_>) -> bool {
        headers.any_name(|name| self.identity.has_bytes(name))
    }

    /// [`strips`](Self::strips) for a name that a host has as bytes. What is no text is stripped, too.
    pub fn strips_bytes(&self, name: &[u8]) -> bool {
        self.identity.has_bytes(name)
    }

    /// What the log says about it.
    pub fn event(&self) -> Event<'_> {
        self.note.event(Outcome::Forward, None, self.user.as_deref())
    }
}

/// Which of a custom backend's answers is asked for.
#[derive(Debug)]
pub struct Delegation {
    /// The backend's name.
    pub backend: &'static str,
    /// What it is to answer.
    pub page: DelegatedPage,
    /// The path below the mount.
    pub path: String,
    pub(crate) links: Links,
    pub(crate) identity: Arc<IdentityHeaders>,
    pub(crate) note: Note,
    /// What is sent instead if the backend cannot.
    pub(crate) otherwise: Reply,
}

/// The addresses that a backend's own page needs; all carry the mount.
#[derive(Debug)]
pub(crate) struct Links {
    pub(crate) login: LocalPath,
    pub(crate) home: LocalPath,
    pub(crate) next: Option<LocalPath>,
}

impl Delegation {
    /// As [`Admission::strips`].
    pub fn strips(&self, name: &HeaderName) -> bool {
        self.identity.has(name.as_str())
    }

    /// As [`Admission::strips_bytes`].
    pub fn strips_bytes(&self, name: &[u8]) -> bool {
        self.identity.has_bytes(name)
    }

    /// Where to go after signing in: the request's `next`, if it is a page below the mount, else the mount's home.
    pub fn next(&self) -> &LocalPath {
        self.links.next.as_ref().unwrap_or(&self.links.home)
    }

    /// The login page, leading to [`next`](Self::next) if the request had one.
    pub fn login(&self) -> &LocalPath {
        &self.links.login
    }

    /// The answer if the backend cannot give its own: 503, and `why` for the log.
    pub fn unavailable(self, why: &Unavailable) -> Reply {
        let mut reply = self.otherwise;
        reply.note.details().why = Some(why.to_string());
        reply
    }

    /// What the log says about it.
    pub fn event(&self) -> Event<'_> {
        self.note.event(Outcome::Delegate, None, None)
    }
}

/// A page that a custom backend answers itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DelegatedPage {
    /// Its login.
    Login,
    /// Its logout.
    Logout,
    /// One of its own public paths.
    Route,
}

impl Decision {
    /// What the log says about this decision.
    pub fn event(&self) -> Event<'_> {
        match self {
            Self::Forward(admission) => admission.event(),
            Self::Respond(reply) => reply.event(),
            Self::Delegate(delegation) => delegation.event(),
        }
    }
}
