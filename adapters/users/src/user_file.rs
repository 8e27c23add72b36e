use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock, TryLockError};
use std::thread;

use authgate_core::{Account, Credentials, Lookup, Unavailable, UserStore, Verdict};

use crate::changes::Changes;
use crate::entry::Entry;
use crate::error::UserFileError;
use crate::hash::Phc;
use crate::turns::Turns;
use crate::watch::Watch;

/// The users in a file: a [`UserStore`] that follows the file as it changes.
///
/// A change counts from the next check or look-up on, without a restart. A file that is broken or missing changes
/// nothing: the last good one counts, and the log says why, once.
///
/// Its methods may wait (for the disk, for a turn to hash), so adapters ask it off their event loop. Any number of
/// threads may.
pub struct UserFile {
    users: RwLock<Arc<Users>>,
    /// Held while the file is read, never while a password is hashed.
    reader: Mutex<Reader>,
    turns: Turns,
    /// Whom an unknown user is compared with, so that they cost as much time as a known one.
    nobody: Phc,
    path: PathBuf,
}

impl UserFile {
    /// Reads the file at `path`. Half as many passwords are checked at one time as there are processors.
    ///
    /// # Errors
    /// The file cannot be read, or anything in it is wrong.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, UserFileError> {
        let path = path.into();
        let nobody = Phc::nobody().map_err(|_| {
            UserFileError::new(&path, "cannot be used without random bytes", "try again later")
        })?;
        let mut watch = Watch::new(&path);
        // The first look always finds something new.
        let users = Users::new(watch.look().unwrap_or_else(|| Ok(Vec::new()))?);
        warn_of_outdated(&path, &users);
        let processors = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Ok(Self {
            users: RwLock::new(Arc::new(users)),
            reader: Mutex::new(Reader { watch, fault: None, ended: BTreeSet::new() }),
            turns: Turns::new(processors / 2),
            nobody,
            path,
        })
    }

    /// Checks at most `at_once` passwords at one time, and at least one; the others wait. Each takes 19 MiB and a
    /// processor for 20 to 30 ms.
    #[must_use]
    pub fn hashes_at_once(self, at_once: usize) -> Self {
        Self { turns: Turns::new(at_once), ..self }
    }

    /// The path that it was opened with.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the file again if it has changed, and hands over whose sessions must end: of all changes since the last
    /// call, those included that a check has noticed. To be called every few seconds.
    ///
    /// Whoever lost a right is not in it: new roles count when a session is renewed.
    pub fn refresh(&self) -> Changes {
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        self.follow(&mut reader);
        Changes {
            ended: std::mem::take(&mut reader.ended).into_iter().collect(),
            fault: reader.fault.clone(),
        }
    }

    /// The account of a user whose password is the same now as in `users`. Hashing takes its time: whoever was removed
    /// or disabled meanwhile is not let in any more.
    fn still(&self, users: &Users, id: &str) -> Option<Account> {
        let before = &users.active(id)?.password;
        self.current().active(id).filter(|entry| entry.password == *before).map(Entry::account)
    }

    /// The users as they are now. While another thread reads the file, it does so for this one as well.
    fn current(&self) -> Arc<Users> {
        match self.reader.try_lock() {
            Ok(mut reader) => self.follow(&mut reader),
            Err(TryLockError::Poisoned(reader)) => self.follow(&mut reader.into_inner()),
            Err(TryLockError::WouldBlock) => {}
        }
        Arc::clone(&self.users.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn follow(&self, reader: &mut Reader) {
        match reader.watch.look() {
            None => {}
            Some(Ok(entries)) => {
                let new = Arc::new(Users::new(entries));
                let old = {
                    let mut users = self.users.write().unwrap_or_else(PoisonError::into_inner);
                    std::mem::replace(&mut *users, Arc::clone(&new))
                };
                let ended = old.ended_in(&new);
                let path = reader.watch.path().display();
                let again = if reader.fault.take().is_some() {
                    "the user file is good again"
                } else {
                    "the user file has changed"
                };
                tracing::info!(target: "authgate", file = %path, users = new.0.len(), ended = ended.len(), "{again}");
                reader.ended.extend(ended);
                warn_of_outdated(reader.watch.path(), &new);
            }
            Some(Err(error)) => {
                tracing::error!(target: "authgate", "{error}; until then the users are those of the last good file");
                reader.fault = Some(error);
            }
        }
    }
}

impl UserStore for UserFile {
    fn check(&self, credentials: &Credentials) -> Result<Verdict, Unavailable> {
        let id = credentials.username.as_str();
        let turn = self.turns.take();
        let users = self.current();
        let before = users.active(id).map(|entry| &entry.password);
        let matches = before.unwrap_or(&self.nobody).verify(credentials.password.expose().as_bytes(), &turn);
        drop(turn);
        let matches =
            matches.map_err(|error| Unavailable::new(format!("a password cannot be hashed: {error}")))?;
        if !matches || before.is_none() {
            return Ok(Verdict::Rejected);
        }
        Ok(self.still(&users, id).into())
    }

    fn look_up(&self, user: &str) -> Result<Lookup, Unavailable> {
        let users = self.current();
        Ok(users.active(user).map_or(Lookup::Gone, |entry| Lookup::Found(entry.account())))
    }
}

impl fmt::Debug for UserFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserFile").field("path", &self.path).finish_non_exhaustive()
    }
}

/// What reads the file, and what it found that nobody has asked for yet.
struct Reader {
    watch: Watch,
    fault: Option<UserFileError>,
    ended: BTreeSet<String>,
}

/// The entries of one state of the file, by id.
struct Users(HashMap<String, Entry>);

impl Users {
    fn new(entries: Vec<Entry>) -> Self {
        Self(entries.into_iter().map(|entry| (entry.id.clone(), entry)).collect())
    }

    /// The user with this id, unless they are disabled.
    fn active(&self, id: &str) -> Option<&Entry> {
        self.0.get(id).filter(|entry| !entry.disabled)
    }

    /// Whose sessions end when these users become `new`.
    fn ended_in(&self, new: &Self) -> Vec<String> {
        let goes_on = |old: &Entry| new.active(&old.id).is_some_and(|entry| entry.password == old.password);
        self.0.values().filter(|old| !old.disabled && !goes_on(old)).map(|old| old.id.clone()).collect()
    }
}

/// How many ids one line of the log names.
const MOST_NAMED: usize = 20;

fn warn_of_outdated(path: &Path, users: &Users) {
    let outdated = users.0.values().filter(|entry| entry.password.is_outdated());
    let ids: BTreeSet<_> = outdated.map(|entry| entry.id.as_str()).collect();
    if ids.is_empty() {
        return;
    }
    let named: Vec<_> = ids.iter().take(MOST_NAMED).copied().collect();
    let more = ids.len() - named.len();
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    tracing::warn!(
        target: "authgate",
        file = %path.display(),
        users = %format_args!("{}{rest}", named.join(", ")),
        "password hashes with outdated parameters; these users should set a new password"
    );
}

#[cfg(test)]
mod tests;
