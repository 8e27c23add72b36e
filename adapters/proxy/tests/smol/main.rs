//! The suite on smol.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

#[path = "../harness/mod.rs"]
mod harness;
mod runtime;
#[path = "../suite/mod.rs"]
mod suite;
