use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::Key;
use crate::Timestamp;

/// How many ended entries leave whenever one is put in. More than one, so that they leave faster than they come.
const SWEPT_AT_ONCE: usize = 4;

/// A map of bounded size, whose entries end by themselves.
#[derive(Debug)]
pub(super) struct Bounded<V> {
    entries: BTreeMap<Key, (Timestamp, V)>,
    /// The same entries by their ends: the first is the next to leave.
    ends: BTreeSet<(Timestamp, Key)>,
    most: usize,
    longest: Duration,
}

impl<V> Bounded<V> {
    /// Holds `most` entries, none of which lasts longer than `longest`.
    pub(super) fn new(most: usize, longest: Duration) -> Self {
        Self { entries: BTreeMap::new(), ends: BTreeSet::new(), most, longest }
    }

    /// The end and the value of an entry that has not ended.
    ///
    /// An entry that would last too long was put in before the clock was set back. It is shortened for good: shortened
    /// anew at every look, it would never end.
    pub(super) fn get(&mut self, key: &Key, now: Timestamp) -> Option<(Timestamp, &mut V)> {
        let (end, value) = self.entries.get_mut(key)?;
        let latest = now.after(self.longest);
        if *end > latest {
            self.ends.remove(&(*end, *key));
            self.ends.insert((latest, *key));
            *end = latest;
        }
        (*end > now).then_some((*end, value))
    }

    /// Puts an entry in, in place of the one with the same key. What has already ended is not kept.
    pub(super) fn put(&mut self, key: Key, end: Timestamp, value: V, now: Timestamp) {
        if let Some((old, _)) = self.entries.remove(&key) {
            self.ends.remove(&(old, key));
        }
        self.sweep(now);
        if end <= now {
            return;
        }
        if self.entries.len() >= self.most {
            self.make_room(now);
        }
        self.entries.insert(key, (end, value));
        self.ends.insert((end, key));
    }

    /// An entry as it stands, if there is one.
    pub(super) fn peek(&self, key: &Key) -> Option<(Timestamp, &V)> {
        self.entries.get(key).map(|(end, value)| (*end, value))
    }

    fn sweep(&mut self, now: Timestamp) {
        for _ in 0..SWEPT_AT_ONCE {
            if self.ends.first().is_none_or(|(end, _)| *end > now) {
                return;
            }
            self.drop_entry(true);
        }
    }

    /// Drops the entry that ends first. Ends beyond `longest` are left from before the clock was set back; they would
    /// outlive all others, so they go before.
    fn make_room(&mut self, now: Timestamp) {
        let latest = now.after(self.longest);
        let left_behind = self.ends.last().is_some_and(|(end, _)| *end > latest);
        self.drop_entry(!left_behind);
    }

    fn drop_entry(&mut self, first: bool) {
        let dropped = if first { self.ends.pop_first() } else { self.ends.pop_last() };
        if let Some((_, key)) = dropped {
            self.entries.remove(&key);
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        assert_eq!(self.entries.len(), self.ends.len(), "both indexes hold the same entries");
        self.entries.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_secs(seconds)
    }

    fn key(number: u32) -> Key {
        let mut key = [0; 16];
        key[..4].copy_from_slice(&number.to_be_bytes());
        key
    }

    #[test]
    fn entries_end_and_make_room() {
        let mut map = Bounded::new(100, Duration::from_secs(10));
        for number in 0..50 {
            map.put(key(number), at(10), number, at(0));
        }
        assert_eq!(map.get(&key(7), at(9)), Some((at(10), &mut 7)));
        assert_eq!(map.get(&key(7), at(10)), None);
        map.put(key(7), at(20), 70, at(10));
        assert_eq!(map.len(), 46, "four ended ones and the replaced one left, one came");
        for number in 100..112 {
            map.put(key(number), at(20), number, at(10));
        }
        assert_eq!(map.len(), 13, "they leave faster than others come");
    }

    #[test]
    fn what_ends_first_makes_room() {
        let mut map = Bounded::new(3, Duration::from_secs(10));
        for (number, end) in [(1, 5), (2, 3), (3, 4), (4, 2)] {
            map.put(key(number), at(end), (), at(0));
        }
        assert_eq!(map.len(), 3);
        assert!(map.get(&key(2), at(0)).is_none());
        assert!(map.get(&key(4), at(0)).is_some(), "what comes in stays in");
        map.put(key(1), at(6), (), at(0));
        assert_eq!(map.len(), 3);
        assert!(map.get(&key(3), at(0)).is_some(), "a replaced entry needs no room");
    }

    #[test]
    fn what_a_clock_set_back_leaves_behind_ends_in_time_and_makes_room_first() {
        let mut map = Bounded::new(2, Duration::from_secs(10));
        map.put(key(1), at(1_000_000), (), at(999_995));
        map.put(key(2), at(1_000_001), (), at(999_995));
        assert_eq!(map.get(&key(1), at(0)), Some((at(10), &mut ())));
        assert_eq!(map.get(&key(1), at(9)), Some((at(10), &mut ())), "shortened once, not at every look");
        assert_eq!(map.get(&key(1), at(10)), None);
        map.put(key(3), at(3), (), at(0));
        assert_eq!(map.len(), 2);
        assert!(map.get(&key(1), at(0)).is_some());
        assert!(map.get(&key(2), at(0)).is_none());
    }

    #[test]
    fn an_entry_that_lasts_as_long_as_any_may_is_not_left_behind() {
        let mut map = Bounded::new(2, Duration::from_secs(10));
        for (number, end) in [(1, 10), (2, 5), (3, 6)] {
            map.put(key(number), at(end), (), at(0));
        }
        assert!(map.get(&key(1), at(0)).is_some() && map.get(&key(2), at(0)).is_none());
    }
}
