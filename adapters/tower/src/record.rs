use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use authgate_core::{Denial, Event, Reason};

/// One decision, for the audit trail. It never holds a secret, a token or a query.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Record<'a> {
    /// Tells this request from all others; also in the request's extensions.
    pub request: RequestId,
    /// The method, as sent.
    pub method: &'a str,
    /// The path, as sent, without the query.
    pub path: &'a str,
    /// What was decided, for whom and why.
    pub event: Event<'a>,
}

impl Record<'_> {
    /// Emits this as one `tracing` event: a warning if something could not be asked or a proxy is not trusted, else information.
    pub fn trace(&self) {
        let Event { client, kind, outcome, status, reason, detail, user, .. } = &self.event;
        macro_rules! emit {
            ($level:expr) => {
                tracing::event!(
                    target: "authgate",
                    $level,
                    request = %self.request,
                    %client,
                    // Quoted: a path is the client's text.
                    method = ?self.method,
                    path = ?self.path,
                    %kind,
                    outcome = outcome.as_str(),
                    status,
                    reason = reason.slug(),
                    user,
                    "{detail}"
                )
            };
        }
        match reason {
            Reason::Denied(Denial::Unavailable | Denial::UntrustedProxy) => emit!(tracing::Level::WARN),
            _ => emit!(tracing::Level::INFO),
        }
    }
}

/// Tells one request from all others of this process, and from those of the process before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestId(u64);

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// Counts requests from a start that nobody knows.
#[derive(Debug)]
pub(crate) struct RequestIds(AtomicU64);

impl RequestIds {
    pub(crate) fn starting_at(random: [u8; 32]) -> Self {
        Self(AtomicU64::new(random.into_iter().fold(0, |start, byte| start.rotate_left(8) ^ u64::from(byte))))
    }

    pub(crate) fn next(&self) -> RequestId {
        RequestId(self.0.fetch_add(1, Ordering::Relaxed))
    }
}
