//! Stories about people who sign in, through the core alone. Time moves when it is told to.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod sign_in;
mod visitor;
