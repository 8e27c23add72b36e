use std::time::Duration;

/// What the proxy allows an upstream, and a client towards it.
///
/// The longest response head is 64 KiB, its most fields 100, as for requests (`authgate_tokio::Limits`); a longer
/// one is [`Broken`](authgate_core::Unanswered::Broken). Both are fixed: no honest upstream comes near.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProxyLimits {
    /// How long resolving the upstream's name and connecting may take. Default 5 s.
    pub connect: Duration,
    /// How long an upstream may say nothing while an answer is due (504, RFC 9110 §15.6.5), and how long a client
    /// may send nothing of a body that it began (408, RFC 9110 §15.5.9). Whatever moves of the request counts as
    /// a sign of life, so an upload may take hours. An event stream (`text/event-stream`) may pause forever, and
    /// so may a websocket. Default 60 s.
    pub silence: Duration,
    /// Longest request body in bytes (413, RFC 9110 §15.5.14). Default: any.
    pub body_bytes: Option<u64>,
    /// How long a connection to the upstream is kept for the next request (RFC 9112 §9.3). Shorter than any upstream
    /// keeps it: gunicorn closes after 2 s, uvicorn and Node.js after 5 s. Default 1 s.
    pub idle: Duration,
    /// Most connections that are kept so at one time; further ones are closed after their answer. How many are
    /// open is up to the requests in flight, and so to the server's limit. Default 64.
    pub idle_connections: usize,
}

impl Default for ProxyLimits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            silence: Duration::from_mins(1),
            body_bytes: None,
            idle: Duration::from_secs(1),
            idle_connections: 64,
        }
    }
}

/// `span` as every clock can bear it: a much longer one could overflow.
pub(crate) fn bounded(span: Duration) -> Duration {
    span.min(Duration::from_hours(24 * 365))
}
