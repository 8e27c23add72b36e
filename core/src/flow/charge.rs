//! Tries to sign in are counted here, or where gates share the counts. Those are loaded, judged by the same rules, and
//! changed if nobody else has changed them since.

use std::time::Duration;

use crate::session::SessionRules;
use crate::sharing::{Count, CountKey};
use crate::step::Then;
use crate::throttle::{Charge, Loaded};
use crate::{Gate, Peer, Step, Timestamp, Unavailable};

/// How often a count is loaded anew because somebody else has changed it. Many who try at once are many tries too many.
const MOST_ROUNDS: usize = 8;

/// What whoever comes in last of so many is told to wait.
const CROWDED: Duration = Duration::from_secs(1);

/// A try that is about to be made.
pub(super) struct Try {
    pub(super) gate: Gate,
    pub(super) client: Peer,
    pub(super) username: String,
}

impl Try {
    /// Charges it; `then` learns the charge, or how long to wait. Should the store be out of reach, this process counts
    /// alone.
    pub(super) fn charge(
        self,
        now: Timestamp,
        then: impl FnOnce(Result<Charge, Duration>, Timestamp) -> Step + Send + 'static,
    ) -> Step {
        if is_shared(&self.gate) { self.load(MOST_ROUNDS, then) } else { self.charge_here(now, then) }
    }

    fn charge_here(
        self,
        now: Timestamp,
        then: impl FnOnce(Result<Charge, Duration>, Timestamp) -> Step,
    ) -> Step {
        let charged = self.gate.throttle().charge(self.client, &self.username, now);
        then(charged, now)
    }

    fn load(
        self,
        rounds: usize,
        then: impl FnOnce(Result<Charge, Duration>, Timestamp) -> Step + Send + 'static,
    ) -> Step {
        let keys = Loaded::keys(self.client, &self.username);
        let loaded = move |answer, now| self.loaded(keys, answer, rounds, now, then);
        Step::LoadCounts(keys.to_vec(), Then::new(loaded))
    }

    fn loaded(
        self,
        keys: [CountKey; 4],
        answer: Result<Vec<Option<Count>>, Unavailable>,
        rounds: usize,
        now: Timestamp,
        then: impl FnOnce(Result<Charge, Duration>, Timestamp) -> Step + Send + 'static,
    ) -> Step {
        let (limits, time) = (self.gate.throttle().limits(), time(&self.gate, now));
        let loaded = answer.ok().and_then(|counts| Loaded::new(limits, keys, &counts, time));
        let Some(mut loaded) = loaded else { return self.charge_here(now, then) };
        let (charge, swaps) = match loaded.charge(self.client, &self.username, time) {
            Err(wait) => return then(Err(wait), now),
            Ok(charged) => charged,
        };
        let swapped = move |answer, now| match answer {
            Ok(true) => then(Ok(charge), now),
            Ok(false) if rounds > 1 => self.load(rounds - 1, then),
            Ok(false) => then(Err(CROWDED), now),
            Err(_) => self.charge_here(now, then),
        };
        Step::SwapCounts(swaps, Then::new(swapped))
    }
}

/// Gives a charge back where it was made. If that cannot be, it stays: it drains by itself.
pub(super) fn refund(
    gate: Gate,
    charge: Charge,
    now: Timestamp,
    then: impl FnOnce(Timestamp) -> Step + Send + 'static,
) -> Step {
    match charge.elsewhere() {
        None => {
            gate.throttle().refund(charge, now);
            then(now)
        }
        Some(keys) => load_to_refund(gate, keys, charge, MOST_ROUNDS, then),
    }
}

fn load_to_refund(
    gate: Gate,
    keys: [CountKey; 4],
    charge: Charge,
    rounds: usize,
    then: impl FnOnce(Timestamp) -> Step + Send + 'static,
) -> Step {
    let loaded = move |answer: Result<Vec<Option<Count>>, Unavailable>, now| {
        let (limits, time) = (gate.throttle().limits(), time(&gate, now));
        let loaded = answer.ok().and_then(|counts| Loaded::new(limits, keys, &counts, time));
        let Some(mut loaded) = loaded else { return then(now) };
        let again = charge.again();
        let swaps = loaded.refund(charge, time);
        let swapped = move |answer, now| match answer {
            Ok(false) if rounds > 1 => load_to_refund(gate, keys, again, rounds - 1, then),
            _ => then(now),
        };
        Step::SwapCounts(swaps, Then::new(swapped))
    };
    Step::LoadCounts(keys.to_vec(), Then::new(loaded))
}

fn is_shared(gate: &Gate) -> bool {
    gate.settings().sessions.as_ref().is_some_and(SessionRules::are_shared)
}

/// The time by the store's clock: gates whose clocks differ would delay each other's people for as long as they do.
fn time(gate: &Gate, now: Timestamp) -> Timestamp {
    gate.settings().sessions.as_ref().map_or(now, |sessions| sessions.time(now))
}
