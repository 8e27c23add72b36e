use std::sync::Arc;

use crate::jwt::TokenFault;
use crate::page::LoginPage;
use crate::{Head, SessionFault, Timestamp, Unavailable, User};

/// Who knows the users: a way to prove who asks, and pages to sign in and out.
///
/// The gate asks its backends in order. A backend that must wait for its answer (a directory, a database) says
/// [`Proof::Wait`], and the driver asks for it; one that renders its own login says [`LoginAnswer::Delegate`], and the
/// driver hands it the request.
///
/// ```
/// use authgate_core::{AuthBackend, Head, LoginAnswer, LogoutAnswer, Proof, Timestamp};
///
/// /// Asks a directory: the driver does, because the core never waits.
/// struct Directory;
///
/// impl AuthBackend for Directory {
///     fn name(&self) -> &'static str {
///         "directory"
///     }
///
///     fn authenticate(&self, head: &Head<'_>, _now: Timestamp) -> Proof {
///         if head.headers().has(&http::header::COOKIE) { Proof::Wait } else { Proof::Absent }
///     }
///
///     fn login(&self) -> LoginAnswer {
///         LoginAnswer::Delegate
///     }
///
///     fn logout(&self) -> LogoutAnswer {
///         LogoutAnswer::Delegate
///     }
///
///     fn routes(&self) -> Vec<String> {
///         vec!["/login/callback".into()]
///     }
/// }
/// ```
pub trait AuthBackend: Send + Sync + 'static {
    /// What to call this backend in steps and in the log; no two backends of a gate share a name.
    fn name(&self) -> &'static str;

    /// Who asks, if the request proves it. Called for every request that is not public; must not block.
    fn authenticate(&self, head: &Head<'_>, now: Timestamp) -> Proof;

    /// Who asks, after the driver was asked for keys at the moment `asked`, because this backend
    /// [needs](Proof::NeedsKeys) some; `fetched` tells whether they came.
    fn authenticate_with_keys(
        &self,
        token: &[u8],
        asked: Timestamp,
        fetched: Result<(), Unavailable>,
        now: Timestamp,
    ) -> Proof {
        let _ = (token, asked, now);
        Proof::Unavailable(
            fetched.err().unwrap_or_else(|| Unavailable::new("the backend reads no such token")),
        )
    }

    /// What the login path answers.
    fn login(&self) -> LoginAnswer;

    /// What the logout path answers.
    fn logout(&self) -> LogoutAnswer;

    /// Extra public paths below the mount that the backend answers itself, exact. Asked once, at construction. Nobody
    /// guards them against other sites: a callback from elsewhere is what they are for.
    fn routes(&self) -> Vec<String> {
        Vec::new()
    }

    /// The scheme of the `WWW-Authenticate` challenge (RFC 9110 §11.6.1) that programs get.
    #[allow(clippy::unnecessary_literal_bound, reason = "a backend may answer with a setting of its own")]
    fn challenge(&self) -> &str {
        "Session"
    }
}

/// What a request proves to a backend.
#[derive(Debug)]
#[non_exhaustive]
pub enum Proof {
    /// Nothing that this backend reads.
    Absent,
    /// Something that does not hold.
    Refused(BadProof),
    /// Who asks.
    Proven(Proven),
    /// The driver must ask: [`Step::AskBackend`](crate::Step::AskBackend).
    Wait,
    /// A token whose key may be one that the provider has published since:
    /// [`Step::FetchKeys`](crate::Step::FetchKeys).
    NeedsKeys(Vec<u8>),
    /// It cannot be said: 503, unless somebody else knows.
    Unavailable(Unavailable),
}

/// Who asks, and what the proof is worth.
///
/// `Proven::from(User::new("ada"))` is a proof of the careful kind: one that the browser attaches by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proven {
    /// The user; shared, since a proof that is shown again names the same one.
    pub user: Arc<User>,
    /// When the proof ends, if it does. Streams end then, too; a proof that has ended is none.
    pub until: Option<Timestamp>,
    /// Whether the browser attaches the proof by itself (a cookie, a client certificate), so that another site could
    /// make it do so. A false yes costs an honest program an `Origin` field; a false no lets other sites act for the
    /// user.
    pub ambient: bool,
}

impl From<User> for Proven {
    fn from(user: User) -> Self {
        Self { user: Arc::new(user), until: None, ambient: true }
    }
}

/// Why a proof does not hold; for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BadProof {
    /// A token's fault.
    Token(TokenFault),
    /// A session's fault.
    Session(SessionFault),
    /// One sentence of a custom backend's.
    Other(&'static str),
}

/// What a backend has for its login path.
#[derive(Debug)]
#[non_exhaustive]
pub enum LoginAnswer {
    /// A page that the gate renders.
    Page(LoginPage),
    /// A form for a username and a password. The driver is asked whose they are
    /// ([`Step::CheckPassword`](crate::Step::CheckPassword)), and the gate makes a session.
    Password,
    /// The same form, where the host keeps sign-ins in sessions of its own. The gate makes none: once the reason of its
    /// reply is [`Reason::SignIn`](crate::Reason::SignIn), the host notes who that was.
    PasswordForHost,
    /// Nothing: the dashboard has a login page itself, so the path is open to everybody.
    Forward,
    /// An answer of its own: [`Decision::Delegate`](crate::Decision::Delegate).
    Delegate,
}

/// What a backend has for its logout path.
#[derive(Debug)]
#[non_exhaustive]
pub enum LogoutAnswer {
    /// There is nothing to forget: a redirect to the login path.
    ToLogin,
    /// The gate ends its session: a POST does, and a GET shows a button that posts.
    EndSession,
    /// Nothing: the dashboard answers it itself. It is open to everybody if it is a public path, and an ordinary path if
    /// not.
    Forward,
    /// An answer of its own: [`Decision::Delegate`](crate::Decision::Delegate).
    Delegate,
}
