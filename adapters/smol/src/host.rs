use std::time::Duration;

use authgate_tower::Host;

/// The world on smol: the system's clock and randomness, smol's timers.
#[derive(Debug, Clone, Copy, Default)]
pub struct Smol;

impl Host for Smol {
    fn sleep(&self, span: Duration) -> impl Future<Output = ()> + Send + 'static {
        let timer = smol::Timer::after(span);
        async move {
            timer.await;
        }
    }
}
