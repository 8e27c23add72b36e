use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// What happens on one connection, for the judge of its silence.
#[derive(Debug, Default)]
pub struct Activity {
    open: AtomicUsize,
    requests: AtomicBool,
    bytes: AtomicBool,
}

impl Activity {
    pub(crate) fn received(&self) {
        self.bytes.store(true, Ordering::Relaxed);
    }

    /// Whether bytes were received since this was last asked.
    pub(crate) fn has_received(&self) -> bool {
        self.bytes.swap(false, Ordering::Relaxed)
    }

    /// Whether a request is open, or came or went since this was last asked.
    pub(crate) fn has_requests(&self) -> bool {
        self.requests.swap(false, Ordering::Relaxed) || self.open.load(Ordering::Relaxed) > 0
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
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
        self.0.requests.store(true, Ordering::Relaxed);
    }
}
