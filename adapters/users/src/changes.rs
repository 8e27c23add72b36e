use crate::error::UserFileError;

/// What became of a user file since somebody asked last; from [`UserFile::refresh`](crate::UserFile::refresh).
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "the sessions of these users must end; nobody is told of them again"]
pub struct Changes {
    /// The ids of the users who were removed or disabled, or whose password changed: their sessions must end. In order,
    /// each once.
    pub ended: Vec<String>,
    /// Why the file cannot be used as it is now, while it cannot. The users are those of the last good one; it has been
    /// logged already.
    pub fault: Option<UserFileError>,
}
