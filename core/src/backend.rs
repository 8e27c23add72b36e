use crate::page::LoginPage;
use crate::{Denial, Head, Timestamp, User};

/// Who knows the users: a way to prove who asks, and pages to sign in and out.
///
/// The gate asks its backends in order. A backend that must wait for its answer (a directory, a database) says
/// [`Proof::Wait`], and the driver asks for it; one that renders its own login says [`Answer::Delegate`], and the
/// driver hands it the request.
///
/// ```
/// use authgate_core::{Answer, AuthBackend, Head, Proof, Timestamp};
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
///     fn login(&self) -> Answer {
///         Answer::Delegate
///     }
///
///     fn logout(&self) -> Answer {
///         Answer::Delegate
///     }
///
///     fn routes(&self) -> Vec<String> {
///         vec!["/login/callback".into()]
///     }
/// }
/// ```
pub trait AuthBackend: Send + Sync + 'static {
    /// What to call this backend in steps and in the log.
    fn name(&self) -> &'static str;

    /// Who asks, if the request proves it. Called for every request that is not public; must not block.
    fn authenticate(&self, head: &Head<'_>, now: Timestamp) -> Proof;

    /// What the login path answers.
    fn login(&self) -> Answer;

    /// What the logout path answers.
    fn logout(&self) -> Answer;

    /// Extra public paths below the mount that the backend answers itself, exact. Asked once, at construction.
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
pub enum Proof {
    /// Nothing that this backend reads.
    Absent,
    /// Something that does not hold; why, for the log.
    Refused(Denial),
    /// Who asks.
    Proven {
        /// The user.
        user: User,
        /// When the proof ends, if it does. Streams end then, too.
        until: Option<Timestamp>,
        /// Whether the browser attaches the proof by itself (a cookie), so that another site could make it do so.
        ambient: bool,
    },
    /// The driver must ask: [`Step::AskBackend`](crate::Step::AskBackend).
    Wait,
}

/// What a backend has for its login or logout path.
#[derive(Debug)]
pub enum Answer {
    /// A page that the gate renders.
    Page(LoginPage),
    /// A redirect to the login path.
    ToLogin,
    /// An answer of its own: [`Decision::Delegate`](crate::Decision::Delegate).
    Delegate,
}
