use std::sync::Arc;

use authgate_core::{
    AuthBackend, BadProof, Head, LoginAnswer, LogoutAnswer, Proof, Proven, Timestamp, Unavailable,
};
use http::HeaderName;

use super::person::Person;
use crate::world::NOW;

/// A backend of somebody else's making. Its users show a badge, a header field of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Directory {
    /// 1 or 2; a gate may have both.
    pub number: u8,
    /// What its login path answers.
    pub login: Page,
    /// What its logout path answers.
    pub logout: Page,
    /// Whether it answers `/callback-1`, or `-2`.
    pub has_route: bool,
}

/// What a backend has for a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// An answer of its own.
    Own,
    /// Nothing: the dashboard answers.
    Open,
    /// A redirect to the login path; there, the form of a host that keeps sign-ins itself.
    Gate,
}

/// What a badge is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// Nothing, or nothing that holds.
    Nothing,
    /// It proves this at once.
    Proof(Vouched),
    /// Somebody must be asked.
    Ask,
    /// It cannot be said.
    Down,
}

/// A directory's word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vouched {
    /// Who it is.
    pub person: Person,
    /// Until when, in milliseconds.
    pub until: Option<i64>,
    /// Whether the browser sent the badge by itself.
    pub ambient: bool,
}

/// All badges that there are, and what each is worth.
pub fn shown(badge: &str) -> Shown {
    let proof = |person, until, ambient| Shown::Proof(Vouched { person, until, ambient });
    match badge {
        "ada's, by the browser" => proof(Person::new("ada"), None, true),
        "bob's, by the browser" => proof(Person::new("bob").with_role("ops"), None, true),
        "eve's program" => proof(Person::new("eve").as_admin(), None, false),
        "for a minute" => proof(Person::new("bob"), Some(NOW.as_millis() + 60_000), false),
        "nobody's" => proof(Person::new(""), None, false),
        "to be asked about" => Shown::Ask,
        "of a directory that is down" => Shown::Down,
        _ => Shown::Nothing,
    }
}

impl Directory {
    /// The field with the badge.
    pub fn field(self) -> &'static str {
        if self.number == 1 { "x-badge-1" } else { "x-badge-2" }
    }

    /// Its own path, if it has one.
    pub fn route(self) -> Option<String> {
        self.has_route.then(|| format!("/callback-{}", self.number))
    }
}

impl AuthBackend for Directory {
    fn name(&self) -> &'static str {
        if self.number == 1 { "directory-1" } else { "directory-2" }
    }

    fn authenticate(&self, head: &Head<'_>, _now: Timestamp) -> Proof {
        let badge = match head.headers().one(&HeaderName::from_static(self.field())) {
            Ok(None) => return Proof::Absent,
            Ok(Some(badge)) => std::str::from_utf8(badge).unwrap_or_default(),
            Err(_) => "two",
        };
        match shown(badge) {
            Shown::Nothing => Proof::Refused(BadProof::Other("no badge of ours")),
            Shown::Ask => Proof::Wait,
            Shown::Down => Proof::Unavailable(Unavailable::new("the directory is down")),
            Shown::Proof(vouched) => Proof::Proven(vouched.into()),
        }
    }

    fn login(&self) -> LoginAnswer {
        match self.login {
            Page::Own => LoginAnswer::Delegate,
            Page::Open => LoginAnswer::Forward,
            Page::Gate => LoginAnswer::PasswordForHost,
        }
    }

    fn logout(&self) -> LogoutAnswer {
        match self.logout {
            Page::Own => LogoutAnswer::Delegate,
            Page::Open => LogoutAnswer::Forward,
            Page::Gate => LogoutAnswer::ToLogin,
        }
    }

    fn routes(&self) -> Vec<String> {
        self.route().into_iter().collect()
    }
}

impl From<Vouched> for Proven {
    fn from(vouched: Vouched) -> Self {
        let until = vouched.until.map(Timestamp::from_millis);
        Self { user: Arc::new(vouched.person.user()), until, ambient: vouched.ambient }
    }
}
