use std::time::Duration;

use crate::LocalPath;

/// What a login path shows where no password is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoginPage {
    /// Tokens are issued elsewhere: says in which field and with which word they are expected.
    Token {
        /// The header field.
        header: String,
        /// The word before the token.
        scheme: String,
    },
}

/// The form that somebody signs in with, as data. The gate renders it; a host may render its own
/// ([`Reply::login_form`](crate::Reply::login_form)).
///
/// The form is posted as `application/x-www-form-urlencoded` to [`action`](Self::action), with the fields `username`,
/// `password` and, if there is one, `next`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoginForm {
    /// Where to post it.
    pub action: LocalPath,
    /// Where to go afterwards: the value of the field `next`.
    pub next: Option<LocalPath>,
    /// The username that was typed before, to be shown again; the password never is.
    pub username: String,
    /// Why it is shown again.
    pub error: Option<LoginError>,
    /// Whether HTMX asked: then the form alone is the answer, without a page around it.
    pub fragment: bool,
}

/// Why a login form is shown again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoginError {
    /// The username and password are nobody's.
    Wrong,
    /// There were too many tries.
    Throttled {
        /// How long to wait: whole seconds.
        wait: Duration,
    },
    /// The password could not be checked.
    CannotCheck,
}
