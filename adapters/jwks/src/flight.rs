use std::convert::Infallible;
use std::sync::{Arc, OnceLock};

use async_channel::Receiver;
use authgate_core::Unavailable;

/// A fetch that is under way: whoever waits for it shares its outcome, and it does not know whether anybody does.
#[derive(Clone)]
pub(crate) struct Flight(Arc<Inner>);

struct Inner {
    outcome: OnceLock<Result<(), Unavailable>>,
    /// Carries nothing: it is closed once there is an outcome.
    ended: Receiver<Infallible>,
    /// Keeps it open until then.
    _open: async_channel::Sender<Infallible>,
}

impl Flight {
    pub(crate) fn begin() -> Self {
        let (open, ended) = async_channel::bounded(1);
        Self(Arc::new(Inner { outcome: OnceLock::new(), ended, _open: open }))
    }

    /// Ends it. The first outcome counts.
    pub(crate) fn end(&self, outcome: Result<(), Unavailable>) {
        self.0.outcome.get_or_init(|| outcome);
        self.0.ended.close();
    }

    pub(crate) async fn outcome(&self) -> Result<(), Unavailable> {
        let _closed = self.0.ended.clone().recv().await;
        let outcome = self.0.outcome.get().cloned();
        outcome.unwrap_or_else(|| Err(Unavailable::new("the fetch of keys has no outcome")))
    }
}
