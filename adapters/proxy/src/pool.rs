use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use futures_lite::future::or;
use hyper::client::conn::http1::SendRequest;

use crate::connect::World;
use crate::upload::Upload;
use crate::wire::Wire;

/// A connection to the upstream that is asked something, or could be. Dropping it closes the connection.
pub(crate) struct Connection {
    pub(crate) sender: SendRequest<Upload>,
    pub(crate) wire: Arc<Wire>,
    /// Whether another request may follow: not after a body, of which the upstream may have read less than was sent.
    pub(crate) may_be_kept: bool,
}

/// Connections that wait for the next request.
///
/// hyper-util has such a pool in its legacy client, which is not used because it cannot bound the bytes of a
/// response head, cannot tell whether a connection was used before (see `send` in the service), and brings
/// tokio's network with it.
pub(crate) struct Pool {
    waiting: Mutex<Waiting>,
    world: Arc<dyn World>,
    idle: Duration,
    most: usize,
}

#[derive(Default)]
struct Waiting {
    /// The one that has waited longest comes first.
    connections: Vec<(Instant, Connection)>,
    is_swept: bool,
}

impl Pool {
    pub(crate) fn new(world: Arc<dyn World>, idle: Duration, most: usize) -> Self {
        Self { waiting: Mutex::default(), world, idle, most }
    }

    pub(crate) fn world(&self) -> &dyn World {
        self.world.as_ref()
    }

    /// Keeps a connection whose exchange is complete.
    pub(crate) fn keep(self: &Arc<Self>, connection: Connection) {
        if self.most == 0 || self.idle.is_zero() {
            return;
        }
        let mut waiting = self.waiting();
        if waiting.connections.len() >= self.most {
            waiting.connections.remove(0);
        }
        waiting.connections.push((Instant::now(), connection));
        if !waiting.is_swept {
            waiting.is_swept = true;
            drop(waiting);
            self.world.spawn(Box::pin(sweep(Arc::downgrade(self), self.idle)));
        }
    }

    /// The connection that has waited least, if any is still good.
    pub(crate) async fn take(&self) -> Option<Connection> {
        loop {
            let mut connection = self.youngest()?;
            if connection.sender.is_ready() {
                return Some(connection);
            }
            // Either closed, or its task has yet to tidy up after an answer whose end we have seen already.
            let ready = async { connection.sender.ready().await.is_ok() };
            let late = async {
                self.world.sleep(Duration::from_millis(100)).await;
                false
            };
            if or(ready, late).await {
                return Some(connection);
            }
        }
    }

    fn youngest(&self) -> Option<Connection> {
        let (since, connection) = self.waiting().connections.pop()?;
        (since.elapsed() < self.idle).then_some(connection)
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // Every change of it is whole before anything could panic.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Closes what has waited too long, until nothing waits or the pool is gone.
async fn sweep(pool: Weak<Pool>, idle: Duration) {
    loop {
        let Some(nap) = pool.upgrade().map(|pool| pool.world.sleep(idle)) else { return };
        nap.await;
        let Some(pool) = pool.upgrade() else { return };
        let mut waiting = pool.waiting();
        waiting.connections.retain(|(since, it)| since.elapsed() < idle && !it.sender.is_closed());
        if waiting.connections.is_empty() {
            waiting.is_swept = false;
            return;
        }
    }
}
