//! Shared parts of the integration tests: a forger of tokens, a world that is moved by hand, and the tables of
//! dialogues and of steps, with a driver for each way to run the gate; and for the properties, visits as plain data,
//! strategies that draw them, and a model of who should be let in.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::missing_errors_doc,
    reason = "a test that cannot go on should say where"
)]

pub mod case;
pub mod dialogue;
pub mod drivers;
pub mod forge;
pub mod model;
pub mod steps;
pub mod stores;
pub mod strategies;
pub mod world;

/// The README's code, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;
