use std::fs::Metadata;
use std::time::{Duration, SystemTime};

/// What tells one state of a file from another without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) length: u64,
    modified: Option<SystemTime>,
    identity: Identity,
}

/// Two changes within one tick of the file system's clock may leave the same stamp. Ticks are shorter than this nearly
/// everywhere, and two seconds on FAT.
const TICK: Duration = Duration::from_secs(2);

impl Stamp {
    pub(crate) fn of(metadata: &Metadata) -> Self {
        Self { length: metadata.len(), modified: metadata.modified().ok(), identity: Identity::of(metadata) }
    }

    /// Whether any change after `now` will leave another stamp. Until then only the contents tell.
    pub(crate) fn is_settled(&self, now: SystemTime) -> bool {
        self.identity
            .changed()
            .or(self.modified)
            .and_then(|changed| now.duration_since(changed).ok())
            .is_some_and(|age| age >= TICK)
    }
}

#[cfg(unix)]
use unix::Identity;

#[cfg(unix)]
mod unix {
    use std::fs::Metadata;
    use std::os::unix::fs::MetadataExt as _;
    use std::time::{Duration, SystemTime};

    /// The change time is the kernel's own: unlike the time of modification, nobody can set it back.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(super) struct Identity {
        device: u64,
        inode: u64,
        changed: (i64, i64),
    }

    impl Identity {
        pub(super) fn of(metadata: &Metadata) -> Self {
            Self {
                device: metadata.dev(),
                inode: metadata.ino(),
                changed: (metadata.ctime(), metadata.ctime_nsec()),
            }
        }

        pub(super) fn changed(self) -> Option<SystemTime> {
            let (seconds, nanos) = self.changed;
            let since = Duration::new(u64::try_from(seconds).ok()?, u32::try_from(nanos).ok()?);
            SystemTime::UNIX_EPOCH.checked_add(since)
        }
    }
}

#[cfg(not(unix))]
use elsewhere::Identity;

#[cfg(not(unix))]
mod elsewhere {
    use std::fs::Metadata;
    use std::time::SystemTime;

    /// Nothing more is known here than length and time of modification.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(super) struct Identity;

    impl Identity {
        pub(super) fn of(_: &Metadata) -> Self {
            Self
        }

        pub(super) fn changed(self) -> Option<SystemTime> {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_that_was_just_written_is_not_settled() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.toml");
        fs::write(&path, "x").unwrap();
        let stamp = Stamp::of(&fs::metadata(&path).unwrap());
        let now = SystemTime::now();
        assert!(!stamp.is_settled(now));
        assert!(!stamp.is_settled(now - Duration::from_hours(1)), "a clock that went back tells nothing");
        assert!(stamp.is_settled(now + Duration::from_secs(3)));
    }

    #[cfg(unix)]
    #[test]
    fn a_time_of_modification_that_was_set_back_hides_no_change() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.toml");
        fs::write(&path, "x").unwrap();
        let file = fs::File::options().write(true).open(&path).unwrap();
        let long_ago = SystemTime::now() - Duration::from_hours(1);
        file.set_modified(long_ago).unwrap();
        assert!(!Stamp::of(&file.metadata().unwrap()).is_settled(SystemTime::now()));
    }

    #[test]
    fn another_file_of_the_same_name_has_another_stamp() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("users.toml"), folder.path().join("new"));
        fs::write(&path, "x").unwrap();
        fs::write(&other, "y").unwrap();
        let before = Stamp::of(&fs::metadata(&path).unwrap());
        fs::rename(&other, &path).unwrap();
        assert_ne!(before, Stamp::of(&fs::metadata(&path).unwrap()));
    }
}
