use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use authgate_core::Unavailable;
use authgate_smol::Smol;
use authgate_tokio::Tokio;
use authgate_tower::{Host, Record};

use crate::dashboard::{AuditLine, Timer};

/// How many decisions the demo's audit page can look back on.
const TRAIL: usize = 100;

/// A runtime's host that also remembers its last decisions.
#[derive(Clone)]
pub(super) struct DemoHost<R> {
    runtime: R,
    trail: Arc<Mutex<VecDeque<AuditLine>>>,
}

/// Starts tasks on whatever runtime it is.
pub(super) trait Spawn {
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static);
}

impl<R> DemoHost<R> {
    pub(super) fn new(runtime: R) -> Self {
        Self { runtime, trail: Arc::default() }
    }

    /// The last decisions, oldest first.
    pub(super) fn lines(&self) -> Vec<AuditLine> {
        self.trail.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

impl<R: Host> Host for DemoHost<R> {
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
        let event = &record.event;
        let line = AuditLine {
            time: self.now().as_secs(),
            request_id: record.request.to_string(),
            client: event.client.to_string(),
            method: record.method.to_owned(),
            path: record.path.to_owned(),
            kind: event.kind.to_string(),
            outcome: event.outcome.as_str().to_owned(),
            reason: event.reason.slug().to_owned(),
            user: event.user.map(str::to_owned),
            status: event.status,
        };
        let mut trail = self.trail.lock().unwrap_or_else(PoisonError::into_inner);
        if trail.len() == TRAIL {
            trail.pop_front();
        }
        trail.push_back(line);
    }
}

impl<R: Host + Spawn> Timer for DemoHost<R> {
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send {
        self.runtime.sleep(duration)
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.runtime.spawn(task);
    }

    fn seconds(&self) -> i64 {
        self.now().as_secs()
    }
}

impl Spawn for Tokio {
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        tokio::spawn(task);
    }
}

impl Spawn for Smol {
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        smol::spawn(task).detach();
    }
}
