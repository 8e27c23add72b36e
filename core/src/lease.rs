use std::fmt;

use crate::session::SessionId;
use crate::{Gate, Timestamp};

/// How long an admission is good for: streams outlive the moment at which they were let through, and must not outlive
/// the reason.
#[derive(Clone)]
pub struct Lease {
    until: Option<Timestamp>,
    session: Option<(Gate, Holder)>,
}

/// Whose session it is that admits.
#[derive(Debug, Clone)]
pub(crate) struct Holder {
    pub(crate) id: SessionId,
    pub(crate) user: String,
    pub(crate) issued: Timestamp,
}

impl Lease {
    pub(crate) fn new(until: Option<Timestamp>, session: Option<(Gate, Holder)>) -> Self {
        Self { until, session }
    }

    /// The moment the admission ends at the latest, if there is one.
    pub fn until(&self) -> Option<Timestamp> {
        self.until
    }

    /// Whether it can end before that moment, because its user signs out. Then [`holds`](Self::holds) must be asked
    /// again from time to time.
    pub fn is_revocable(&self) -> bool {
        self.session.is_some()
    }

    /// Whether the admission is still good.
    pub fn holds(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
            && self.session.as_ref().is_none_or(|(gate, holder)| gate.spares(holder))
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").field("until", &self.until).finish_non_exhaustive()
    }
}
