//! Whatever the configuration, the request and the answers: what always holds.
//!
//! `PROPTEST_CASES=20000` runs more cases than usual, `PROPTEST_RNG_SEED=7` others.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod admission;
mod lifetimes;
mod redirects;
mod replies;
mod round_trips;
mod sign_in;
mod steps;
mod strictness;
