//! Sessions: who signed in, since when, until when.

mod cookie;
mod endings;
mod heard;
mod id;
mod memory;
mod rules;
mod seal;
mod settings;

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use self::cookie::SameSite;
pub(crate) use self::endings::Endings;
pub use self::id::SessionId;
pub(crate) use self::id::SessionSecret;
pub use self::memory::MemoryStore;
pub(crate) use self::rules::{Presented, SessionRules, Shown, Standing};
pub use self::seal::SealingKey;
pub use self::settings::Sessions;
use crate::account::Fingerprint;
use crate::{Timestamp, User};

/// What a sign-in leaves behind: kept in a store, or sealed into the cookie itself.
///
/// A store writes it with `serde` in whatever format it likes, and gives it back as it was. What cannot be read, because
/// another version wrote it, is no session: answer that there is none, and no error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Session {
    /// What it is kept under, so that a store which mixes its answers up lets nobody in as somebody else.
    pub(crate) id: SessionId,
    pub(crate) user: Arc<User>,
    pub(crate) credential: Option<Fingerprint>,
    pub(crate) issued: Timestamp,
    pub(crate) renewed: Timestamp,
    pub(crate) until: Timestamp,
    pub(crate) ends: Timestamp,
}

/// Why a session does not hold; for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SessionFault {
    /// The cookie is none of ours: tampered with, cut, too long, twice there, of an older version, or sealed with a key
    /// that is no longer in the ring.
    Cookie,
    /// The store knows no such session.
    Unknown,
    /// It has not been used for too long.
    Idle,
    /// It is as old as a session may become.
    Ended,
    /// Its user signed out, of this session or of all.
    SignedOut,
    /// Its user has another credential now, is disabled or gone.
    UserChanged,
}

impl Session {
    /// What it is kept under.
    pub fn id(&self) -> SessionId {
        self.id
    }

    /// The user.
    pub fn user(&self) -> &User {
        &self.user
    }

    /// When the user signed in.
    pub fn issued(&self) -> Timestamp {
        self.issued
    }

    /// When it ends unless it is renewed before. A store may forget it from then on.
    pub fn until(&self) -> Timestamp {
        self.until
    }

    /// How long it lasts from when it began or was last renewed, unless it is renewed again: for a store that goes by a
    /// clock of its own.
    pub fn lasts(&self) -> Duration {
        self.until.time_left(self.renewed)
    }

    /// When it ends whatever happens.
    pub fn ends(&self) -> Timestamp {
        self.ends
    }
}

impl SessionFault {
    /// A short stable name to search a log for.
    pub fn slug(self) -> &'static str {
        self.words().0
    }

    /// One sentence for whoever reads the log.
    pub fn explain(self) -> &'static str {
        self.words().1
    }

    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Cookie => {
                ("session-cookie", "the session's cookie is none of ours, or of another key or version")
            }
            Self::Unknown => ("session-unknown", "the store knows no such session"),
            Self::Idle => ("session-idle", "the session has not been used for too long"),
            Self::Ended => ("session-ended", "the session is as old as it may become"),
            Self::SignedOut => ("session-signed-out", "the user has signed out of this session"),
            Self::UserChanged => {
                ("session-user-changed", "the session's user has another credential now, is disabled or gone")
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A session of `user` that began at second 1000.
    pub(crate) fn session(user: &str) -> Session {
        let at = Timestamp::from_secs;
        Session {
            id: SessionSecret::new([1; 32]).id(),
            user: Arc::new(User { roles: vec!["ops".into()], ..User::new(user) }),
            credential: Some(Fingerprint::of("hash")),
            issued: at(1000),
            renewed: at(1000),
            until: at(1000 + 1800),
            ends: at(1000 + 43200),
        }
    }

    #[test]
    fn a_session_reads_back_as_it_was_written_and_nothing_else_is_one() {
        let json = serde_json::to_string(&session("ada")).unwrap();
        assert_eq!(serde_json::from_str::<Session>(&json).unwrap(), session("ada"));
        for other in
            ["{}", "null", &json.replace("\"issued\"", "\"since\""), &json.replacen('{', "{\"x\":1,", 1)]
        {
            assert!(serde_json::from_str::<Session>(other).is_err(), "{other}");
        }
    }

    #[test]
    fn a_session_lasts_from_when_it_was_renewed_and_not_from_when_it_began() {
        let renewed = Session { renewed: Timestamp::from_secs(2200), ..session("ada") };
        assert_eq!(session("ada").lasts(), Duration::from_mins(30));
        assert_eq!(renewed.lasts(), Duration::from_mins(10));
    }

    #[test]
    fn whoever_reads_the_log_learns_what_is_wrong_with_a_session() {
        let all = [
            (SessionFault::Cookie, "cookie"),
            (SessionFault::Unknown, "no such session"),
            (SessionFault::Idle, "not been used"),
            (SessionFault::Ended, "as old as"),
            (SessionFault::SignedOut, "signed out"),
            (SessionFault::UserChanged, "another credential"),
        ];
        for (fault, words) in all {
            assert!(fault.explain().contains(words), "{}", fault.explain());
        }
    }
}
