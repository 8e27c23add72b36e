//! Stories about people who sign in, through the core alone. Time moves when it is told to.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod answers;
mod asked_about;
mod audit;
mod coming_again;
mod cookies;
mod endings;
mod fixation;
mod forms;
mod hosts;
mod leases;
mod lifetimes;
mod lying_stores;
mod neighbours;
mod outages;
mod own_pages;
mod passed_on;
mod rotation;
mod rules;
mod several;
mod shared;
mod sign_in;
mod signing_out;
mod succession;
mod throttled;
mod users_change;
mod visitor;
mod world;
mod wrong_clocks;
