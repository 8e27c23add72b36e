use std::collections::{BTreeMap, BTreeSet};

use smol_str::SmolStr;

use super::{Session, SessionId};
use crate::Timestamp;

/// Sessions as records in this process's memory: bounded, and swept as steps happen.
///
/// What a store must keep, this one and any other:
///
/// - `create` fails on an id that exists, and leaves that session as it was;
/// - `renew` fails on an id that does not exist (any more): a session that was dropped in the meantime never comes back;
/// - `remove` holds for good, at once, for everybody who shares the store;
/// - a session is not given back after its [`until`](Session::until).
///
/// A false "there is none" makes somebody sign in again; a session that should be gone lets somebody in.
///
/// A record takes about 700 bytes for a user with short names. When there is no room left, the session that would end
/// first goes. A user has at most 100 sessions: with the next one, the oldest of them goes, so that nobody washes others
/// out.
#[derive(Debug)]
pub struct MemoryStore {
    capacity: usize,
    sessions: BTreeMap<SessionId, Session>,
    order: BTreeSet<(Timestamp, SessionId)>,
    /// Each user's sessions, by when they began.
    users: BTreeSet<(SmolStr, Timestamp, SessionId)>,
}

/// The most sessions that one user has.
const MOST_OF_A_USER: usize = 100;

impl MemoryStore {
    /// A store for at most `capacity` sessions.
    pub fn new(capacity: usize) -> Self {
        Self {
            capacity: capacity.max(1),
            sessions: BTreeMap::new(),
            order: BTreeSet::new(),
            users: BTreeSet::new(),
        }
    }

    /// Keeps a new session; `false` if there is one of this id already.
    pub fn create(&mut self, id: SessionId, session: Session, now: Timestamp) -> bool {
        self.sweep(now);
        if self.sessions.contains_key(&id) {
            return false;
        }
        if let Some(oldest) = self.one_too_many(&session.user.id) {
            self.take(&oldest);
        }
        if self.sessions.len() >= self.capacity {
            self.remove_first();
        }
        self.put(id, session);
        true
    }

    /// The session of this id, unless it has ended.
    pub fn load(&mut self, id: &SessionId, now: Timestamp) -> Option<Session> {
        self.sweep(now);
        self.sessions.get(id).cloned()
    }

    /// Replaces a session; `false` if there is none of this id.
    pub fn renew(&mut self, id: SessionId, session: Session, now: Timestamp) -> bool {
        self.sweep(now);
        let known = self.take(&id);
        if known {
            self.put(id, session);
        }
        known
    }

    /// Removes a session, if there is one.
    pub fn remove(&mut self, id: &SessionId, now: Timestamp) {
        self.sweep(now);
        self.take(id);
    }

    /// How many sessions there are.
    pub fn len(&self) -> usize {
        self.sessions.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.sessions.is_empty()
    }

    /// Removes what has ended: every session is put in once and taken out once, so this costs next to nothing a step.
    fn sweep(&mut self, now: Timestamp) {
        while self.order.first().is_some_and(|(until, _)| *until <= now) {
            self.remove_first();
        }
    }

    /// A user's oldest session, if there is no room for another one of theirs.
    fn one_too_many(&self, user: &str) -> Option<SessionId> {
        let first = (SmolStr::from(user), Timestamp::from_millis(i64::MIN), SessionId::FIRST);
        let mut theirs = self.users.range(first..).take_while(|(other, ..)| other == user);
        let (_, _, oldest) = theirs.next()?;
        // As many again as there may be beside the oldest and the new one.
        theirs.nth(MOST_OF_A_USER - 2).map(|_| *oldest)
    }

    fn put(&mut self, id: SessionId, session: Session) {
        self.order.insert((session.until, id));
        self.users.insert((session.user.id.clone(), session.issued, id));
        self.sessions.insert(id, session);
    }

    fn take(&mut self, id: &SessionId) -> bool {
        let Some(session) = self.sessions.remove(id) else { return false };
        self.users.remove(&(session.user.id.clone(), session.issued, *id));
        self.order.remove(&(session.until, *id))
    }

    fn remove_first(&mut self) {
        if let Some(&(_, id)) = self.order.first() {
            self.take(&id);
        }
    }
}

impl Default for MemoryStore {
    /// A store for 100 000 sessions: about 70 MB when it is full.
    fn default() -> Self {
        Self::new(100_000)
    }
}
