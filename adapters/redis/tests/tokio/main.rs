//! The suite on tokio, and what is tokio's alone.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests"
)]

use std::process::ExitCode;

#[macro_use]
#[path = "../suite/macros.rs"]
mod macros;

#[path = "../harness/mod.rs"]
mod harness;
mod runtime;
mod runtimes;
#[path = "../suite/mod.rs"]
mod suite;

fn main() -> ExitCode {
    harness::run([suite::tests(), runtimes::TESTS.to_vec()].concat())
}
