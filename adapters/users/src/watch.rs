use std::path::{Path, PathBuf};

use authgate_core::Fingerprint;

use crate::entry::Entry;
use crate::error::UserFileError;
use crate::parse::parse;
use crate::read::{read, stamp};
use crate::stamp::Stamp;

/// A user file, and what was seen of it last: so that each state of it is told once.
#[derive(Debug)]
pub(crate) struct Watch {
    path: PathBuf,
    seen: Option<Seen>,
    /// The stamp of what was seen, while it is certain to change with the file.
    stamp: Option<Stamp>,
}

#[derive(Debug, PartialEq, Eq)]
enum Seen {
    Contents(Fingerprint),
    Unreadable(UserFileError),
}

impl Watch {
    pub(crate) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), seen: None, stamp: None }
    }

    /// The entries or the fault of a file that is not as it was at the last look; nothing if it is.
    pub(crate) fn look(&mut self) -> Option<Result<Vec<Entry>, UserFileError>> {
        if self.stamp.is_some() && self.stamp == stamp(&self.path) {
            return None;
        }
        let read = read(&self.path);
        self.stamp = read.as_ref().ok().and_then(|reading| reading.stamp);
        let seen = match &read {
            Ok(reading) => Seen::Contents(Fingerprint::of(&reading.bytes)),
            Err(error) => Seen::Unreadable(error.clone()),
        };
        if self.seen.as_ref() == Some(&seen) {
            return None;
        }
        self.seen = Some(seen);
        Some(read.and_then(|reading| parse(&self.path, &reading.bytes)))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::{Duration, SystemTime};

    use super::*;

    #[test]
    fn each_state_of_a_file_is_told_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.toml");
        let mut watch = Watch::new(&path);
        assert!(matches!(watch.look(), Some(Err(error)) if error.problem() == "does not exist"));
        assert!(watch.look().is_none());
        fs::write(&path, "user = []").unwrap();
        assert!(matches!(watch.look(), Some(Ok(_))));
        assert!(watch.look().is_none());
        fs::write(&path, "user = [}").unwrap();
        assert!(matches!(watch.look(), Some(Err(_))), "the same length, within the same tick");
        assert!(watch.look().is_none());
        fs::remove_file(&path).unwrap();
        assert!(matches!(watch.look(), Some(Err(_))));
        assert!(watch.look().is_none());
        fs::write(&path, "user = []").unwrap();
        assert!(matches!(watch.look(), Some(Ok(_))));
    }

    #[test]
    fn a_change_within_one_tick_is_seen_whatever_the_stamp_says() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.toml");
        fs::write(&path, "user = []").unwrap();
        let mut watch = Watch::new(&path);
        watch.look();
        assert_eq!(watch.stamp, None, "a file this young is read again");
        fs::write(&path, "user = [}").unwrap();
        assert!(watch.look().is_some());
        assert_eq!(watch.stamp, None);
    }

    #[test]
    fn a_settled_file_is_not_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.toml");
        fs::write(&path, "user = []").unwrap();
        let mut watch = Watch::new(&path);
        watch.look();
        // As if it had been read long after its last change.
        watch.stamp = stamp(&path);
        assert!(watch.stamp.unwrap().is_settled(SystemTime::now() + Duration::from_secs(3)));
        watch.seen = None;
        assert!(watch.look().is_none(), "reading it would have told its state");
        fs::write(&path, "user = [ ]").unwrap();
        assert!(watch.look().is_some());
    }
}
