use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use authgate_core::Timestamp;
use authgate_tower::{Host, Record};

use super::PATIENCE;

/// A world whose time stands still until a test moves it.
#[derive(Clone)]
pub(crate) struct Clock(Arc<Inner>);

struct Inner {
    /// What the clock says.
    now: AtomicI64,
    /// What timers count, whatever the clock says.
    passed: AtomicI64,
    sleepers: Mutex<Vec<(i64, async_channel::Sender<()>)>>,
    told: Sender<Duration>,
    slept: Mutex<Receiver<Duration>>,
    reasons: Mutex<Vec<String>>,
}

impl Clock {
    pub(crate) fn new() -> Self {
        let (told, slept) = mpsc::channel();
        Self(Arc::new(Inner {
            now: AtomicI64::new(1_800_000_000_000),
            passed: AtomicI64::new(0),
            sleepers: Mutex::default(),
            told,
            slept: Mutex::new(slept),
            reasons: Mutex::default(),
        }))
    }

    pub(crate) fn advance(&self, span: Duration) {
        let mut sleepers = self.0.sleepers.lock().unwrap();
        self.set_forward(span);
        let passed = self.0.passed.fetch_add(millis(span), Ordering::SeqCst) + millis(span);
        // Dropping the sender wakes the sleeper.
        sleepers.retain(|(until, sleeper)| *until > passed && !sleeper.is_closed());
    }

    /// Sets the clock to a later time; timers know nothing of it.
    pub(crate) fn set_forward(&self, span: Duration) {
        self.0.now.fetch_add(millis(span), Ordering::SeqCst);
    }

    /// Sets the clock to an earlier time; timers know nothing of it.
    pub(crate) fn set_back(&self, span: Duration) {
        self.0.now.fetch_sub(millis(span), Ordering::SeqCst);
    }

    /// Waits until somebody goes to sleep for `span`.
    pub(crate) fn until_sleep(&self, span: Duration) {
        let slept = self.0.slept.lock().unwrap();
        let mut others = Vec::new();
        while let Ok(next) = slept.recv_timeout(PATIENCE) {
            if next == span {
                return;
            }
            others.push(next);
        }
        panic!("nobody slept for {span:?}, but for {others:?}");
    }

    /// How many times somebody holds this clock.
    pub(crate) fn holders(&self) -> usize {
        Arc::strong_count(&self.0)
    }

    /// Why requests ended as they did since this was asked last.
    pub(crate) fn reasons(&self) -> Vec<String> {
        std::mem::take(&mut self.0.reasons.lock().unwrap())
    }
}

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap()
}

impl Host for Clock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.now.load(Ordering::SeqCst))
    }

    fn sleep(&self, span: Duration) -> impl Future<Output = ()> + Send + 'static {
        let mut sleepers = self.0.sleepers.lock().unwrap();
        let (sleeper, woken) = async_channel::bounded(1);
        let until = self.0.passed.load(Ordering::SeqCst) + millis(span);
        if !span.is_zero() {
            sleepers.push((until, sleeper));
        }
        let _ = self.0.told.send(span);
        async move {
            let _closed = woken.recv().await;
        }
    }

    fn record(&self, record: &Record<'_>) {
        self.0.reasons.lock().unwrap().push(record.event.reason.slug().to_owned());
    }
}
