//! Shared parts of the integration tests: a forger of tokens, a world with a clock that stands still, and the table of
//! dialogues with a runner for each driver.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::missing_errors_doc,
    reason = "a test that cannot go on should say where"
)]

pub mod dialogue;
pub mod drivers;
pub mod forge;
pub mod stores;
pub mod world;

/// The README's code, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;
