use std::panic::resume_unwind;
use std::time::Duration;

use authgate_core::Unavailable;
use authgate_tower::Host;

/// The world on tokio: the system's clock and randomness, tokio's timers. Needs a runtime with time enabled.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tokio;

impl Host for Tokio {
    fn sleep(&self, span: Duration) -> impl Future<Output = ()> + Send + 'static {
        tokio::time::sleep(span)
    }

    /// On tokio's own threads for blocking work.
    async fn unblock<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Unavailable> {
        match tokio::task::spawn_blocking(work).await {
            Ok(done) => Ok(done),
            // For whoever asked to catch; its text may hold what somebody typed, and is not for the log.
            Err(error) if error.is_panic() => resume_unwind(error.into_panic()),
            Err(_) => Err(Unavailable::new("the runtime is shutting down")),
        }
    }
}
