//! One driver a way to run the gate: each takes a request through to the answer that its client would read.

mod core;
mod dashboard;
mod sockets;
mod tower;
mod wire;

use std::time::Duration;

use crate::dialogue::{Cookies, Dialogue, Outcome, Visit};
use crate::world::{Settings, World};

/// A gate that is being driven.
pub trait Driver {
    /// Takes a request, as bytes, through to its answer.
    ///
    /// # Errors
    /// It did not go as it must, whatever the answer is.
    fn ask(&mut self, request: &[u8]) -> Result<Outcome, String>;
}

/// Makes a gate with these settings, in this world.
pub type Make = fn(&Settings) -> (World, Box<dyn Driver>);

/// All drivers, by name.
pub const DRIVERS: [(&str, Make); 4] =
    [("core", core::make), ("tower", tower::make), ("tokio", sockets::on_tokio), ("smol", sockets::on_smol)];

/// Takes a dialogue through a driver and checks what comes of each visit.
///
/// # Errors
/// The first visit that differs, and how.
pub fn check(make: Make, settings: &Settings, dialogue: &Dialogue) -> Result<(), String> {
    take(make, settings, dialogue, |seen| seen.visit.check(seen.outcome, seen.cookies))
}

/// What came of a visit.
pub struct Seen<'a> {
    /// Which it is, counted from 1 and without repetitions.
    pub number: usize,
    /// What was to come of it.
    pub visit: &'a Visit,
    /// What came of it.
    pub outcome: &'a Outcome,
    /// The session cookies that are set by now.
    pub cookies: &'a Cookies,
}

/// Takes a dialogue through a driver, and shows `see` what comes of each visit.
///
/// # Errors
/// The first visit that did not go as it must, or what `see` says of it.
pub fn take(
    make: Make,
    settings: &Settings,
    dialogue: &Dialogue,
    mut see: impl FnMut(Seen<'_>) -> Result<(), String>,
) -> Result<(), String> {
    let (world, mut driver) = make(settings);
    let mut cookies = Cookies::default();
    for (number, visit) in (1..).zip(dialogue.visits()) {
        world.pass(Duration::from_secs(visit.after));
        world.take_down(&visit.down);
        for time in 1..=visit.times {
            let outcome = driver.ask(&visit.raw(&cookies)).and_then(|outcome| {
                cookies.keep(number, &outcome);
                see(Seen { number, visit, outcome: &outcome, cookies: &cookies })
            });
            outcome.map_err(|fault| {
                let line = visit.request.lines().next().unwrap_or_default();
                format!("visit {number} ({line}), time {time}:\n{fault}")
            })?;
        }
    }
    Ok(())
}
