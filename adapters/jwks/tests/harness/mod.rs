//! A provider on a real socket that a test plays by hand, a clock that it sets, and a gate before it all. What that needs
//! of a runtime is in `runtime` beside this module. One thread plays everybody, so nothing happens before its turn.

mod clock;
mod keys;
mod peer;
mod provider;
pub(crate) mod world;

use std::time::Duration;

pub(crate) use clock::Clock;
pub(crate) use keys::{Signer, set};
pub(crate) use peer::Peer;
pub(crate) use provider::{Authority, Provider, answer};
pub(crate) use world::{World, backend};

/// Longer than anything here takes, shorter than a test may hang.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// What `KeySetLimits` are by default.
pub(crate) const INTERVAL: Duration = Duration::from_secs(10);
pub(crate) const LIFETIME: Duration = Duration::from_hours(1);

/// How often the clock is looked at.
pub(crate) const LOOK: Duration = Duration::from_secs(30);
