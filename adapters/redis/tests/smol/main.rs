//! The suite on smol.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::process::ExitCode;

#[path = "../harness/mod.rs"]
mod harness;
mod runtime;
#[path = "../suite/mod.rs"]
mod suite;

fn main() -> ExitCode {
    harness::run(suite::tests())
}
