use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::SessionId;
use crate::Timestamp;
use crate::sharing::Ending;

/// Sessions that have ended before their time: single ones by signing out, all of a user's at once.
///
/// Memory is bounded. When it is full, the oldest entry goes, and with it every session that is as old: people may have to
/// sign in again, but nobody comes back.
#[derive(Debug)]
pub(crate) struct Endings {
    /// How long a session can live at most; what ended that long ago has ended anyway.
    lifetime: Duration,
    /// By id: when the session was issued; where another gate has ended it, when the store was told, which is later.
    sessions: Aged<SessionId, ()>,
    /// By user: when all of the user's sessions were ended, and how many such endings there had been by then.
    users: Aged<String, u64>,
    /// How many times all sessions of somebody were ended.
    count: u64,
    /// The latest moment that a session was issued at, whatever the clock says since.
    latest: Timestamp,
    /// Whatever was issued up to here has ended.
    floor: Timestamp,
}

const NEVER: Timestamp = Timestamp::from_millis(i64::MIN);

impl Endings {
    pub(crate) fn new(capacity: usize, lifetime: Duration) -> Self {
        Self {
            lifetime,
            sessions: Aged::new(capacity),
            users: Aged::new(capacity),
            count: 0,
            latest: NEVER,
            floor: NEVER,
        }
    }

    /// Takes what a store that others share has told.
    pub(crate) fn hear(&mut self, endings: Vec<Ending>, now: Timestamp) {
        for ending in endings {
            let forgotten = match ending {
                Ending::Session { id, at } => self.sessions.insert(id, at, ()),
                Ending::User { user, until } => {
                    let (known, count) = self.users.get(&user).unwrap_or((NEVER, 0));
                    // What this gate has told the store itself comes back.
                    let count = if until > known { self.count + 1 } else { count };
                    self.count = self.count.max(count);
                    self.users.insert(user, until, count)
                }
            };
            self.raise_floor(forgotten);
        }
        self.sweep(now);
    }

    /// Remembers for as long as sessions live now, if that is longer than before.
    pub(crate) fn outlive(&mut self, lifetime: Duration) {
        self.lifetime = self.lifetime.max(lifetime);
    }

    /// Ends one session for good.
    pub(crate) fn end(&mut self, id: SessionId, issued: Timestamp, now: Timestamp) {
        self.sweep(now);
        let forgotten = self.sessions.insert(id, issued, ());
        self.raise_floor(forgotten);
    }

    /// Ends all sessions of a user that were issued up to the moment `until`; all there are, if the clock has stepped back
    /// since.
    pub(crate) fn end_user(&mut self, user: &str, until: Timestamp, now: Timestamp) {
        self.sweep(now);
        self.count += 1;
        let until = if now < self.latest { until.max(self.latest) } else { until };
        let forgotten = self.users.insert(user.to_owned(), until, self.count);
        self.raise_floor(forgotten);
    }

    /// How many times all sessions of somebody were ended.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// The moment to issue a session of this user at: now, but after everything that has been ended. Nothing if all of the
    /// user's sessions were ended since there had been `asked` such endings.
    pub(crate) fn issue(&mut self, user: &str, asked: u64, now: Timestamp) -> Option<Timestamp> {
        let (ended, count) = self.users.get(user).unwrap_or((NEVER, 0));
        (count <= asked).then_some(())?;
        let issued = now.max(ended.max(self.floor).after(Duration::from_millis(1)));
        self.latest = self.latest.max(issued);
        Some(issued)
    }

    /// Whether a session of this user, issued then, has not been ended.
    pub(crate) fn spare(&self, id: &SessionId, user: &str, issued: Timestamp) -> bool {
        issued > self.floor
            && self.users.get(user).is_none_or(|(ended, _)| issued > ended)
            && self.sessions.get(id).is_none()
    }

    fn sweep(&mut self, now: Timestamp) {
        let before = now.before(self.lifetime);
        // Should a clock have run ahead, whatever was that old then has ended as well.
        let forgotten = self.sessions.forget_until(before).max(self.users.forget_until(before));
        self.raise_floor(forgotten);
    }

    fn raise_floor(&mut self, forgotten: Option<Timestamp>) {
        self.floor = forgotten.map_or(self.floor, |forgotten| self.floor.max(forgotten));
    }
}

/// A bounded map of moments that can tell its oldest.
#[derive(Debug)]
struct Aged<K, V> {
    capacity: usize,
    moments: BTreeMap<K, (Timestamp, V)>,
    order: BTreeSet<(Timestamp, K)>,
}

impl<K: Ord + Clone, V: Copy> Aged<K, V> {
    fn new(capacity: usize) -> Self {
        Self { capacity, moments: BTreeMap::new(), order: BTreeSet::new() }
    }

    fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<(Timestamp, V)>
    where
        K: Borrow<Q>,
    {
        self.moments.get(key).copied()
    }

    /// Keeps the later of two moments, and this value; tells the moment of the entry that had to go for it, if one had to.
    fn insert(&mut self, key: K, moment: Timestamp, value: V) -> Option<Timestamp> {
        let known = self.moments.get(&key).map(|&(known, _)| known);
        let moment = known.map_or(moment, |known| known.max(moment));
        if let Some(known) = known {
            self.order.remove(&(known, key.clone()));
        }
        self.moments.insert(key.clone(), (moment, value));
        self.order.insert((moment, key));
        (self.moments.len() > self.capacity).then(|| self.remove_oldest()).flatten()
    }

    /// Forgets what is as old as `moment`; tells the last of it.
    fn forget_until(&mut self, moment: Timestamp) -> Option<Timestamp> {
        let mut last = None;
        while self.order.first().is_some_and(|(oldest, _)| *oldest <= moment) {
            last = self.remove_oldest();
        }
        last
    }

    fn remove_oldest(&mut self) -> Option<Timestamp> {
        let (moment, key) = self.order.pop_first()?;
        self.moments.remove(&key);
        Some(moment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::id::SessionSecret;

    fn id(number: u8) -> SessionId {
        SessionSecret::new([number; 32]).id()
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_secs(seconds)
    }

    fn endings(capacity: usize) -> Endings {
        Endings::new(capacity, Duration::from_hours(12))
    }

    #[test]
    fn t23_an_ended_session_stays_ended_and_others_do_not_end_with_it() {
        let mut endings = endings(10);
        endings.end(id(1), at(100), at(200));
        assert!(!endings.spare(&id(1), "ada", at(100)));
        assert!(endings.spare(&id(2), "ada", at(100)));
        endings.end(id(3), at(100), at(100 + 11 * 3600));
        assert!(!endings.spare(&id(1), "ada", at(100)));
    }

    #[test]
    fn all_sessions_of_a_user_end_and_new_ones_do_not() {
        let mut endings = endings(10);
        endings.end_user("ada", at(100), at(100));
        assert!(!endings.spare(&id(1), "ada", at(100)) && !endings.spare(&id(1), "ada", at(99)));
        assert!(endings.spare(&id(1), "bob", at(99)));
        let issued = endings.issue("ada", 1, at(100)).unwrap();
        assert!(endings.spare(&id(2), "ada", issued) && issued > at(100));
        assert_eq!(endings.issue("ada", 1, at(200)), Some(at(200)));
    }

    #[test]
    fn t23_a_clock_that_steps_back_revives_nobody() {
        let mut endings = endings(10);
        let issued = endings.issue("ada", 0, at(100)).unwrap();
        endings.end_user("ada", at(50), at(50));
        assert!(!endings.spare(&id(1), "ada", issued));
        let again = endings.issue("ada", 1, at(50)).unwrap();
        assert!(endings.spare(&id(2), "ada", again));
        endings.end_user("ada", at(50), at(50));
        assert!(!endings.spare(&id(2), "ada", again));
    }

    #[test]
    fn sessions_that_began_since_are_not_ended() {
        let mut endings = endings(10);
        let since = endings.issue("ada", 0, at(101)).unwrap();
        endings.end_user("ada", at(100), at(102));
        assert!(endings.spare(&id(1), "ada", since) && !endings.spare(&id(2), "ada", at(100)));
    }

    #[test]
    fn t23_whoever_was_asked_about_before_the_ending_gets_no_session_after_it() {
        let mut endings = endings(10);
        let asked = endings.count();
        endings.end_user("ada", at(100), at(100));
        assert_eq!(endings.issue("ada", asked, at(200)), None);
        assert_eq!(endings.issue("bob", asked, at(200)), Some(at(200)));
        assert_eq!(endings.issue("ada", endings.count(), at(200)), Some(at(200)));
    }

    #[test]
    fn t23_a_full_memory_ends_more_and_never_less() {
        let mut endings = endings(2);
        for number in 1..=4 {
            endings.end(id(number), at(i64::from(number)), at(10));
        }
        for number in 1..=4 {
            assert!(!endings.spare(&id(number), "ada", at(i64::from(number))), "{number}");
        }
        assert!(!endings.spare(&id(9), "bob", at(2)), "as old as what was forgotten");
        assert!(endings.spare(&id(9), "bob", at(3)));
        assert_eq!(endings.sessions.moments.len(), 2);
        assert_eq!(endings.sessions.order.len(), 2);
    }

    #[test]
    fn what_would_have_ended_anyway_is_forgotten() {
        let mut endings = endings(10);
        endings.end(id(1), at(0), at(10));
        endings.end_user("ada", at(10), at(10));
        endings.end(id(2), at(13 * 3600), at(13 * 3600));
        assert_eq!((endings.sessions.moments.len(), endings.users.moments.len()), (1, 0));
        assert!(!endings.spare(&id(1), "bob", at(0)), "whatever is as old as what was forgotten");
    }

    #[test]
    fn what_comes_back_from_a_store_counts_once() {
        let mut endings = endings(10);
        endings.end_user("ada", at(100), at(100));
        let ending = |until| Ending::User { user: "ada".to_owned(), until: at(until) };
        endings.hear(vec![ending(100), ending(99)], at(100));
        assert_eq!(endings.count(), 1);
        assert!(endings.issue("ada", 1, at(200)).is_some());
        endings.hear(vec![ending(101)], at(102));
        assert_eq!(endings.count(), 2);
        assert!(endings.issue("ada", 1, at(200)).is_none());
    }

    #[test]
    fn where_sessions_live_longer_than_before_endings_are_remembered_longer() {
        let mut endings = Endings::new(10, Duration::from_hours(1));
        endings.outlive(Duration::from_hours(10));
        endings.end(id(1), at(100), at(100));
        endings.end(id(2), at(7300), at(7300));
        assert!(endings.spare(&id(3), "ada", at(90)), "nothing had to be forgotten");
        endings.outlive(Duration::from_hours(1));
        endings.end(id(4), at(9000), at(9000));
        assert!(endings.spare(&id(3), "ada", at(90)), "nor for a shorter time");
    }

    #[test]
    fn a_session_that_has_just_begun_outlives_an_ending_of_those_before() {
        let mut endings = endings(10);
        let issued = endings.issue("ada", 0, at(100)).unwrap();
        endings.end_user("ada", at(50), at(100));
        assert!(endings.spare(&id(1), "ada", issued), "the clock has not stepped back");
    }
}
