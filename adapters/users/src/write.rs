use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::error::UserFileError;

/// Waits until nobody else changes the file at `path`, and keeps everybody else waiting until it is dropped.
///
/// The lock is on a file beside it, `.users.toml.lock`, which stays: the file itself is replaced by every change.
pub(crate) fn lock(path: &Path) -> Result<File, UserFileError> {
    let beside = beside(path, "lock");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    let locked = private(&mut options).open(&beside).and_then(|file| file.lock().map(|()| file));
    locked.map_err(|error| {
        let problem = format!("cannot be changed: {} cannot be locked: {error}", beside.display());
        UserFileError::new(path, problem, "make sure that its folder exists and may be written to")
    })
}

/// Replaces the file at `path` in one step: whoever reads it sees the old text or the new one. The lock must be held.
///
/// A new file may be read and written by its owner only; an old one keeps its owner, its group and its mode.
pub(crate) fn replace(path: &Path, text: &str, _lock: &File) -> Result<(), UserFileError> {
    let new = beside(path, "new");
    let written = write_new(path, &new, text).and_then(|()| fs::rename(&new, path));
    written.map_err(|error| {
        // The half-written file is worth nothing, and its removal may fail for the same reason.
        let _ = fs::remove_file(&new);
        let remedy = "make sure that its folder may be written to, and that its owner runs this";
        UserFileError::new(path, format!("cannot be written: {error}"), remedy)
    })?;
    // The file has its new name already; this only makes the name outlive a power cut.
    #[cfg(unix)]
    if let Some(folder) = path.parent() {
        let _ = File::open(if folder.as_os_str().is_empty() { Path::new(".") } else { folder })
            .and_then(|folder| folder.sync_all());
    }
    Ok(())
}

fn write_new(path: &Path, new: &Path, text: &str) -> io::Result<()> {
    // Whoever left one behind holds the lock no more.
    match fs::remove_file(new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    let mut file = private(options.write(true).create_new(true)).open(new)?;
    keep_rights(path, &file)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(unix)]
fn keep_rights(path: &Path, new: &File) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown};

    let old = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        old => old?,
    };
    let made = new.metadata()?;
    if (made.uid(), made.gid()) != (old.uid(), old.gid()) {
        fchown(new, Some(old.uid()), Some(old.gid()))?;
    }
    new.set_permissions(fs::Permissions::from_mode(old.mode() & 0o777))
}

#[cfg(not(unix))]
fn keep_rights(_: &Path, _: &File) -> io::Result<()> {
    Ok(())
}

/// For the owner alone, from the first moment on.
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

/// The path of `.name.kind` in the same folder.
fn beside(path: &Path, kind: &str) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".");
    name.push(kind);
    path.with_file_name(name)
}
