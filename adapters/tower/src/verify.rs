use std::fmt::Display;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use authgate_core::{Account, Credentials, Lookup, Unavailable, User, UserStore, Verdict};

use crate::Host;

/// What a function that checks passwords may return: `Option<User>`, `Option<Account>`, a [`Verdict`], or any of these in
/// a `Result`, whose error is for the log and answered 503.
pub trait IntoVerdict {
    /// The verdict, or why there is none.
    ///
    /// # Errors
    /// The password could not be checked.
    fn into_verdict(self) -> Result<Verdict, Unavailable>;
}

impl IntoVerdict for Verdict {
    fn into_verdict(self) -> Result<Verdict, Unavailable> {
        Ok(self)
    }
}

impl IntoVerdict for Option<User> {
    fn into_verdict(self) -> Result<Verdict, Unavailable> {
        Ok(self.into())
    }
}

impl IntoVerdict for Option<Account> {
    fn into_verdict(self) -> Result<Verdict, Unavailable> {
        Ok(self.into())
    }
}

impl<T: Into<Verdict>, E: Display> IntoVerdict for Result<T, E> {
    fn into_verdict(self) -> Result<Verdict, Unavailable> {
        self.map(Into::into).map_err(|error| Unavailable::new(error.to_string()))
    }
}

type Later<T> = Pin<Box<dyn Future<Output = Result<T, Unavailable>> + Send>>;

/// Whoever knows the users, whatever its type.
pub(crate) trait Users<H>: Send + Sync {
    fn check(&self, host: &H, credentials: Credentials) -> Later<Verdict>;
    fn look_up(&self, host: &H, user: String) -> Later<Lookup>;
}

/// Nobody does.
pub(crate) struct Nobody;

impl<H> Users<H> for Nobody {
    fn check(&self, _: &H, _: Credentials) -> Later<Verdict> {
        let why = "nothing here checks passwords; give the layer `verify`, `verify_blocking` or `users`";
        Box::pin(async move { Err(Unavailable::new(why)) })
    }

    fn look_up(&self, _: &H, _: String) -> Later<Lookup> {
        Box::pin(async { Ok(Lookup::Unknowable) })
    }
}

/// An asynchronous function does, and cannot tell what became of a user.
pub(crate) struct Asynchronous<F>(pub(crate) F);

impl<H, F, A> Users<H> for Asynchronous<F>
where
    F: Fn(Credentials) -> A + Send + Sync,
    A: Future<Output: IntoVerdict> + Send + 'static,
{
    fn check(&self, _: &H, credentials: Credentials) -> Later<Verdict> {
        let verdict = (self.0)(credentials);
        Box::pin(async { verdict.await.into_verdict() })
    }

    fn look_up(&self, _: &H, _: String) -> Later<Lookup> {
        Box::pin(async { Ok(Lookup::Unknowable) })
    }
}

/// A store does whose answers block: asked off the event loop.
pub(crate) struct Blocking<S>(pub(crate) Arc<S>);

impl<H: Host, S: UserStore> Users<H> for Blocking<S> {
    fn check(&self, host: &H, credentials: Credentials) -> Later<Verdict> {
        let (host, store) = (host.clone(), Arc::clone(&self.0));
        Box::pin(async move { host.unblock(move || store.check(&credentials)).await? })
    }

    fn look_up(&self, host: &H, user: String) -> Later<Lookup> {
        let (host, store) = (host.clone(), Arc::clone(&self.0));
        Box::pin(async move { host.unblock(move || store.look_up(&user)).await? })
    }
}

/// A function of a username and a password, as a store.
pub(crate) struct Function<F>(pub(crate) F);

impl<F, R> UserStore for Function<F>
where
    F: Fn(&str, &str) -> R + Send + Sync + 'static,
    R: IntoVerdict,
{
    fn check(&self, credentials: &Credentials) -> Result<Verdict, Unavailable> {
        (self.0)(&credentials.username, credentials.password.expose()).into_verdict()
    }
}
