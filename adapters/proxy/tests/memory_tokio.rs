//! What a large body costs on tokio. It has a process of its own because memory is the process's.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]
#![allow(dead_code, unused_imports, reason = "it uses a part of the harness")]

mod harness;
mod memory;
#[path = "tokio/runtime.rs"]
mod runtime;
