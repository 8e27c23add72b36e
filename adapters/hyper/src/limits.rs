use std::time::Duration;

/// What a server allows a connection before it is closed. The same numbers hold on every runtime.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Longest request head in bytes, request line included; more is answered 431. Default 64 KiB.
    pub head_bytes: usize,
    /// Most header fields in one request; more is answered 431. Default 100.
    pub headers: usize,
    /// How long a request head may take to arrive, from its first byte; how long a new connection may say nothing; and
    /// how long closing an idle one may take. Default 10 s.
    pub head_timeout: Duration,
    /// How long a kept-alive connection may stay silent between requests, or take nothing of a response that waits to be
    /// sent; for HTTP/2, also how often it is pinged. A reader that takes something within that time, however little,
    /// is not cut off, and a response without anything to send may pause forever, unless the client has closed its half
    /// for that long: then it has left. Less than a few seconds would also cut off honest readers on a bad network.
    /// Default 60 s.
    pub idle_timeout: Duration,
    /// Most connections at one time, upgraded ones included; further ones wait in the listener's queue. Default 10 000.
    pub connections: usize,
    /// How long requests in flight may still take after the shutdown signal. Default 10 s.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head_bytes: 64 * 1024,
            headers: 100,
            head_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_mins(1),
            connections: 10_000,
            drain: Duration::from_secs(10),
        }
    }
}
