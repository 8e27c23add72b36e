//! A store that gates share, in memory: what `SharedStore` promises, by a clock of its own.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use authgate_core::{Count, CountKey, Ending, EndingsNews, EndingsSince, SessionId, Swap, Timestamp};

/// How many endings fit into one answer.
const PAGE: usize = 3;

#[derive(Default)]
pub(crate) struct Shared(Mutex<State>);

#[derive(Default)]
struct State {
    told: Vec<Ending>,
    counts: BTreeMap<CountKey, Count>,
    born: Option<Timestamp>,
    /// How far its clock is ahead of the gates'.
    ahead: Duration,
    /// How many changes of counts are still to be lost to somebody else.
    crowd: usize,
}

impl Shared {
    pub(crate) fn run_ahead(&self, ahead: Duration) {
        self.0.lock().unwrap().ahead = ahead;
    }

    /// Everything is lost, as if by a restart without persistence.
    pub(crate) fn forget(&self) {
        let mut state = self.0.lock().unwrap();
        *state = State { ahead: state.ahead, ..State::default() };
    }

    /// Somebody else is quicker the next times that a count is changed.
    pub(crate) fn crowd(&self, times: usize) {
        self.0.lock().unwrap().crowd = times;
    }

    pub(crate) fn told(&self) -> usize {
        self.0.lock().unwrap().told.len()
    }

    pub(crate) fn end_session(&self, id: SessionId, now: Timestamp) {
        let mut state = self.0.lock().unwrap();
        let at = now.after(state.ahead);
        state.told.push(Ending::Session { id, at });
    }

    pub(crate) fn end_user(&self, user: &str, now: Timestamp) {
        let mut state = self.0.lock().unwrap();
        let until = now.after(state.ahead);
        state.told.push(Ending::User { user: user.to_owned(), until });
    }

    pub(crate) fn endings(&self, since: &EndingsSince, now: Timestamp) -> EndingsNews {
        let mut state = self.0.lock().unwrap();
        let now = now.after(state.ahead);
        let floor = *state.born.get_or_insert(now);
        let from = since.position.as_ref().map_or(0, |position| position.parse().unwrap());
        let endings: Vec<_> = state.told.iter().skip(from).take(PAGE).cloned().collect();
        let to = from + endings.len();
        EndingsNews { endings, position: to.to_string(), more: to < state.told.len(), floor, now }
    }

    pub(crate) fn counts(&self, keys: &[CountKey], now: Timestamp) -> Vec<Option<Count>> {
        let state = self.0.lock().unwrap();
        keys.iter().map(|key| state.counts.get(key).copied().filter(|count| now < count.end)).collect()
    }

    pub(crate) fn swap(&self, swaps: &[Swap], now: Timestamp) -> bool {
        let mut state = self.0.lock().unwrap();
        state.counts.retain(|_, count| now < count.end);
        if state.crowd > 0 {
            state.crowd -= 1;
            return false;
        }
        if swaps.iter().any(|swap| state.counts.get(&swap.key).copied() != swap.was) {
            return false;
        }
        for Swap { key, becomes, .. } in swaps {
            match becomes {
                Some(count) => state.counts.insert(*key, *count),
                None => state.counts.remove(key),
            };
        }
        true
    }
}
