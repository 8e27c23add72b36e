use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// What happens on one connection, for the judge of its silence.
#[derive(Debug, Default)]
pub struct Activity {
    open: AtomicUsize,
    requests: AtomicBool,
    bytes: AtomicBool,
    blocked: AtomicBool,
    unsent: AtomicUsize,
    taken: AtomicBool,
    asked: AtomicBool,
    left: AtomicBool,
}

impl Activity {
    pub(crate) fn received(&self) {
        self.bytes.store(true, Ordering::Relaxed);
    }

    /// Notes a write that is done, or that waits for the peer to take what was written before.
    pub(crate) fn wrote(&self, waits: bool) {
        let waited = self.blocked.swap(waits, Ordering::Relaxed);
        // A write that did not wait tells nothing: the answer to an HTTP/2 ping is not the peer taking a response.
        if waited && !waits {
            self.took();
        }
    }

    pub(crate) fn took(&self) {
        self.taken.store(true, Ordering::Relaxed);
    }

    /// Has the socket find out whether the peer is still there, when it is next flushed.
    pub(crate) fn ask(&self) {
        self.asked.store(true, Ordering::Relaxed);
    }

    /// Finds it out, if that was asked for.
    pub(crate) fn answer(&self, has_left: impl FnOnce() -> bool) {
        if self.asked.swap(false, Ordering::Relaxed) && has_left() {
            self.left.store(true, Ordering::Relaxed);
        }
    }

    /// Whether it was found out that the peer will send nothing more.
    pub(crate) fn has_left(&self) -> bool {
        self.left.load(Ordering::Relaxed)
    }

    /// Whether bytes were received since this was last asked.
    pub(crate) fn has_received(&self) -> bool {
        self.bytes.swap(false, Ordering::Relaxed)
    }

    /// Whether a request is open.
    pub(crate) fn is_open(&self) -> bool {
        self.open.load(Ordering::Relaxed) > 0
    }

    /// Whether a request came or went since this was last asked.
    pub(crate) fn has_requests(&self) -> bool {
        self.requests.swap(false, Ordering::Relaxed)
    }

    /// Whether the peer took something that waited to be sent since this was last asked.
    pub(crate) fn has_taken(&self) -> bool {
        self.taken.swap(false, Ordering::Relaxed)
    }

    /// Whether something waits for the peer to take it.
    pub(crate) fn waits_for_peer(&self) -> bool {
        self.blocked.load(Ordering::Relaxed) || self.unsent.load(Ordering::Relaxed) > 0
    }
}

/// A request whose response has not been handed over entirely.
pub(crate) struct Open(Arc<Activity>);

impl Open {
    pub(crate) fn new(activity: &Arc<Activity>) -> Self {
        activity.open.fetch_add(1, Ordering::Relaxed);
        activity.requests.store(true, Ordering::Relaxed);
        Self(Arc::clone(activity))
    }

    pub(crate) fn unsent(&self) -> Unsent {
        self.0.unsent.fetch_add(1, Ordering::Relaxed);
        Unsent(Arc::clone(&self.0))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
        self.0.requests.store(true, Ordering::Relaxed);
    }
}

/// Something of a response that waits to be sent. It outlives its request when the whole body is handed over at once.
pub(crate) struct Unsent(Arc<Activity>);

impl Unsent {
    pub(crate) fn shrank(&self) {
        self.0.took();
    }
}

impl Drop for Unsent {
    fn drop(&mut self) {
        self.0.unsent.fetch_sub(1, Ordering::Relaxed);
        self.0.took();
    }
}
