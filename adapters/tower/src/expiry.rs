use std::fmt;
use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use authgate_core::{Lease, Timestamp};

use crate::Host;

/// A timer counts seconds, but it is the clock that decides, and a clock may be set or a machine suspended: so the clock
/// is looked at again after at most this long.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);

/// A session may end early, because its user signs out: streams learn of it within this time.
const LONGEST_LOOK: Duration = Duration::from_secs(1);

/// When the admission of a request ends, if it does: at a moment, or as soon as its user signs out.
///
/// It lands in the request's extensions. The layer cuts response bodies off by itself; a handler that takes the
/// connection over (a websocket) must close it once [`expired`](Expiry::expired) returns.
#[derive(Clone)]
pub struct Expiry {
    lease: Lease,
    watch: Arc<dyn Watch>,
}

impl Expiry {
    pub(crate) fn new(lease: Lease, watch: Arc<dyn Watch>) -> Self {
        Self { lease, watch }
    }

    /// The moment the admission ends at the latest.
    pub fn until(&self) -> Option<Timestamp> {
        self.lease.until()
    }

    /// Whether the admission has ended.
    pub fn has_passed(&self) -> bool {
        !self.lease.holds(self.watch.now())
    }

    /// Returns once the admission has ended; never, if it does not end.
    pub async fn expired(&self) {
        let longest = if self.lease.is_revocable() { LONGEST_LOOK } else { LONGEST_SLEEP };
        match self.until() {
            Some(until) => {
                while !self.has_passed() {
                    self.watch.sleep_until(until, longest).await;
                }
            }
            None => pending().await,
        }
    }

    /// [`expired`](Self::expired) for a body that is polled.
    pub(crate) fn boxed(self) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(async move { self.expired().await })
    }
}

impl fmt::Debug for Expiry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Expiry").field(&self.until()).finish()
    }
}

/// The part of a [`Host`] that tells the time, whatever the host's type.
pub(crate) trait Watch: Send + Sync {
    fn now(&self) -> Timestamp;
    /// Sleeps until `moment`, but no longer than `longest`.
    fn sleep_until(&self, moment: Timestamp, longest: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

impl<H: Host> Watch for H {
    fn now(&self) -> Timestamp {
        Host::now(self)
    }

    fn sleep_until(&self, moment: Timestamp, longest: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(self.sleep(moment.time_left(Host::now(self)).min(longest)))
    }
}
