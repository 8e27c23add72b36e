use std::time::SystemTime;

use crate::error::UserFileError;

/// What became of a user file since somebody asked last; from [`UserFile::refresh`](crate::UserFile::refresh).
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "the sessions of these users must end; nobody is told of them again"]
pub struct Changes {
    /// The users who were removed or disabled, or whose password changed: their sessions must end. In the order of
    /// their ids, each once.
    pub ended: Vec<Ended>,
    /// Why the file cannot be used as it is now, while it cannot. The users are those of the last good one; it has been
    /// logged already.
    pub fault: Option<UserFileError>,
}

/// A user whose sessions must end, those that began up to a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Whose sessions.
    pub id: String,
    /// When the change was noticed. Sessions that began later are none of its business: they began with what counts
    /// since.
    pub noticed: SystemTime,
}
