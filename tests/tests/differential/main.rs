//! The same input to the gate and to somebody else's reader of it. Where they differ, `differences.toml` says why;
//! whatever is not in that list is a mistake of ours.
//!
//! `PROPTEST_CASES=20000` runs more cases than usual, `PROPTEST_RNG_SEED=7` others. Tokens against PyJWT:
//! `python/tests/differential`.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod cookies;
mod heads;
mod list;
mod members;
mod tokens;
mod urls;
