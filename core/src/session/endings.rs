use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::SessionId;
use crate::Timestamp;

/// Sessions that have ended before their time: single ones by signing out, all of a user's at once.
///
/// Memory is bounded. When it is full, the oldest entry goes, and with it every session that is as old: people may have to
/// sign in again, but nobody comes back.
#[derive(Debug)]
pub(crate) struct Endings {
    /// How long a session can live at most; what ended that long ago has ended anyway.
    lifetime: Duration,
    /// By id: when the session was issued.
    sessions: Aged<SessionId>,
    /// By user: when all of the user's sessions were ended.
    users: Aged<String>,
    /// Whatever was issued up to here has ended.
    floor: Timestamp,
}

impl Endings {
    pub(crate) fn new(capacity: usize, lifetime: Duration) -> Self {
        let floor = Timestamp::from_millis(i64::MIN);
        Self { lifetime, sessions: Aged::new(capacity), users: Aged::new(capacity), floor }
    }

    /// Ends one session for good.
    pub(crate) fn end(&mut self, id: SessionId, issued: Timestamp, now: Timestamp) {
        self.sweep(now);
        let forgotten = self.sessions.insert(id, issued);
        self.raise_floor(forgotten);
    }

    /// Ends all sessions of a user that were issued until now.
    pub(crate) fn end_user(&mut self, user: &str, now: Timestamp) {
        self.sweep(now);
        let forgotten = self.users.insert(user.to_owned(), now);
        self.raise_floor(forgotten);
    }

    /// Whether a session of this user, issued then, has not been ended.
    pub(crate) fn spare(&self, id: &SessionId, user: &str, issued: Timestamp) -> bool {
        issued > self.floor
            && self.users.get(user).is_none_or(|ended| issued > ended)
            && self.sessions.get(id).is_none()
    }

    /// The moment to issue a session of this user at: now, but after everything that has been ended.
    pub(crate) fn moment_to_issue(&self, user: &str, now: Timestamp) -> Timestamp {
        let ended = self.users.get(user).unwrap_or(self.floor).max(self.floor);
        now.max(ended.after(Duration::from_millis(1)))
    }

    fn sweep(&mut self, now: Timestamp) {
        let before = now.before(self.lifetime);
        self.sessions.forget_until(before);
        self.users.forget_until(before);
    }

    fn raise_floor(&mut self, forgotten: Option<Timestamp>) {
        self.floor = forgotten.map_or(self.floor, |forgotten| self.floor.max(forgotten));
    }
}

/// A bounded map of moments that can tell its oldest.
#[derive(Debug)]
struct Aged<K> {
    capacity: usize,
    moments: BTreeMap<K, Timestamp>,
    order: BTreeSet<(Timestamp, K)>,
}

impl<K: Ord + Clone> Aged<K> {
    fn new(capacity: usize) -> Self {
        Self { capacity, moments: BTreeMap::new(), order: BTreeSet::new() }
    }

    fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<Timestamp>
    where
        K: std::borrow::Borrow<Q>,
    {
        self.moments.get(key).copied()
    }

    /// Keeps the later of two moments; tells the moment of the entry that had to go for it, if one had to.
    fn insert(&mut self, key: K, moment: Timestamp) -> Option<Timestamp> {
        let known = self.moments.get(&key).copied();
        if known.is_some_and(|known| known >= moment) {
            return None;
        }
        if let Some(known) = known {
            self.order.remove(&(known, key.clone()));
        }
        self.moments.insert(key.clone(), moment);
        self.order.insert((moment, key));
        (self.moments.len() > self.capacity).then(|| self.remove_oldest()).flatten()
    }

    fn forget_until(&mut self, moment: Timestamp) {
        while self.order.first().is_some_and(|(oldest, _)| *oldest <= moment) {
            self.remove_oldest();
        }
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
        endings.end_user("ada", at(100));
        assert!(!endings.spare(&id(1), "ada", at(100)) && !endings.spare(&id(1), "ada", at(99)));
        assert!(endings.spare(&id(1), "bob", at(99)));
        let issued = endings.moment_to_issue("ada", at(100));
        assert!(endings.spare(&id(2), "ada", issued) && issued > at(100));
        assert_eq!(endings.moment_to_issue("ada", at(200)), at(200));
        endings.end_user("ada", at(50));
        assert!(!endings.spare(&id(1), "ada", at(100)), "a clock that steps back revives nobody");
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
        endings.end_user("ada", at(10));
        endings.end(id(2), at(13 * 3600), at(13 * 3600));
        assert_eq!((endings.sessions.moments.len(), endings.users.moments.len()), (1, 0));
        assert_eq!(endings.floor, Timestamp::from_millis(i64::MIN));
    }
}
