use std::borrow::Cow;
use std::sync::Arc;

use smol_str::SmolStr;

use crate::head::HeadError;
use crate::{Denial, Kind, Peer, Unavailable, User};

/// One line of the audit trail: who, what, how it ended and why. Never a secret, a token or a query.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event<'a> {
    /// Who asked, forwarded addresses of trusted proxies resolved.
    pub client: Peer,
    /// The kind of client.
    pub kind: Kind,
    /// How the request ended.
    pub outcome: Outcome,
    /// The status of the gate's own answer.
    pub status: Option<u16>,
    /// Why.
    pub reason: Reason,
    /// Why, in a sentence.
    pub detail: Cow<'a, str>,
    /// The id of the user, admitted or refused, as the backend has it; for a sign-in that failed, was throttled or could not
    /// be checked, the username as it was typed, at most 128 characters.
    pub user: Option<&'a str>,
    /// Method and path of the request that a proxy asked about, if it was such a question.
    pub about: Option<(&'a str, &'a str)>,
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was passed on.
    Forward,
    /// The gate answered.
    Respond,
    /// A backend was left to answer.
    Delegate,
}

impl Outcome {
    /// The name that the log uses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::Respond => "respond",
            Self::Delegate => "delegate",
        }
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a request ended as it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// The path is public.
    Public,
    /// The user proved who they are and may pass.
    SignedIn,
    /// A rule lets clients of that network pass, whoever they are.
    Network,
    /// The login path was asked for.
    Login,
    /// Somebody has signed in: the password was right, and there is a session.
    SignIn,
    /// The logout path was asked for.
    Logout,
    /// A session was ended by its user.
    SignOut,
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
            Self::Network => "network",
            Self::Login => "login",
            Self::SignIn => "sign-in",
            Self::Logout => "logout",
            Self::SignOut => "sign-out",
            Self::Route => "route",
            Self::Denied(denial) => denial.slug(),
        }
    }

    /// One sentence for whoever reads the log.
    pub fn explain(self) -> Cow<'static, str> {
        match self {
            Self::Public => "the path is public".into(),
            Self::SignedIn => "the user may pass".into(),
            Self::Network => "a rule lets clients of that network pass".into(),
            Self::Login => "the login path was asked for".into(),
            Self::SignIn => "the password was right, and a session has begun".into(),
            Self::Logout => "the logout path was asked for".into(),
            Self::SignOut => "the session was ended by its user".into(),
            Self::Route => "a path of a backend's own was asked for".into(),
            Self::Denied(denial) => denial.explain(),
        }
    }
}

/// What the log needs to know beyond the request itself.
#[derive(Debug, Clone)]
pub(crate) struct Note {
    pub(crate) kind: Kind,
    pub(crate) client: Peer,
    pub(crate) reason: Reason,
    /// Boxed, since nearly every note has none.
    details: Option<Box<Details>>,
}

/// What the log learns beyond the reason, and the client does not.
#[derive(Debug, Clone, Default)]
pub(crate) struct Details {
    /// Whom it is about, if the request was not passed on in their name.
    pub(crate) user: Option<SmolStr>,
    /// Why somebody could not be asked, or why no password was checked.
    pub(crate) why: Option<String>,
    /// Method and path of the request that a proxy asked about; the asker knows them.
    pub(crate) about: Option<Arc<(String, String)>>,
}

impl Details {
    /// Somebody could not be asked.
    pub(crate) fn of(why: &Unavailable) -> Self {
        Self { why: Some(why.to_string()), ..Self::default() }
    }

    /// A field of this name is to blame.
    pub(crate) fn naming(field: &str, error: HeadError) -> Self {
        Self { why: Some(format!("{error}: {field}")), ..Self::default() }
    }

    /// It is about this user, if it is known who.
    pub(crate) fn of_user(user: Option<SmolStr>) -> Self {
        Self { user, ..Self::default() }
    }

    fn are_none(&self) -> bool {
        self.user.is_none() && self.why.is_none() && self.about.is_none()
    }
}

impl Note {
    pub(crate) fn new(kind: Kind, client: Peer, reason: Reason, details: Details) -> Self {
        let details = (!details.are_none()).then(|| Box::new(details));
        Self { kind, client, reason, details }
    }

    /// One that has nothing to say beyond the reason, as nearly all have.
    pub(crate) fn plain(kind: Kind, client: Peer, reason: Reason) -> Self {
        Self { kind, client, reason, details: None }
    }

    /// What there is to say beyond the reason, to be added to; made if there is nothing yet.
    pub(crate) fn details(&mut self) -> &mut Details {
        self.details.get_or_insert_default()
    }

    pub(crate) fn event<'a>(
        &'a self,
        outcome: Outcome,
        status: Option<u16>,
        user: Option<&'a User>,
    ) -> Event<'a> {
        let details = self.details.as_deref();
        let why = details.and_then(|details| details.why.as_deref());
        let detail = why.map_or_else(|| self.reason.explain(), Cow::Borrowed);
        let about = details.and_then(|details| details.about.as_deref());
        Event {
            client: self.client,
            kind: self.kind,
            outcome,
            status,
            reason: self.reason,
            detail,
            user: user.map(|user| user.id.as_str()).or(details.and_then(|details| details.user.as_deref())),
            about: about.map(|(method, path)| (method.as_str(), path.as_str())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_prints_as_the_log_calls_it() {
        let names =
            [Outcome::Forward, Outcome::Respond, Outcome::Delegate].map(|outcome| outcome.to_string());
        assert_eq!(names, ["forward", "respond", "delegate"]);
    }
}
