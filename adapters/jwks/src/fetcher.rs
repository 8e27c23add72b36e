use std::convert::Infallible;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_channel::{Receiver, Sender};
use authgate_core::{ConfigError, KeySet, Timestamp, Unavailable};
use authgate_tower::{Answer, Host, KeyFetcher};
use futures_lite::FutureExt as _;

use crate::KeySource;
use crate::connect::Connector;
use crate::flight::Flight;
use crate::task::Task;

/// Keeps a [`KeySet`] up, and fetches when a token asks for it: for
/// [`GateLayer::key_fetcher`](authgate_tower::GateLayer::key_fetcher).
///
/// Clones are one fetcher. With the last of them the fetching ends.
#[derive(Clone)]
pub struct Fetcher {
    desk: Arc<Desk>,
    /// Carries nothing: the task ends once all of them are dropped.
    _handle: Sender<Infallible>,
}

impl Fetcher {
    pub(crate) fn start<C: Connector, H: Host>(
        source: KeySource,
        key_set: KeySet,
        connector: &C,
        host: H,
    ) -> Result<Self, ConfigError> {
        let endpoint = source.endpoint()?;
        let clock = host.clone();
        let (desk, asked) = Desk::new(key_set, move || clock.now());
        let (handle, dropped) = async_channel::bounded::<Infallible>(1);

        let task = Task::new(source, endpoint, connector.clone(), host, Arc::clone(&desk), asked);
        let nobody_left = async move {
            let _closed = dropped.recv().await;
        };
        connector.spawn(nobody_left.or(task.run()))?;
        Ok(Self { desk, _handle: handle })
    }
}

impl KeyFetcher for Fetcher {
    fn fetch(&self) -> Answer<'_, ()> {
        Box::pin(async { self.desk.ask()?.outcome().await })
    }
}

impl fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fetcher").field("key_set", &self.desk.key_set).finish_non_exhaustive()
    }
}

/// Where tokens ask for a fetch, and the task finds out. All that decides whether there is to be one happens under one
/// lock, so there is never more than one.
pub(crate) struct Desk {
    pub(crate) key_set: KeySet,
    now: Box<dyn Fn() -> Timestamp + Send + Sync>,
    state: Mutex<State>,
    /// Wakes the task.
    wake: Sender<()>,
}

struct State {
    /// The fetch that is under way.
    flight: Option<Flight>,
    /// Whether there is nobody to fetch any more.
    closed: bool,
}

impl Desk {
    fn new(
        key_set: KeySet,
        now: impl Fn() -> Timestamp + Send + Sync + 'static,
    ) -> (Arc<Self>, Receiver<()>) {
        let (wake, asked) = async_channel::bounded(1);
        let state = Mutex::new(State { flight: None, closed: false });
        (Arc::new(Self { key_set, now: Box::new(now), state, wake }), asked)
    }

    /// The fetch that answers a token: the one that is under way, even if it began before the key was published, or a new
    /// one if it is time.
    fn ask(&self) -> Result<Flight, Unavailable> {
        let mut state = self.state();
        if state.closed {
            return Err(Unavailable::new("nobody fetches the provider's keys any more"));
        }
        if let Some(flight) = &state.flight {
            return Ok(flight.clone());
        }
        self.key_set.begin_fetch_for_token((self.now)())?;
        let flight = state.flight.insert(Flight::begin()).clone();
        // If it is full, the task is about to look.
        let _ = self.wake.try_send(());
        Ok(flight)
    }

    /// The fetch that is due, because a token asked for it or because the set has aged.
    pub(crate) fn due(&self) -> Option<Flight> {
        let mut state = self.state();
        let now = (self.now)();
        if state.flight.is_none() && self.key_set.next_fetch(now).is_zero() {
            self.key_set.begin_fetch(now);
            state.flight = Some(Flight::begin());
        }
        state.flight.clone()
    }

    /// The fetch that was under way has ended.
    pub(crate) fn landed(&self, outcome: Result<(), Unavailable>) {
        let flight = self.state().flight.take();
        if let Some(flight) = flight {
            flight.end(outcome);
        }
    }

    /// There will be no fetch any more, and whoever waits for one learns it.
    pub(crate) fn close(&self) {
        self.state().closed = true;
        self.landed(Err(Unavailable::new("the fetching of the provider's keys has ended")));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every change of it is whole before anything could panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
