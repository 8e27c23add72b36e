//! The runtime, and a count of what is decided on it.

use std::sync::Arc;
use std::time::Duration;

use authgate_core::Unavailable;
use authgate_tower::{Host, Record};

use super::metrics::Metrics;

/// A runtime's host that also counts decisions.
#[derive(Clone)]
pub(super) struct CountingHost<R> {
    pub(super) runtime: R,
    pub(super) metrics: Arc<Metrics>,
}

impl<R: Host> Host for CountingHost<R> {
    fn sleep(&self, span: Duration) -> impl Future<Output = ()> + Send + 'static {
        self.runtime.sleep(span)
    }

    fn unblock<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> impl Future<Output = Result<T, Unavailable>> + Send {
        self.runtime.unblock(work)
    }

    fn record(&self, record: &Record<'_>) {
        record.trace();
        self.metrics.count(&record.event);
    }
}
