use std::time::Duration;

use authgate_tower::Host;

/// The world on tokio: the system's clock and randomness, tokio's timers. Needs a runtime with time enabled.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tokio;

impl Host for Tokio {
    fn sleep(&self, span: Duration) -> impl Future<Output = ()> + Send + 'static {
        tokio::time::sleep(span)
    }
}
