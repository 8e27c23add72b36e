//! A clock for tests: sleeping moves it on at once, and what is spawned never runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use futures_lite::future;

use super::Timer;
use super::lifetime::Lifetime;

/// Milliseconds that only sleepers move.
#[derive(Clone)]
pub(super) struct Clock(Arc<AtomicI64>);

impl Clock {
    pub(super) fn at(seconds: i64) -> Self {
        Self(Arc::new(AtomicI64::new(seconds * 1000)))
    }

    /// A life until that second, if there is one.
    pub(super) fn lifetime(&self, until: Option<i64>) -> Lifetime<Self> {
        let clock = self.clone();
        let ended = move || until.is_some_and(|until| clock.seconds() >= until);
        Lifetime { timer: self.clone(), admission_ended: Box::new(ended), stopping: Arc::default() }
    }
}

impl Timer for Clock {
    async fn sleep(&self, duration: Duration) {
        // Whoever else is ready goes first, as on a real clock.
        future::yield_now().await;
        self.0.fetch_add(i64::try_from(duration.as_millis()).unwrap(), Ordering::Relaxed);
    }

    fn spawn(&self, _task: impl Future<Output = ()> + Send + 'static) {}

    fn seconds(&self) -> i64 {
        self.0.load(Ordering::Relaxed) / 1000
    }
}
