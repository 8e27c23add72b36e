//! The world as a store, of one gate or of several, and as whoever knows users and fetches keys.

use std::future::ready;

use authgate_core::{
    Count, CountKey, Credentials, EndingsNews, EndingsSince, Lookup, Session, SessionId, Swap, Timestamp,
    Unavailable, UserStore, Verdict,
};
use authgate_tower::{Answer, KeyFetcher, SessionStore, SharedStore};

use super::{State, World};

impl World {
    /// The session of this id.
    pub fn load(&self, id: SessionId) -> Result<Option<Session>, Unavailable> {
        self.stored("LoadSession", |state| state.store.load(&id, state.now))
    }

    /// Keeps a new session.
    pub fn create(&self, id: SessionId, session: Session) -> Result<bool, Unavailable> {
        self.stored("CreateSession", |state| state.store.create(id, session, state.now))
    }

    /// Replaces a session.
    pub fn renew(&self, id: SessionId, session: Session) -> Result<bool, Unavailable> {
        self.stored("RenewSession", |state| state.store.renew(id, session, state.now))
    }

    /// Removes a session, and tells so.
    pub fn remove(&self, id: SessionId) -> Result<(), Unavailable> {
        self.stored("DropSession", |state| {
            state.store.remove(&id, state.now);
            state.shared.end(id, state.now);
        })
    }

    /// What has ended since.
    pub fn endings(&self, since: &EndingsSince) -> Result<EndingsNews, Unavailable> {
        self.stored("HearEndings", |state| state.shared.endings(since, state.now))
    }

    /// Counts of tries to sign in.
    pub fn counts(&self, keys: &[CountKey]) -> Result<Vec<Option<Count>>, Unavailable> {
        self.stored("LoadCounts", |state| state.shared.counts(keys, state.now))
    }

    /// Changes counts.
    pub fn swap_counts(&self, swaps: &[Swap]) -> Result<bool, Unavailable> {
        self.stored("SwapCounts", |state| state.shared.swap(swaps, state.now))
    }

    fn stored<T>(&self, question: &str, act: impl FnOnce(&mut State) -> T) -> Result<T, Unavailable> {
        self.up(question)?;
        Ok(act(&mut self.state()))
    }
}

impl SessionStore for World {
    fn load(&self, id: SessionId, _: Timestamp) -> Answer<'_, Option<Session>> {
        at_once(Self::load(self, id))
    }

    fn create(&self, id: SessionId, session: Session, _: Timestamp) -> Answer<'_, bool> {
        at_once(Self::create(self, id, session))
    }

    fn renew(&self, id: SessionId, session: Session, _: Timestamp) -> Answer<'_, bool> {
        at_once(Self::renew(self, id, session))
    }

    fn remove(&self, id: SessionId, _: Timestamp) -> Answer<'_, ()> {
        at_once(Self::remove(self, id))
    }
}

impl SharedStore for World {
    fn endings(&self, since: EndingsSince) -> Answer<'_, EndingsNews> {
        at_once(Self::endings(self, &since))
    }

    fn end_user(&self, user: String, _: std::time::Duration) -> Answer<'_, ()> {
        at_once(Err(Unavailable::new(format!("no dialogue ends all sessions of {user}"))))
    }

    fn counts(&self, keys: Vec<CountKey>) -> Answer<'_, Vec<Option<Count>>> {
        at_once(Self::counts(self, &keys))
    }

    fn swap_counts(&self, swaps: Vec<Swap>) -> Answer<'_, bool> {
        at_once(Self::swap_counts(self, &swaps))
    }
}

impl UserStore for World {
    fn check(&self, credentials: &Credentials) -> Result<Verdict, Unavailable> {
        Self::check(self, &credentials.username, credentials.password.expose())
    }

    fn look_up(&self, user: &str) -> Result<Lookup, Unavailable> {
        Self::look_up(self, user)
    }
}

impl KeyFetcher for World {
    fn fetch(&self) -> Answer<'_, ()> {
        at_once(self.fetch_keys())
    }
}

fn at_once<T: Send + 'static>(answer: Result<T, Unavailable>) -> Answer<'static, T> {
    Box::pin(ready(answer))
}
