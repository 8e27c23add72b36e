use std::time::Duration;

use crate::{SessionId, Timestamp};

/// From where on a gate wants to hear what has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndingsSince {
    /// The [`position`](EndingsNews::position) up to which it has heard; nothing: from the beginning.
    pub position: Option<String>,
    /// How long sessions live here: what ended longer ago need not be kept on this gate's behalf.
    pub lifetime: Duration,
}

/// What a store knows of endings that a gate has not heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndingsNews {
    /// What has ended, in the order in which the store was told.
    pub endings: Vec<Ending>,
    /// Up to where this tells. It is the store's own word; a gate gives it back.
    pub position: String,
    /// Whether there is more to tell than fits into one answer.
    pub more: bool,
    /// Sessions that were issued up to this moment have all ended: the store knows nothing of an earlier time, because it
    /// began then, or has lost or thrown away what was before.
    pub floor: Timestamp,
    /// The time by the store's clock, which everybody who shares it goes by.
    pub now: Timestamp,
}

/// Something that has ended before its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// One session; when, by the store's clock.
    Session {
        /// What it was kept under.
        id: SessionId,
        /// When the store was told.
        at: Timestamp,
    },
    /// All sessions of a user that were issued up to a moment, by the store's clock.
    User {
        /// The user's id.
        user: String,
        /// The last moment whose sessions end.
        until: Timestamp,
    },
}
