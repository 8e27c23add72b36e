use std::fmt;
use std::future::{Future, pending, ready};
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use authgate_core::{EndingsSince, Lease, Timestamp};
use futures_lite::FutureExt;

use crate::{Host, SharedStore};

/// A timer counts seconds, but it is the clock that decides, and a clock may be set or a machine suspended: so the clock
/// is looked at again after at most this long.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);

/// A session may end early, because its user signs out: streams learn of it within this time.
const LONGEST_LOOK: Duration = Duration::from_secs(1);

/// How long a shared store may take to tell what has ended.
const LONGEST_ASKED: Duration = Duration::from_secs(1);

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

    /// Whether others may end it, so that somebody must be asked.
    pub(crate) fn is_shared(&self) -> bool {
        self.lease.is_shared()
    }

    /// Returns once the admission has ended; never, if it does not end.
    pub async fn expired(&self) {
        let longest = if self.lease.is_revocable() { LONGEST_LOOK } else { LONGEST_SLEEP };
        match self.until() {
            Some(until) => loop {
                if let Some(since) = self.lease.asks(self.watch.now()) {
                    self.watch.hear(&self.lease, since).await;
                }
                if self.has_passed() {
                    return;
                }
                self.watch.sleep_until(until, longest).await;
            },
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

/// What an [`Expiry`] needs of a [`Host`], whatever its type, and of the store, where gates share one.
pub(crate) trait Watch: Send + Sync {
    fn now(&self) -> Timestamp;
    /// Sleeps until `moment`, but no longer than `longest`.
    fn sleep_until(&self, moment: Timestamp, longest: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>>;
    /// Hears what has ended since; if nobody tells, the lease knows how long that may last.
    fn hear<'a>(
        &'a self,
        lease: &'a Lease,
        since: EndingsSince,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>>;
}

/// Where no store is shared.
pub(crate) struct Alone<H>(pub(crate) H);

/// Where one is.
pub(crate) struct Together<H> {
    pub(crate) host: H,
    pub(crate) store: Arc<dyn SharedStore>,
}

impl<H: Host> Watch for Alone<H> {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn sleep_until(&self, moment: Timestamp, longest: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        sleep_until(&self.0, moment, longest)
    }

    fn hear<'a>(&'a self, _: &'a Lease, _: EndingsSince) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        Box::pin(ready(()))
    }
}

impl<H: Host> Watch for Together<H> {
    fn now(&self) -> Timestamp {
        self.host.now()
    }

    fn sleep_until(&self, moment: Timestamp, longest: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        sleep_until(&self.host, moment, longest)
    }

    fn hear<'a>(
        &'a self,
        lease: &'a Lease,
        since: EndingsSince,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        let asked = self.host.now();
        let answer = AssertUnwindSafe(async { self.store.endings(since).await }).catch_unwind();
        let answer = async { answer.await.ok().and_then(Result::ok) };
        let late = async {
            self.host.sleep(LONGEST_ASKED).await;
            None
        };
        Box::pin(async move {
            if let Some(news) = answer.or(late).await {
                lease.hear(news, asked, self.host.now());
            }
        })
    }
}

fn sleep_until<H: Host>(
    host: &H,
    moment: Timestamp,
    longest: Duration,
) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(host.sleep(moment.time_left(host.now()).min(longest)))
}
