use std::collections::BTreeMap;

use authgate_core::{Count, CountKey, Ending, EndingsNews, EndingsSince, SessionId, Swap, Timestamp};

/// What gates tell each other by way of a store: what has ended, and how many tries there were. Its clock is the world's.
#[derive(Default)]
pub(super) struct Shared {
    born: Option<Timestamp>,
    told: Vec<Ending>,
    counts: BTreeMap<CountKey, (Count, Timestamp)>,
}

/// How many endings fit into one answer: few, so that there is more to tell.
const PAGE: usize = 1;

impl Shared {
    pub(super) fn end(&mut self, id: SessionId, at: Timestamp) {
        self.told.push(Ending::Session { id, at });
    }

    pub(super) fn endings(&mut self, since: &EndingsSince, now: Timestamp) -> EndingsNews {
        let floor = *self.born.get_or_insert(now);
        let from = since.position.as_ref().map_or(0, |position| position.parse().unwrap());
        let endings: Vec<_> = self.told.iter().skip(from).take(PAGE).cloned().collect();
        let to = from + endings.len();
        EndingsNews { endings, position: to.to_string(), more: to < self.told.len(), floor, now }
    }

    pub(super) fn counts(&mut self, keys: &[CountKey], now: Timestamp) -> Vec<Option<Count>> {
        self.counts.retain(|_, (_, gone)| now < *gone);
        keys.iter().map(|key| self.counts.get(key).map(|(count, _)| *count)).collect()
    }

    pub(super) fn swap(&mut self, swaps: &[Swap], now: Timestamp) -> bool {
        let current = |swap: &Swap| self.counts.get(&swap.key).map(|(count, _)| *count);
        if swaps.iter().any(|swap| current(swap) != swap.was) {
            return false;
        }
        for Swap { key, becomes, lasts, .. } in swaps {
            match becomes {
                Some(count) => self.counts.insert(*key, (*count, now.after(*lasts))),
                None => self.counts.remove(key),
            };
        }
        true
    }
}
