use std::time::Duration;

use super::bounded::Bounded;
use super::{Key, ThrottleLimits};
use crate::{Count, Timestamp};

/// The counts of one kind. A count that has drained is not kept.
///
/// A bucket is two moments: when the last of its charges will have drained, which is its end in [`Bounded`], and when
/// the last try was. Every charge moves the end on by `longest_delay`, so what is left until the end tells how many
/// charges there are.
#[derive(Debug)]
pub(super) struct Buckets {
    last_tries: Bounded<Timestamp>,
    limits: ThrottleLimits,
}

impl Buckets {
    pub(super) fn new(limits: ThrottleLimits) -> Self {
        let longest = limits.longest_delay.saturating_mul(limits.highest_level());
        Self { last_tries: Bounded::new(limits.entries, longest), limits }
    }

    /// How long until a try is allowed; zero if one is allowed now.
    pub(super) fn wait(&mut self, key: &Key, now: Timestamp) -> Duration {
        let Some((end, last)) = self.last_tries.get(key, now) else { return Duration::ZERO };
        // After the clock was set back, the last try was now, from now on: nobody waits longer than the longest delay.
        *last = now.min(*last);
        let left = end.time_left(now).as_millis().div_ceil(self.limits.longest_delay.as_millis());
        let level = u32::try_from(left).unwrap_or(u32::MAX);
        last.after(self.limits.delay(level)).time_left(now)
    }

    /// Counts a try.
    pub(super) fn charge(&mut self, key: Key, now: Timestamp) {
        let end = self.last_tries.get(&key, now).map_or(now, |(end, _)| end);
        self.last_tries.put(key, end.after(self.limits.longest_delay), now, now);
    }

    /// Takes one charge back. The moment of the last try stays: a try it was.
    pub(super) fn refund(&mut self, key: Key, now: Timestamp) {
        if let Some((end, &mut last)) = self.last_tries.get(&key, now) {
            self.last_tries.put(key, before(end, self.limits.longest_delay), last, now);
        }
    }

    /// The count of `key`, as it is kept elsewhere.
    pub(super) fn peek(&self, key: &Key) -> Option<Count> {
        self.last_tries.peek(key).map(|(end, &last)| Count { end, last })
    }

    /// Goes on from a count that was kept elsewhere.
    pub(super) fn put(&mut self, key: Key, count: Count, now: Timestamp) {
        self.last_tries.put(key, count.end, count.last, now);
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.last_tries.len()
    }
}

fn before(moment: Timestamp, span: Duration) -> Timestamp {
    let span = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
    Timestamp::from_millis(moment.as_millis().saturating_sub(span))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: Key = [7; 16];

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_secs(1_800_000_000).after(Duration::from_secs(seconds))
    }

    /// The waits in seconds of somebody who fails, waits as long as they are told, and fails again.
    fn waits(buckets: &mut Buckets, tries: usize) -> Vec<u64> {
        let mut now = at(0);
        let mut told = Vec::new();
        for _ in 0..tries {
            let wait = buckets.wait(&KEY, now);
            told.push(wait.as_secs());
            now = now.after(wait);
            assert_eq!(buckets.wait(&KEY, now), Duration::ZERO, "who waited as told is let try");
            buckets.charge(KEY, now);
        }
        told
    }

    #[test]
    fn t28_delays_double_up_to_the_longest_and_stay() {
        let mut buckets = Buckets::new(ThrottleLimits::default());
        assert_eq!(waits(&mut buckets, 10), [0; 10]);
        let mut buckets = Buckets::new(ThrottleLimits::default());
        // The first failure has drained when the first 512 seconds are over, the second when the second are.
        let doubling = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 512, 900, 900, 900, 900, 900];
        assert_eq!(waits(&mut buckets, 26)[10..], doubling);
        assert_eq!(waits(&mut Buckets::new(ThrottleLimits::default()), 500)[21..], [900; 479]);
    }

    #[test]
    fn a_failure_drains_every_longest_delay() {
        let mut buckets = Buckets::new(ThrottleLimits::default());
        for _ in 0..10 {
            buckets.charge(KEY, at(0));
        }
        assert_eq!(buckets.wait(&KEY, at(0)), Duration::from_secs(1));
        buckets.charge(KEY, at(899));
        assert_eq!(buckets.wait(&KEY, at(899)), Duration::from_secs(2));
        // Ten are left, and the last try was a second ago.
        assert_eq!(buckets.wait(&KEY, at(900)), Duration::ZERO);
        buckets.charge(KEY, at(900 * 11 - 1));
        assert_eq!(buckets.len(), 1);
        assert_eq!(buckets.wait(&KEY, at(900 * 12)), Duration::ZERO);
        buckets.charge([8; 16], at(900 * 12));
        assert_eq!(buckets.len(), 1, "what has drained is not kept");
    }

    #[test]
    fn a_clock_set_back_delays_nobody_for_longer_than_the_longest_delay() {
        for back in [1, 60, 3600, 1_000_000_000] {
            let mut buckets = Buckets::new(ThrottleLimits::default());
            let later = at(back);
            for _ in 0..10 {
                buckets.charge(KEY, later);
            }
            for _ in 0..30 {
                let wait = buckets.wait(&KEY, later);
                buckets.charge(KEY, later.after(wait));
            }
            let wait = buckets.wait(&KEY, at(0));
            assert_eq!(wait, Duration::from_mins(15), "set back by {back} s");
            assert_eq!(buckets.wait(&KEY, at(100)), Duration::from_secs(800), "the wait passes while asking");
            assert_eq!(buckets.wait(&KEY, at(900)), Duration::ZERO);
            assert_eq!(buckets.wait(&KEY, at(900 * 20)), Duration::ZERO);
            buckets.charge([8; 16], at(900 * 20));
            assert_eq!(buckets.len(), 1, "it drained as fast as any other");
        }
    }

    #[test]
    fn a_refund_takes_one_charge_and_leaves_the_others() {
        let mut buckets = Buckets::new(ThrottleLimits::default());
        for _ in 0..11 {
            buckets.charge(KEY, at(0));
        }
        buckets.refund(KEY, at(0));
        assert_eq!(buckets.wait(&KEY, at(0)), Duration::from_secs(1));
        buckets.refund(KEY, at(0));
        assert_eq!(buckets.wait(&KEY, at(0)), Duration::ZERO);
        buckets.charge(KEY, at(0));
        assert_eq!(buckets.wait(&KEY, at(0)), Duration::from_secs(1));
        for _ in 0..20 {
            buckets.refund(KEY, at(0));
        }
        assert_eq!(buckets.len(), 0);
    }
}
