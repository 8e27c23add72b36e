//! The suite on tokio, and what is tokio's alone: clients that speak HTTP/2.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

#[path = "../harness/mod.rs"]
mod harness;
mod http2;
mod runtime;
#[path = "../suite/mod.rs"]
mod suite;
