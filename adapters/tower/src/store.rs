use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use authgate_core::{MemoryStore, Session, SessionId, Timestamp, Unavailable};

/// An answer that may take a while.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, Unavailable>> + Send + 'a>>;

/// Where sessions are kept as records, if not in this process's memory.
///
/// What it must keep stands at [`MemoryStore`]. `create` and `renew` must each be one atomic step (in Redis, `SET` with `NX`
/// or `XX`), and what has passed its [`until`](Session::until) may be forgotten. A record that cannot be read, because
/// another version wrote it, is none: an error would be 503 for its holder, again and again. Every call is cut off at the layer's deadline, and a panic is caught; both
/// are "could not ask".
pub trait SessionStore: Send + Sync + 'static {
    /// The session of this id, unless it has ended.
    fn load(&self, id: SessionId, now: Timestamp) -> Answer<'_, Option<Session>>;

    /// Keeps a new session; `false` if there is one of this id already, which stays as it was.
    fn create(&self, id: SessionId, session: Session, now: Timestamp) -> Answer<'_, bool>;

    /// Replaces a session; `false` if there is none of this id (any more), and then none is made.
    fn renew(&self, id: SessionId, session: Session, now: Timestamp) -> Answer<'_, bool>;

    /// Removes a session for good, if there is one.
    fn remove(&self, id: SessionId, now: Timestamp) -> Answer<'_, ()>;
}

/// A [`MemoryStore`] behind a lock, as a [`SessionStore`]; in an `Arc`, several layers can share it.
#[derive(Debug, Default)]
pub struct SharedMemory(Mutex<MemoryStore>);

impl SharedMemory {
    /// Shares a store.
    pub fn new(store: MemoryStore) -> Self {
        Self(Mutex::new(store))
    }

    /// Does something with the store, at once.
    pub(crate) fn with<T>(&self, act: impl FnOnce(&mut MemoryStore) -> T) -> T {
        // Every change of it is whole before anything could panic.
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<S: SessionStore + ?Sized> SessionStore for Arc<S> {
    fn load(&self, id: SessionId, now: Timestamp) -> Answer<'_, Option<Session>> {
        (**self).load(id, now)
    }

    fn create(&self, id: SessionId, session: Session, now: Timestamp) -> Answer<'_, bool> {
        (**self).create(id, session, now)
    }

    fn renew(&self, id: SessionId, session: Session, now: Timestamp) -> Answer<'_, bool> {
        (**self).renew(id, session, now)
    }

    fn remove(&self, id: SessionId, now: Timestamp) -> Answer<'_, ()> {
        (**self).remove(id, now)
    }
}

impl SessionStore for SharedMemory {
    fn load(&self, id: SessionId, now: Timestamp) -> Answer<'_, Option<Session>> {
        at_once(self.with(|store| store.load(&id, now)))
    }

    fn create(&self, id: SessionId, session: Session, now: Timestamp) -> Answer<'_, bool> {
        at_once(self.with(|store| store.create(id, session, now)))
    }

    fn renew(&self, id: SessionId, session: Session, now: Timestamp) -> Answer<'_, bool> {
        at_once(self.with(|store| store.renew(id, session, now)))
    }

    fn remove(&self, id: SessionId, now: Timestamp) -> Answer<'_, ()> {
        self.with(|store| store.remove(&id, now));
        at_once(())
    }
}

fn at_once<T: Send + 'static>(answer: T) -> Answer<'static, T> {
    Box::pin(ready(Ok(answer)))
}
