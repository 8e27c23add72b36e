use std::fmt;
use std::sync::Arc;

use smol_str::SmolStr;

use crate::session::{SessionId, SessionRules};
use crate::{EndingsNews, EndingsSince, Gate, Timestamp};

/// How long an admission is good for: streams outlive the moment at which they were let through, and must not outlive
/// the reason.
#[derive(Clone)]
pub struct Lease {
    until: Option<Timestamp>,
    session: Option<Arc<Holder>>,
}

/// Whose session it is that admits, and where.
#[derive(Debug)]
pub(crate) struct Holder {
    pub(crate) gate: Gate,
    pub(crate) id: SessionId,
    pub(crate) user: SmolStr,
    pub(crate) issued: Timestamp,
}

impl Lease {
    pub(crate) fn new(until: Option<Timestamp>, session: Option<Arc<Holder>>) -> Self {
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

    /// Whether it can end because of what another gate has told a store; see [`asks`](Self::asks).
    pub fn is_shared(&self) -> bool {
        let sessions = self.session.as_ref().and_then(|holder| holder.gate.settings().sessions.as_ref());
        sessions.is_some_and(SessionRules::are_shared)
    }

    /// What must be asked before [`holds`](Self::holds) tells what has ended elsewhere, too: where gates share a store,
    /// and the last answer is not new enough any more. Hand the answer to [`hear`](Self::hear); where there is none, the
    /// admission stays as it is for a while ([`Sharing::grace`](crate::Sharing::grace)), and then ends.
    pub fn asks(&self, now: Timestamp) -> Option<EndingsSince> {
        self.session.as_ref()?.gate.asks(now)
    }

    /// Takes what the store told when it was asked at the moment `asked`.
    pub fn hear(&self, news: EndingsNews, asked: Timestamp, now: Timestamp) {
        if let Some(holder) = &self.session {
            holder.gate.hear(news, asked, now);
        }
    }

    /// Whether the admission is still good.
    pub fn holds(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
            && self.session.as_ref().is_none_or(|holder| holder.gate.spares(holder, now))
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").field("until", &self.until).finish_non_exhaustive()
    }
}
