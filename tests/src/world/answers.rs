//! What the world answers: to the core itself, and as a store, of one gate or of several, as whoever knows users and
//! fetches keys.

use std::future::ready;

use authgate_core::{
    BodyError, Count, CountKey, Credentials, EndingsNews, EndingsSince, Head, Lookup, Session, SessionId,
    Step, Swap, Timestamp, Unavailable, UserStore, Verdict,
};
use authgate_tower::{Answer, KeyFetcher, SessionStore, SharedStore};
use http::header::{CONTENT_LENGTH, COOKIE};

use super::{State, World};

impl World {
    /// Answers whatever is asked about a request with this head and body. A body that is shorter than its head says has
    /// broken off.
    pub fn answer(&self, question: Step, head: &Head<'_>, body: &[u8]) -> Step {
        let now = self.now();
        match question {
            Step::Done(_) => question,
            Step::ReadBody(limit, then) => {
                let length = head.headers().text(&CONTENT_LENGTH).and_then(|length| length.parse().ok());
                let is_whole = length == Some(body.len());
                then.resume(if is_whole { limit.body(body.to_vec()) } else { Err(BodyError::Cut) }, now)
            }
            Step::AskBackend(backend, then) => {
                let cookie = head.headers().text(&COOKIE);
                then.resume(self.who(backend, cookie), now)
            }
            Step::FetchKeys(_, then) => then.resume(self.fetch_keys(), now),
            Step::CheckPassword(who, then) => {
                then.resume(self.check(&who.username, who.password.expose()), now)
            }
            Step::LookUpUser(user, then) => then.resume(self.look_up(&user), now),
            Step::DrawBytes(then) => then.resume(self.draw(), now),
            Step::LoadSession(id, then) => then.resume(self.load(id), now),
            Step::CreateSession(id, session, then) => then.resume(self.create(id, session), now),
            Step::RenewSession(id, session, then) => then.resume(self.renew(id, session), now),
            Step::DropSession(id, then) => then.resume(self.remove(id), now),
            Step::HearEndings(since, then) => then.resume(self.endings(&since), now),
            Step::LoadCounts(keys, then) => then.resume(self.counts(&keys), now),
            Step::SwapCounts(swaps, then) => then.resume(self.swap_counts(&swaps), now),
        }
    }

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
