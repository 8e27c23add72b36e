//! Accepting without file descriptors, on tokio. It has a process of its own because the limit is the process's.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]
#![allow(dead_code, reason = "it uses a part of the harness")]

mod descriptors;
mod harness;
mod runtime;
