use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock, TryLockError};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use authgate_core::{Account, Credentials, Lookup, Unavailable, User, UserStore, Verdict};

use crate::changes::{Changes, Ended};
use crate::entry::Entry;
use crate::error::UserFileError;
use crate::hash::Phc;
use crate::turns::Turns;
use crate::users::Users;
use crate::watch::Watch;

/// The users in a file: a [`UserStore`] that follows the file as it changes.
///
/// A change counts from the next check or look-up on, without a restart. A file that is broken or missing changes
/// nothing: the last good one counts, and the log says why, once.
///
/// Only a removal takes a moment, because a file that is being written in place may look as if all users below a cut
/// were removed. It counts once the file has been seen with the same contents for a second. Until then the user cannot
/// sign in, and a look-up answers [`Lookup::Unknowable`]: their sessions go on as they are. To end sessions at once,
/// disable the user.
///
/// An unknown user costs as much time as the one with the costliest hash. So all users cost the same in a file whose
/// hashes have the same parameters; in another one, who answers faster than a stranger is known to exist.
///
/// Its methods may wait (for the disk, for a turn to hash), so adapters ask it off their event loop. Any number of
/// threads may.
pub struct UserFile {
    users: RwLock<Arc<Users>>,
    /// Held while the file is read, never while a password is hashed.
    reader: Mutex<Reader>,
    turns: Turns,
    /// Whom an unknown user is compared with, before it is made as costly as the users of the file.
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
        let users = Users::new(watch.look().unwrap_or_else(|| Ok(Vec::new()))?, &nobody);
        warn_of_outdated(&path, &users);
        let processors = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Ok(Self {
            users: RwLock::new(Arc::new(users)),
            reader: Mutex::new(Reader::new(watch)),
            turns: Turns::new(processors / 2),
            nobody,
            path,
        })
    }

    /// Checks at most `at_once` passwords at one time, and at least one. Each takes a processor for 20 to 30 ms, and 19
    /// MiB that are kept for the next one.
    ///
    /// For each of them 24 others may wait, up to two seconds. A check beyond that is answered [`Unavailable`], so
    /// that a flood of passwords does not take the threads that look-ups need.
    #[must_use]
    pub fn hashes_at_once(self, at_once: usize) -> Self {
        Self { turns: Turns::new(at_once), ..self }
    }

    /// The path that it was opened with.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the file again if it has changed, and hands over whose sessions must end: of all changes since the last
    /// call, those included that a check has noticed. To be called every few seconds; a removal counts at the second
    /// look at the earliest.
    ///
    /// Whoever lost a right is not in it: new roles count when a session is renewed.
    pub fn refresh(&self) -> Changes {
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        self.catch_up(&mut reader);
        Changes { ended: reader.take_ended(), fault: reader.fault.clone() }
    }

    /// The user with this id, unless they are disabled.
    pub fn find(&self, id: &str) -> Option<User> {
        self.current().active(id).map(|entry| entry.account().user)
    }

    /// The ids of those whose sessions must end when another file takes this one's place: they are not in it, are disabled, or
    /// have another password there.
    pub fn lost_to(&self, other: &Self) -> impl Iterator<Item = String> + use<> {
        self.users().lost_to(&other.users()).into_iter()
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
            Ok(mut reader) => self.catch_up(&mut reader),
            Err(TryLockError::Poisoned(reader)) => self.catch_up(&mut reader.into_inner()),
            Err(TryLockError::WouldBlock) => {}
        }
        self.users()
    }

    fn catch_up(&self, reader: &mut Reader) {
        match reader.watch.look() {
            None => self.confirm(reader),
            Some(Ok(entries)) => {
                reader.since = Instant::now();
                self.change(reader, entries);
            }
            Some(Err(error)) => {
                reader.since = Instant::now();
                tracing::error!(target: "authgate", "{error}; until then the users are those of the last good file");
                reader.fault = Some(error);
            }
        }
    }

    fn change(&self, reader: &mut Reader, entries: Vec<Entry>) {
        // Nobody else changes the users: that takes the reader.
        let (new, ended) = self.users().next(entries, &self.nobody);
        let new = Arc::new(new);
        self.replace(Arc::clone(&new));
        let path = reader.watch.path().display();
        let again = if reader.fault.take().is_some() {
            "the user file is good again"
        } else {
            "the user file has changed"
        };
        let (users, missing, ended_now) = (new.len(), new.missing(), ended.len());
        tracing::info!(target: "authgate", file = %path, users, missing, ended = ended_now, "{again}");
        // After the users were replaced: what signs in from now on does so by the new ones. A check that is just ending
        // may still be a moment later; the next look-up tells that its password is an old one.
        reader.end(ended);
        warn_of_outdated(reader.watch.path(), &new);
    }

    /// Takes the missing users for removed, once a good file has been the same for long enough.
    fn confirm(&self, reader: &mut Reader) {
        if reader.fault.is_some() || reader.since.elapsed() < reader.settles {
            return;
        }
        let users = self.users();
        if users.missing() == 0 {
            return;
        }
        let mut without = Users::clone(&users);
        let ended = without.confirm();
        self.replace(Arc::new(without));
        let path = reader.watch.path().display();
        tracing::info!(target: "authgate", file = %path, ended = ended.len(), "users were removed from the user file");
        reader.end(ended);
    }

    fn users(&self) -> Arc<Users> {
        Arc::clone(&self.users.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn replace(&self, new: Arc<Users>) {
        *self.users.write().unwrap_or_else(PoisonError::into_inner) = new;
    }
}

impl UserStore for UserFile {
    fn check(&self, credentials: &Credentials) -> Result<Verdict, Unavailable> {
        let id = credentials.username.as_str();
        let mut turn = self.turns.take().ok_or_else(|| Unavailable::new(BUSY))?;
        let users = self.current();
        let (password, is_known) = users.password(id);
        let matches = password.verify(credentials.password.expose().as_bytes(), &mut turn.memory);
        drop(turn);
        let matches =
            matches.map_err(|error| Unavailable::new(format!("a password cannot be hashed: {error}")))?;
        if !matches || !is_known {
            return Ok(Verdict::Rejected);
        }
        Ok(self.still(&users, id).into())
    }

    fn look_up(&self, user: &str) -> Result<Lookup, Unavailable> {
        Ok(self.current().look_up(user))
    }
}

const BUSY: &str =
    "too many passwords are being checked at the moment; if that is no attack, allow more at once";

impl fmt::Debug for UserFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserFile").field("path", &self.path).finish_non_exhaustive()
    }
}

/// For how long a file must be the same until who is missing from it counts as removed. Nobody pauses for longer in the
/// middle of writing.
const SETTLES: Duration = Duration::from_secs(1);

/// What reads the file, and what it found that nobody has asked for yet.
struct Reader {
    watch: Watch,
    fault: Option<UserFileError>,
    /// When the file was first seen as it is now.
    since: Instant,
    settles: Duration,
    /// Whose sessions end, and since when.
    ended: BTreeMap<String, SystemTime>,
}

impl Reader {
    fn new(watch: Watch) -> Self {
        Self { watch, fault: None, since: Instant::now(), settles: SETTLES, ended: BTreeMap::new() }
    }

    /// Keeps whose sessions end by what was noticed just now.
    fn end(&mut self, ids: BTreeSet<String>) {
        let noticed = SystemTime::now();
        self.ended.extend(ids.into_iter().map(|id| (id, noticed)));
    }

    fn take_ended(&mut self) -> Vec<Ended> {
        let ended = std::mem::take(&mut self.ended);
        ended.into_iter().map(|(id, noticed)| Ended { id, noticed }).collect()
    }
}

/// How many ids one line of the log names.
const MOST_NAMED: usize = 20;

fn warn_of_outdated(path: &Path, users: &Users) {
    let ids = users.outdated();
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
