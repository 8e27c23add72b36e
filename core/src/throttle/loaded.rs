use std::time::Duration;

use super::{Charge, Key, NO_NETWORK, Throttle, ThrottleLimits, key, network_of};
use crate::{Count, CountKey, Peer, Swap, Timestamp};

/// The counts of one try, loaded from a store that others share. They are judged by the same [`Throttle`] that counts
/// where nothing is shared, made for this one try.
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

    /// Counts as they were loaded; one that is missing has drained. Nothing if the limits make no sense; they were
    /// checked as the gate was built.
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
        Ok((Charge { elsewhere: Some(self.keys), ..charge }, self.changes(now)))
    }

    /// As [`Throttle::refund`]; gives the changes that make it so.
    pub(crate) fn refund(&mut self, charge: Charge, now: Timestamp) -> Vec<Swap> {
        self.throttle.refund(charge, now);
        self.changes(now)
    }

    fn changes(&self, now: Timestamp) -> Vec<Swap> {
        let swaps = self.keys.into_iter().zip(self.counts).map(|(key, was)| {
            let becomes = self.count(key.kind, &key.digest);
            let lasts = becomes.map_or(Duration::ZERO, |count| count.end.time_left(now));
            Swap { key, was, becomes, lasts }
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    /// Counts where others share them: a store that forgets what has drained.
    #[derive(Default)]
    struct Store(BTreeMap<CountKey, Count>);

    impl Store {
        fn load(&mut self, keys: [CountKey; 4], now: Timestamp) -> Vec<Option<Count>> {
            self.0.retain(|_, count| now < count.end);
            keys.iter().map(|key| self.0.get(key).copied()).collect()
        }

        fn swap(&mut self, swaps: Vec<Swap>) {
            for Swap { key, was, becomes, .. } in swaps {
                assert_eq!(self.0.get(&key).copied(), was);
                match becomes {
                    Some(count) => self.0.insert(key, count),
                    None => self.0.remove(&key),
                };
            }
        }
    }

    fn limits() -> ThrottleLimits {
        let seconds = Duration::from_secs;
        ThrottleLimits {
            tries: 3,
            first_delay: seconds(1),
            longest_delay: seconds(5),
            remember: seconds(12),
            ..ThrottleLimits::default()
        }
    }

    proptest! {
        /// Whoever is let try here is let try there, and waits as long.
        #[test]
        fn t28_counts_that_are_shared_are_counted_as_those_of_one_process(
            tries in prop::collection::vec((0_u8..3, 0_u8..3, any::<bool>(), 0_u64..7000), 1..60)
        ) {
            let mut alone = Throttle::new(limits()).unwrap();
            let mut store = Store::default();
            let mut now = Timestamp::from_secs(1_800_000_000);
            for (client, user, is_right, pause) in tries {
                now = now.after(Duration::from_millis(pause));
                let client = Peer::from(std::net::IpAddr::from([192, 0, 2, client]));
                let user = format!("user {user}");
                let keys = Loaded::keys(client, &user);
                let counts = store.load(keys, now);
                let mut loaded = Loaded::new(limits(), keys, &counts, now).unwrap();
                match (alone.charge(client, &user, now), loaded.charge(client, &user, now)) {
                    (Err(here), Err(there)) => prop_assert_eq!(here, there),
                    (Ok(here), Ok((there, swaps))) => {
                        store.swap(swaps);
                        if is_right {
                            alone.refund(here, now);
                            let counts = store.load(keys, now);
                            store.swap(Loaded::new(limits(), keys, &counts, now).unwrap().refund(there, now));
                        }
                    }
                    (here, there) => prop_assert!(false, "{here:?} here, {there:?} there"),
                }
            }
        }
    }

    #[test]
    fn a_stranger_is_counted_by_network_and_name_and_who_has_signed_in_there_as_a_pair() {
        let now = Timestamp::from_secs(1_800_000_000);
        let client = Peer::from(std::net::IpAddr::from([192, 0, 2, 1]));
        let keys = Loaded::keys(client, "ada");
        let kinds = |swaps: &[Swap]| swaps.iter().map(|swap| swap.key.kind).collect::<String>();
        let mut loaded = Loaded::new(limits(), keys, &[None; 4], now).unwrap();
        let (charge, swaps) = loaded.charge(client, "ada", now).unwrap();
        assert_eq!(kinds(&swaps), "nu");
        assert!(swaps.iter().all(|swap| swap.was.is_none() && swap.becomes.is_some()));
        assert!(kinds(&loaded.refund(charge, now)).starts_with('k'));

        let end = now.after(Duration::from_secs(10));
        let known = [Some(Count { end, last: end }), None, None, None];
        let mut loaded = Loaded::new(limits(), keys, &known, now).unwrap();
        let (_, swaps) = loaded.charge(client, "ada", now).unwrap();
        assert!(kinds(&swaps).contains('p'), "{swaps:?}");
    }
}
