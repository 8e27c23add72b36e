//! Whose sessions end here, the other gates are told.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use authgate_core::Gate;
use authgate_redis::RedisStore;
use authgate_tower::{Host, SharedStore as _};
use smol::channel::{Receiver, Sender, unbounded};

/// How long to wait before somebody who could not be told is told again.
const AGAIN: Duration = Duration::from_secs(1);

/// Ends sessions because the file of users has changed: here at once, and elsewhere as soon as the store can be told.
#[derive(Clone)]
pub(super) struct Teller {
    /// By the configuration in force.
    store: Arc<Mutex<Option<Arc<RedisStore>>>>,
    ended: Sender<(String, SystemTime)>,
}

impl Teller {
    /// A teller, and what must run for it.
    pub(super) fn new<H: Host>(host: H) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let (sender, receiver) = unbounded();
        let store = Arc::new(Mutex::new(None));
        (Self { store: Arc::clone(&store), ended: sender }, tell(host, store, receiver))
    }

    /// From now on this store is told, if any.
    pub(super) fn use_store(&self, store: Option<Arc<RedisStore>>) {
        *self.store.lock().unwrap_or_else(PoisonError::into_inner) = store;
    }

    /// Ends all sessions of a user that have begun until the moment `until`.
    pub(super) fn end(&self, gate: &Gate, user: &str, until: SystemTime) {
        gate.end_sessions_begun_until(user, until.into(), SystemTime::now().into());
        // The other end lasts as long as the program.
        let _ = self.ended.try_send((user.to_owned(), until));
    }
}

async fn tell<H: Host>(
    host: H,
    store: Arc<Mutex<Option<Arc<RedisStore>>>>,
    ended: Receiver<(String, SystemTime)>,
) {
    while let Ok((user, until)) = ended.recv().await {
        let mut has_failed = false;
        loop {
            let store = store.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let Some(store) = store else { break };
            let ago = until.elapsed().unwrap_or_default();
            match store.end_user(user.clone(), ago).await {
                Ok(()) => break,
                Err(why) if !has_failed => {
                    has_failed = true;
                    tracing::warn!(
                        target: "authgate", %user, %why,
                        "the other gates cannot be told that the user's sessions have ended; trying on"
                    );
                }
                Err(_) => {}
            }
            host.sleep(AGAIN).await;
        }
        if has_failed {
            tracing::info!(target: "authgate", %user, "the other gates have been told that the user's sessions have ended");
        }
    }
}
