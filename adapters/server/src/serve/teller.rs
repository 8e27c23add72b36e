//! Whose sessions end here, the other gates are told.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use authgate_core::Gate;
use authgate_redis::RedisStore;
use authgate_tower::{Host, SharedStore as _};
use smol::channel::{Receiver, Sender, unbounded};

/// How long to wait before somebody who could not be told is told again.
const AGAIN: Duration = Duration::from_secs(1);

/// Ends sessions because the file of users has changed: here at once, and elsewhere as soon as the store can be told.
#[derive(Clone)]
pub(super) struct Teller {
    store: InForce,
    ended: Sender<Ended>,
}

/// The store by the configuration in force.
type InForce = Arc<Mutex<Option<Arc<RedisStore>>>>;

/// Somebody whose sessions have ended here.
struct Ended {
    store: Arc<RedisStore>,
    user: String,
    /// How long ago that was noticed, at the moment `since`.
    ago: Duration,
    since: Instant,
}

impl Teller {
    /// A teller, and what must run for it.
    pub(super) fn new<H: Host>(host: H) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let (sender, receiver) = unbounded();
        let store = InForce::default();
        (Self { store: Arc::clone(&store), ended: sender }, tell_all(host, store, receiver))
    }

    /// From now on this store is told, if any.
    pub(super) fn use_store(&self, store: Option<Arc<RedisStore>>) {
        *self.store.lock().unwrap_or_else(PoisonError::into_inner) = store;
    }

    /// Ends all sessions of a user that have begun until the moment `until`.
    pub(super) fn end(&self, gate: &Gate, user: &str, until: SystemTime) {
        gate.end_sessions_begun_until(user, until.into(), SystemTime::now().into());
        let store = self.store.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(store) = store {
            let (ago, since) = (until.elapsed().unwrap_or_default(), Instant::now());
            // The other end lasts as long as the program.
            let _ = self.ended.try_send(Ended { store, user: user.to_owned(), ago, since });
        }
    }
}

async fn tell_all<H: Host>(host: H, in_force: InForce, ended: Receiver<Ended>) {
    while let Ok(ended) = ended.recv().await {
        ended.tell(&host, &in_force).await;
    }
}

impl Ended {
    /// Tells the store, however long that takes, unless another has taken its place.
    async fn tell<H: Host>(&self, host: &H, in_force: &InForce) {
        let user = &self.user;
        let mut has_failed = false;
        while let Err(why) = self.store.end_user(user.clone(), self.ago + self.since.elapsed()).await {
            if !has_failed {
                has_failed = true;
                tracing::warn!(
                    target: "authgate", %user, %why,
                    "the other gates cannot be told that the user's sessions have ended; trying on"
                );
            }
            host.sleep(AGAIN).await;
            let in_force = in_force.lock().unwrap_or_else(PoisonError::into_inner);
            if !in_force.as_ref().is_some_and(|store| Arc::ptr_eq(store, &self.store)) {
                return;
            }
        }
        if has_failed {
            tracing::info!(target: "authgate", %user, "the other gates have been told that the user's sessions have ended");
        }
    }
}
