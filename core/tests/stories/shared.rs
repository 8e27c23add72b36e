//! A store that gates share, in memory: what `SharedStore` promises, by a clock of its own.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use authgate_core::{Count, CountKey, Ending, EndingsNews, EndingsSince, SessionId, Swap, Timestamp};

use crate::world::Clock;

/// How many endings fit into one answer.
const PAGE: usize = 3;

pub(crate) struct Shared {
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    told: Vec<Ending>,
    /// When the last was told.
    last: Option<Timestamp>,
    counts: BTreeMap<CountKey, (Count, Timestamp)>,
    born: Option<Timestamp>,
    /// How far its clock is ahead.
    ahead: Duration,
    /// How many changes of counts are still to be made before any is lost to somebody else.
    quiet: usize,
    /// How many are to be lost then.
    crowd: usize,
}

impl Shared {
    pub(crate) fn new(clock: Clock) -> Self {
        Self { clock, state: Mutex::default() }
    }

    /// The time where sessions are kept.
    pub(crate) fn time(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn run_ahead(&self, ahead: Duration) {
        self.state.lock().unwrap().ahead = ahead;
    }

    /// Everything is lost, as if by a restart without persistence.
    pub(crate) fn forget(&self) {
        let mut state = self.state.lock().unwrap();
        *state = State { ahead: state.ahead, ..State::default() };
    }

    /// Somebody else is quicker the next times that a count is changed.
    pub(crate) fn crowd(&self, times: usize) {
        self.crowd_after(0, times);
    }

    /// The same, after so many changes that nobody disturbs.
    pub(crate) fn crowd_after(&self, quiet: usize, times: usize) {
        let mut state = self.state.lock().unwrap();
        (state.quiet, state.crowd) = (quiet, times);
    }

    pub(crate) fn told(&self) -> usize {
        self.state.lock().unwrap().told.len()
    }

    pub(crate) fn end_session(&self, id: SessionId) {
        let mut state = self.state.lock().unwrap();
        let at = self.now(&state);
        state.last = Some(at);
        state.told.push(Ending::Session { id, at });
    }

    pub(crate) fn end_user(&self, user: &str) {
        let mut state = self.state.lock().unwrap();
        let until = self.now(&state);
        state.last = Some(until);
        state.told.push(Ending::User { user: user.to_owned(), until });
    }

    pub(crate) fn endings(&self, since: &EndingsSince) -> EndingsNews {
        let mut state = self.state.lock().unwrap();
        let now = self.now(&state);
        if state.born.is_none() {
            (state.born, state.last) = (Some(now), Some(now));
        }
        let floor = state.born.unwrap();
        let from = since.position.as_ref().map_or(0, |position| position.parse().unwrap());
        let endings: Vec<_> = state.told.iter().skip(from).take(PAGE).cloned().collect();
        let to = from + endings.len();
        EndingsNews { endings, position: to.to_string(), more: to < state.told.len(), floor, now }
    }

    pub(crate) fn counts(&self, keys: &[CountKey]) -> Vec<Option<Count>> {
        let mut state = self.state.lock().unwrap();
        self.drain(&mut state);
        keys.iter().map(|key| state.counts.get(key).map(|(count, _)| *count)).collect()
    }

    pub(crate) fn swap(&self, swaps: &[Swap]) -> bool {
        let mut state = self.state.lock().unwrap();
        self.drain(&mut state);
        if state.quiet > 0 {
            state.quiet -= 1;
        } else if state.crowd > 0 {
            state.crowd -= 1;
            return false;
        }
        if swaps.iter().any(|swap| state.counts.get(&swap.key).map(|(count, _)| *count) != swap.was) {
            return false;
        }
        for Swap { key, becomes, lasts, .. } in swaps {
            match becomes {
                Some(count) => state.counts.insert(*key, (*count, self.clock.now().after(*lasts))),
                None => state.counts.remove(key),
            };
        }
        true
    }

    fn drain(&self, state: &mut State) {
        let now = self.clock.now();
        state.counts.retain(|_, (_, gone)| now < *gone);
    }

    fn now(&self, state: &State) -> Timestamp {
        let now = self.clock.now().after(state.ahead);
        state.last.map_or(now, |last| now.max(last.after(Duration::from_millis(1))))
    }
}
