use std::time::Duration;

use super::{Charge, Key, NO_NETWORK, Throttle, ThrottleLimits, key, network_of};
use crate::{Count, CountKey, Peer, Swap, Timestamp};

/// The counts of one try, loaded from a store that others share. They are judged by the same [`Throttle`] that counts where nothing
/// is shared, made for this one try.
#[derive(Debug)]
pub(crate) struct Loaded {
    keys: [CountKey; 4],
    counts: [Option<Count>; 4],
    throttle: Throttle,
}

impl Loaded {
    /// What a try depends on.
    pub(crate) fn keys(client: Peer, username: &str) -> [CountKey; 4] {
        let network = network_of(client);
        let pair = key("pair", network, username);
        [
            CountKey { kind: 'k', digest: pair },
            CountKey { kind: 'p', digest: pair },
            CountKey { kind: 'n', digest: key("network", network, "") },
            CountKey { kind: 'u', digest: key("user", NO_NETWORK, username) },
        ]
    }

    /// Counts as they were loaded; one that is missing has drained. Nothing if the limits make no sense, which they do.
    pub(crate) fn new(
        limits: ThrottleLimits,
        keys: [CountKey; 4],
        counts: &[Option<Count>],
        now: Timestamp,
    ) -> Option<Self> {
        // For four counts there is always room.
        let throttle = Throttle::new(ThrottleLimits { entries: 100, ..limits }).ok()?;
        let mut loaded = [None; 4];
        loaded.iter_mut().zip(counts).for_each(|(to, from)| *to = *from);
        let mut all = Self { keys, counts: loaded, throttle };
        for (CountKey { kind, digest }, count) in keys.into_iter().zip(loaded) {
            let Some(count) = count else { continue };
            match kind {
                'k' => all.throttle.known.put(digest, count.end, (), now),
                'p' => all.throttle.pairs.put(digest, count, now),
                'n' => all.throttle.networks.put(digest, count, now),
                _ => all.throttle.users.put(digest, count, now),
            }
        }
        Some(all)
    }

    /// As [`Throttle::charge`]; with the changes that make it so.
    pub(crate) fn charge(
        &mut self,
        client: Peer,
        username: &str,
        now: Timestamp,
    ) -> Result<(Charge, Vec<Swap>), Duration> {
        let charge = self.throttle.charge(client, username, now)?;
        Ok((Charge { elsewhere: Some(self.keys), ..charge }, self.changes()))
    }

    /// As [`Throttle::refund`]; gives the changes that make it so.
    pub(crate) fn refund(&mut self, charge: Charge, now: Timestamp) -> Vec<Swap> {
        self.throttle.refund(charge, now);
        self.changes()
    }

    fn changes(&self) -> Vec<Swap> {
        let swaps = self.keys.into_iter().zip(self.counts).map(|(key, was)| {
            let becomes = self.count(key.kind, &key.digest);
            Swap { key, was, becomes }
        });
        swaps.filter(|swap| swap.was != swap.becomes).collect()
    }

    fn count(&self, kind: char, digest: &Key) -> Option<Count> {
        match kind {
            'k' => self.throttle.known.peek(digest).map(|(end, ())| Count { end, last: end }),
            'p' => self.throttle.pairs.peek(digest),
            'n' => self.throttle.networks.peek(digest),
            _ => self.throttle.users.peek(digest),
        }
    }
}
