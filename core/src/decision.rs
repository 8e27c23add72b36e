use std::borrow::Cow;
use std::sync::Arc;

use http::header::HeaderName;

use crate::identity::IdentityHeaders;
use crate::reply::Reply;
use crate::{Denial, Kind, Peer, Timestamp, Unavailable, User};

/// How a request ends.
#[derive(Debug)]
pub enum Decision {
    /// Pass the request on.
    Forward(Admission),
    /// Send this, and pass nothing on.
    Respond(Reply),
    /// A custom backend answers this itself.
    Delegate(Delegation),
}

/// Leave to pass a request on.
#[derive(Debug)]
pub struct Admission {
    /// Who was admitted; nobody on a public path.
    pub user: Option<User>,
    /// When the admission ends, if it does. A response that is still streaming then must be cut off.
    pub until: Option<Timestamp>,
    pub(crate) note: Note,
    pub(crate) identity: Arc<IdentityHeaders>,
}

impl Admission {
    /// Whether the field `name` must be removed before the request is passed on: it could pretend an identity.
    pub fn strips(&self, name: &HeaderName) -> bool {
        self.identity.has(name.as_str())
    }

    /// What the log says about it.
    pub fn event(&self) -> Event<'_> {
        self.note.event("forward", None, self.user.as_ref())
    }
}

/// Which of a custom backend's answers is asked for.
#[derive(Debug)]
pub struct Delegation {
    /// The backend's name.
    pub backend: &'static str,
    /// What it is to answer.
    pub page: DelegatedPage,
    pub(crate) note: Note,
    /// What is sent instead if the backend cannot.
    pub(crate) otherwise: Reply,
}

impl Delegation {
    /// The answer if the backend cannot give its own: 503, and `why` for the log.
    pub fn unavailable(self, why: &Unavailable) -> Reply {
        let mut reply = self.otherwise;
        reply.note.detail = Some(why.to_string());
        reply
    }

    /// What the log says about it.
    pub fn event(&self) -> Event<'_> {
        self.note.event("delegate", None, None)
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

/// What the log needs to know beyond the request itself.
#[derive(Debug, Clone)]
pub(crate) struct Note {
    pub(crate) kind: Kind,
    pub(crate) client: Peer,
    pub(crate) reason: Reason,
    /// A known user who was refused all the same.
    pub(crate) refused_user: Option<String>,
    /// What a backend said about why it could not be asked.
    pub(crate) detail: Option<String>,
}

/// Why a request ended as it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// The path is public.
    Public,
    /// The user proved who they are and may pass.
    SignedIn,
    /// The login path was asked for.
    Login,
    /// The logout path was asked for.
    Logout,
    /// A backend's own public path was asked for.
    Route,
    /// The request was refused.
    Denied(Denial),
}

impl Reason {
    /// A short stable name to search a log for.
    pub fn slug(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::SignedIn => "signed-in",
            Self::Login => "login",
            Self::Logout => "logout",
            Self::Route => "route",
            Self::Denied(denial) => denial.slug(),
        }
    }

    /// One sentence for whoever reads the log.
    pub fn explain(self) -> Cow<'static, str> {
        match self {
            Self::Public => "the path is public".into(),
            Self::SignedIn => "the user may pass".into(),
            Self::Login => "the login path was asked for".into(),
            Self::Logout => "the logout path was asked for".into(),
            Self::Route => "a path of a backend's own was asked for".into(),
            Self::Denied(denial) => denial.explain(),
        }
    }
}

/// One line of the audit trail: who, what, how it ended and why. Never a secret, a token or a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event<'a> {
    /// Who asked, forwarded addresses of trusted proxies resolved.
    pub client: Peer,
    /// The kind of client.
    pub kind: Kind,
    /// `forward`, `respond` or `delegate`.
    pub outcome: &'static str,
    /// The status of the gate's own answer.
    pub status: Option<u16>,
    /// Why.
    pub reason: Reason,
    /// Why, in a sentence.
    pub detail: Cow<'a, str>,
    /// The id of the user, admitted or refused.
    pub user: Option<&'a str>,
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

impl Note {
    pub(crate) fn event<'a>(
        &'a self,
        outcome: &'static str,
        status: Option<u16>,
        user: Option<&'a User>,
    ) -> Event<'a> {
        let detail = match (&self.detail, self.reason) {
            (Some(detail), _) => Cow::Borrowed(detail.as_str()),
            (None, reason) => reason.explain(),
        };
        Event {
            client: self.client,
            kind: self.kind,
            outcome,
            status,
            reason: self.reason,
            detail,
            user: user.map(|user| user.id.as_str()).or(self.refused_user.as_deref()),
        }
    }
}
