//! Accepting without file descriptors, on smol. It has a process of its own because the limit is the process's.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]
#![allow(dead_code, reason = "it uses a part of the harness")]

#[path = "../../tokio/tests/descriptors/mod.rs"]
mod descriptors;
#[path = "../../tokio/tests/harness/mod.rs"]
mod harness;
mod runtime;
