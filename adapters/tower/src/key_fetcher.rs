use std::sync::Arc;

use authgate_core::Unavailable;

use crate::Answer;

/// Who fetches the keys that an identity provider publishes; `authgate-jwks` has one that is ready to use.
///
/// What it must keep stands at [`KeySet`](authgate_core::KeySet).
pub trait KeyFetcher: Send + Sync + 'static {
    /// Waits until a fetch has ended that a token asks for: one that is under way, or a new one if it is time. Should
    /// nobody wait any longer, the fetch goes on.
    ///
    /// # Errors
    /// The fetch brought no keys, or it is too early for one.
    fn fetch(&self) -> Answer<'_, ()>;
}

impl<F: KeyFetcher + ?Sized> KeyFetcher for Arc<F> {
    fn fetch(&self) -> Answer<'_, ()> {
        (**self).fetch()
    }
}

/// Where nobody fetches any.
pub(crate) struct NoFetcher;

impl KeyFetcher for NoFetcher {
    fn fetch(&self) -> Answer<'_, ()> {
        Box::pin(std::future::ready(Err(Unavailable::new("nothing here fetches keys"))))
    }
}
