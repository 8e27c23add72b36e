use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime};
use std::{io, thread};

use authgate_core::Gate;

use crate::UserFile;

/// How often the file is looked at.
const EVERY: Duration = Duration::from_secs(1);

impl UserFile {
    /// Has the file looked at once a second, on a thread of its own, for as long as somebody else holds it. Whoever is
    /// disabled or removed or has a new password is signed out of `gate`, and their streams end.
    ///
    /// # Errors
    /// No thread can be started.
    pub fn follow(self: &Arc<Self>, gate: Gate) -> io::Result<()> {
        self.follow_with(move |user, noticed| {
            gate.end_sessions_begun_until(user, noticed.into(), SystemTime::now().into());
        })
    }

    /// As [`follow`](Self::follow), for whoever has others to tell as well: `end` is called on that thread with a user's
    /// id, and the moment up to which their sessions end.
    ///
    /// # Errors
    /// No thread can be started.
    pub fn follow_with(
        self: &Arc<Self>,
        mut end: impl FnMut(&str, SystemTime) + Send + 'static,
    ) -> io::Result<()> {
        let users = Arc::downgrade(self);
        let follow = move || {
            while look(&users, &mut end).is_some() {
                thread::sleep(EVERY);
            }
        };
        thread::Builder::new().name("authgate-users".to_owned()).spawn(follow).map(drop)
    }
}

/// Nothing once nobody holds the file any more.
fn look(users: &Weak<UserFile>, end: &mut impl FnMut(&str, SystemTime)) -> Option<()> {
    for ended in users.upgrade()?.refresh().ended {
        end(&ended.id, ended.noticed);
    }
    Some(())
}
