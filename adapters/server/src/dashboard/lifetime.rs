//! How long a stream may go on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::{Ended, Timer};

/// How often a stream looks whether it is over: the longest that it outlives its end.
pub(super) const TICK: Duration = Duration::from_millis(250);

/// The life of one stream: it ends with the viewer's admission, or with the program.
pub(super) struct Lifetime<T> {
    pub(super) timer: T,
    pub(super) admission_ended: Ended,
    pub(super) stopping: Arc<AtomicBool>,
}

/// Why a stream had to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Whoever opened it is no longer admitted.
    Admission,
    /// The program is stopping.
    Program,
}

impl<T: Timer> Lifetime<T> {
    pub(super) fn ended(&self) -> Option<End> {
        if (self.admission_ended)() {
            Some(End::Admission)
        } else if self.stopping.load(Ordering::Relaxed) {
            Some(End::Program)
        } else {
            None
        }
    }

    /// Waits for the end.
    pub(super) async fn over(&self) -> End {
        loop {
            if let Some(end) = self.ended() {
                return end;
            }
            self.timer.sleep(TICK).await;
        }
    }
}
