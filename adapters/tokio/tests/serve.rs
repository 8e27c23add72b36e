//! The suite on tokio, and what is tokio's alone: HTTP/2.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod harness;
mod http2;
mod runtime;
mod suite;
