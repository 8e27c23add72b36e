use std::future::Future;
use std::time::{Duration, SystemTime};

use authgate_core::{Delegation, LoginForm, Proven, Timestamp, Unavailable};
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Request, Response};

use crate::{Record, RequestBody};

/// What the gate needs from the world around it: the clock, randomness, timers, and the answers of custom backends.
///
/// A runtime's crate has one that is ready to use: `authgate_tokio::Tokio`, `authgate_smol::Smol`. Implement it
/// yourself to answer for a backend that must wait; everything but [`sleep`](Host::sleep) has a default.
///
/// What a wrong answer costs: a user where there is none lets a stranger in; nobody where there is a user sends them
/// to the login page; [`Unavailable`] is always safe, and answers 503.
pub trait Host: Clone + Send + Sync + 'static {
    /// The time. Default: the system's clock.
    fn now(&self) -> Timestamp {
        SystemTime::now().into()
    }

    /// Random bytes. Default: the operating system's.
    ///
    /// # Errors
    /// The operating system has none.
    fn draw(&self) -> Result<[u8; 32], Unavailable> {
        let mut bytes = [0; 32];
        match getrandom::fill(&mut bytes) {
            Ok(()) => Ok(bytes),
            Err(error) => Err(Unavailable::new(format!("no random bytes: {error}"))),
        }
    }

    /// Waits for `span`, on whatever runtime this is.
    fn sleep(&self, span: Duration) -> impl Future<Output = ()> + Send + 'static;

    /// Runs work that blocks, such as hashing a password, off the event loop. Default: a pool of threads that grows with the
    /// work.
    fn unblock<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> impl Future<Output = Result<T, Unavailable>> + Send {
        let task = blocking::unblock(work);
        async { Ok(task.await) }
    }

    /// The host's own login page for `form`, and the policy that it needs (CSP level 3). If
    /// [`fragment`](LoginForm::fragment) is set, the form alone. Escape what was typed, and find words for the error: both are
    /// data. Default: none; the gate's own is shown.
    fn login_page(&self, form: &LoginForm) -> Option<(Bytes, HeaderValue)> {
        let _ = form;
        None
    }

    /// Answers [`Step::AskBackend`](authgate_core::Step::AskBackend): who sent this request, as `backend` knows.
    ///
    /// Cut off at the layer's deadline, and a panic is caught; both are "could not ask".
    fn authenticate(
        &self,
        backend: &'static str,
        request: &Parts,
    ) -> impl Future<Output = Result<Option<Proven>, Unavailable>> + Send {
        let _ = request;
        async move { Err(Unavailable::new(format!("nothing here answers for the backend {backend:?}"))) }
    }

    /// Answers [`Decision::Delegate`](authgate_core::Decision::Delegate): a page that a backend renders itself. The body is
    /// as it arrives: read it with a limit.
    ///
    /// Cut off at the layer's deadline, and a panic is caught; both are answered 503.
    fn answer(
        &self,
        page: &Delegation,
        request: Request<RequestBody>,
    ) -> impl Future<Output = Result<Response<Bytes>, Unavailable>> + Send {
        let _ = request;
        let backend = page.backend;
        async move { Err(Unavailable::new(format!("nothing here answers for the backend {backend:?}"))) }
    }

    /// Writes a line of the audit trail. Default: a `tracing` event.
    fn record(&self, record: &Record<'_>) {
        record.trace();
    }
}
