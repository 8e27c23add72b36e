use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _};
use std::path::Path;
use std::time::SystemTime;

use crate::error::UserFileError;
use crate::stamp::Stamp;

/// The largest user file that is read: a hundred thousand users, but no disk.
const MOST_BYTES: u64 = 16 * 1024 * 1024;

/// How often a file is read that somebody is just writing.
const TRIES: usize = 3;

/// The contents of a file at one moment.
pub(crate) struct Reading {
    pub(crate) bytes: Vec<u8>,
    /// The stamp of these contents, if it will tell them from all later ones.
    pub(crate) stamp: Option<Stamp>,
}

/// Reads the file whole.
pub(crate) fn read(path: &Path) -> Result<Reading, UserFileError> {
    for _ in 0..TRIES {
        // Opening a pipe would wait for somebody to write.
        if !fs::metadata(path).map_err(|error| unreadable(path, &error))?.is_file() {
            return Err(UserFileError::new(path, "is not a file", "give the path of the user file"));
        }
        let now = SystemTime::now();
        let file = File::open(path).map_err(|error| unreadable(path, &error))?;
        if let Some((bytes, stamp)) = whole(path, &file).map_err(|error| unreadable(path, &error))?? {
            return Ok(Reading { bytes, stamp: stamp.is_settled(now).then_some(stamp) });
        }
    }
    Err(UserFileError::new(path, "is being written all the time", "write it anew and rename it into place"))
}

/// The stamp of the file as it is now, without reading it.
pub(crate) fn stamp(path: &Path) -> Option<Stamp> {
    fs::metadata(path).ok().map(|metadata| Stamp::of(&metadata))
}

type Whole = Option<(Vec<u8>, Stamp)>;

/// Nothing if the file changed meanwhile: what was read may be half of it.
fn whole(path: &Path, file: &File) -> io::Result<Result<Whole, UserFileError>> {
    let before = Stamp::of(&file.metadata()?);
    let mut bytes = Vec::new();
    if before.length <= MOST_BYTES {
        file.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    }
    if before.length > MOST_BYTES || bytes.len() as u64 > MOST_BYTES {
        return Ok(Err(UserFileError::new(path, "is larger than 16 MiB", "is it the right file?")));
    }
    let after = Stamp::of(&file.metadata()?);
    Ok(Ok((before == after && bytes.len() as u64 == after.length).then_some((bytes, after))))
}

fn unreadable(path: &Path, error: &io::Error) -> UserFileError {
    match error.kind() {
        ErrorKind::NotFound => UserFileError::new(path, "does not exist", "add a user, or give another path"),
        _ => UserFileError::new(
            path,
            format!("cannot be read: {error}"),
            "give the program the right to read it",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_file_or_too_large_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let told = |path: &Path| read(path).err().unwrap().to_string();
        assert!(told(folder.path()).ends_with(": is not a file; give the path of the user file"));
        let path = folder.path().join("users.toml");
        assert!(told(&path).ends_with("users.toml: does not exist; add a user, or give another path"));
        let file = File::create(&path).unwrap();
        file.set_len(MOST_BYTES).unwrap();
        assert_eq!(read(&path).unwrap().bytes.len() as u64, MOST_BYTES);
        file.set_len(MOST_BYTES + 1).unwrap();
        assert!(told(&path).ends_with("users.toml: is larger than 16 MiB; is it the right file?"));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn an_endless_device_is_refused() {
        assert!(read(Path::new("/dev/zero")).is_err());
    }
}
