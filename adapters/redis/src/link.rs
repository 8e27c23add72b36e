use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use authgate_core::Unavailable;
use redis::Value;
use tokio::sync::watch;

use crate::address::Address;
use crate::fault;
use crate::layout::Request;
use crate::live::Live;
use crate::runtime::Runtime;

/// The longest rest between two attempts to connect.
const REST: Duration = Duration::from_secs(1);
/// How often the log tells that Redis refuses.
const REFUSALS: Duration = Duration::from_mins(1);

/// The way to Redis: one connection, made when it is needed, and again whenever it is lost or falls silent.
pub(crate) struct Link {
    address: Address,
    deadline: Duration,
    state: Mutex<State>,
}

struct State {
    phase: Phase,
    /// How many attempts to connect have failed in a row.
    failures: u32,
    /// Whether the log has been told that Redis is out of reach.
    lost: bool,
    /// When the log was last told that Redis refuses.
    refused: Option<Instant>,
}

enum Phase {
    /// Nobody has asked yet, or the last connection is gone.
    Idle,
    Opening(watch::Receiver<Option<Opened>>),
    Up(Arc<Live>),
    Resting(Instant, Arc<str>),
}

type Opened = Result<Arc<Live>, Arc<str>>;

impl Link {
    pub(crate) fn new(address: Address, deadline: Duration) -> Arc<Self> {
        let state = State { phase: Phase::Idle, failures: 0, lost: false, refused: None };
        Arc::new(Self { address, deadline, state: Mutex::new(state) })
    }

    pub(crate) fn address(&self) -> &Address {
        &self.address
    }

    pub(crate) fn deadline(&self) -> Duration {
        self.deadline
    }

    /// An answer within the deadline. A request that may be `repeated` is, once, if the connection broke under it.
    pub(crate) async fn ask(
        self: &Arc<Self>,
        request: &Request,
        repeated: bool,
    ) -> Result<Value, Unavailable> {
        let runtime = Runtime::current()?;
        let begun = Instant::now();
        let left = || self.deadline.saturating_sub(begun.elapsed());
        let mut attempts = if repeated { 2 } else { 1 };
        loop {
            let live = runtime.within(left(), self.live(runtime)).await;
            let live = live
                .unwrap_or_else(|| Err("connecting takes too long".into()))
                .map_err(|why| self.unavailable(&why))?;
            let Some(answer) = runtime.within(left(), live.send(request)).await else {
                let why = format!("no answer within {} ms", self.deadline.as_millis());
                // Whoever was asked a moment ago only has had no chance yet.
                if live.silence() >= self.deadline / 2 {
                    self.give_up(&live, &why);
                }
                return Err(self.unavailable(&why));
            };
            attempts -= 1;
            let error = match answer {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            let why = fault::words(&error);
            if error.code().is_some() {
                self.refused(&live, fault::wants_another_connection(&error), &why);
            } else {
                self.forget(&live);
                if attempts > 0 {
                    continue;
                }
            }
            return Err(self.unavailable(&why));
        }
    }

    /// The open connection, or the next one. Whoever stops waiting leaves the others their attempt.
    async fn live(self: &Arc<Self>, runtime: Runtime) -> Opened {
        loop {
            let mut opening = match self.look(runtime) {
                Ok(opened) => return opened,
                Err(opening) => opening,
            };
            let opened = opening.wait_for(Option::is_some).await.ok().and_then(|opened| opened.clone());
            if let Some(opened) = opened {
                return opened;
            }
            // The runtime that the attempt was made on has ended.
        }
    }

    /// What there is at once, or what to wait for.
    fn look(self: &Arc<Self>, runtime: Runtime) -> Result<Opened, watch::Receiver<Option<Opened>>> {
        let mut state = self.state();
        match &state.phase {
            Phase::Up(live) if !live.is_open() => {}
            Phase::Up(live) if live.silence() < self.deadline => return Ok(Ok(Arc::clone(live))),
            Phase::Up(_) => state.tell_lost(&self.address, "it has fallen silent"),
            Phase::Resting(until, why) if Instant::now() < *until => return Ok(Err(Arc::clone(why))),
            Phase::Opening(opening) if opening.has_changed().is_ok() => return Err(opening.clone()),
            Phase::Idle | Phase::Resting(..) | Phase::Opening(_) => {}
        }
        let (done, opening) = watch::channel(None);
        state.phase = Phase::Opening(opening.clone());
        drop(state);
        let link = Arc::clone(self);
        runtime.detach(async move {
            let opened = link.open(runtime).await;
            link.opened(&opened);
            done.send_replace(Some(opened));
        });
        Err(opening)
    }

    async fn open(&self, runtime: Runtime) -> Opened {
        // It goes on without whoever asked, so an impatient caller does not keep it from ever succeeding.
        let span = self.deadline.max(REST);
        match runtime.within(span, Live::open(&self.address, runtime)).await {
            Some(Ok(live)) => Ok(Arc::new(live)),
            Some(Err(error)) => Err(fault::words(&error).into()),
            None => Err(format!("no answer within {} ms of connecting", span.as_millis()).into()),
        }
    }

    fn opened(&self, opened: &Opened) {
        let mut state = self.state();
        match opened {
            Ok(live) => {
                state.failures = 0;
                state.phase = Phase::Up(Arc::clone(live));
                if std::mem::take(&mut state.lost) {
                    tracing::info!(target: "authgate", store = %self.address, "the session store is back");
                }
            }
            Err(why) => {
                let rest = Duration::from_millis(50) * 2_u32.pow(state.failures.min(5));
                state.failures = state.failures.saturating_add(1);
                state.phase = Phase::Resting(Instant::now() + rest.min(REST), Arc::clone(why));
                state.tell_lost(&self.address, why);
            }
        }
    }

    /// A connection that has fallen silent may be half open for ever: the next call makes another.
    fn give_up(&self, live: &Arc<Live>, why: &str) {
        if self.forget(live) {
            self.state().tell_lost(&self.address, why);
        }
    }

    /// Uses this connection no more; `false` if it is another one that is in use.
    fn forget(&self, live: &Arc<Live>) -> bool {
        let mut state = self.state();
        let current = matches!(&state.phase, Phase::Up(current) if Arc::ptr_eq(current, live));
        if current {
            state.phase = Phase::Idle;
        }
        current
    }

    fn refused(&self, live: &Arc<Live>, another: bool, why: &str) {
        // Not at every refusal: the next may say the same.
        if another && live.age() >= REST {
            self.forget(live);
        }
        let mut state = self.state();
        if state.refused.is_none_or(|told| told.elapsed() >= REFUSALS) {
            state.refused = Some(Instant::now());
            tracing::warn!(target: "authgate", store = %self.address, why, "the session store refuses");
        }
    }

    fn unavailable(&self, why: &str) -> Unavailable {
        Unavailable::new(format!("the session store at {}: {why}", self.address))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every change of it is whole before anything could panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn tell_lost(&mut self, address: &Address, why: &str) {
        if !std::mem::replace(&mut self.lost, true) {
            tracing::warn!(target: "authgate", store = %address, why, "the session store cannot be used");
        }
    }
}
