//! How sessions, endings and counts are laid out in Redis: for whoever writes another client.
//!
//! No client and no runtime is needed here: a [`Layout`] makes [`Request`]s, which are lists of byte strings, and reads
//! the replies.
//!
//! | key | type | holds | expires |
//! |---|---|---|---|
//! | `{prefix}session:{id}` | string | the JSON of a [`Session`], by the 43 characters of its id | with the session |
//! | `{prefix}count:{key}` | string | a [`Count`], `end:last`, by its [`CountKey`] | when it has drained |
//! | `{prefix}endings` | stream | what has ended before its time | never; it is trimmed |
//! | `{prefix}endings:about` | hash | `birth` and `keep`, in milliseconds | never |
//!
//! The prefix is `authgate:` unless another is chosen. Spans (`PX`) are lengths between moments by Redis's clock; the
//! caller's clock need not agree.
//!
//! **Entries of the stream.** An entry's id begins with the moment that it was made at. Its fields are `s`, the id of the
//! session; or `u`, the user's id, `until`, the last moment whose sessions end; or `b` and a moment, where `birth` was
//! set to the present. Others are to be ignored.
//!
//! **The hash.** Sessions that were issued up to `birth` have all ended: it is the
//! [`floor`](authgate_core::EndingsNews::floor). It is set to the present when there is none, when there is no stream, or
//! when a caller knows a position that the stream has not reached, or does not have although it has older ones (an older
//! snapshot was restored, or a replica took over that lagged); and it rises to the moment of what had to be, or may have
//! been, thrown away. `keep` is the longest lifetime that anybody has asked with. Whoever appends throws away what is
//! older than that, and the oldest of more than 100 000.
//!
//! **Time** is Redis's `TIME`, but never before the stream's last entry.
//!
//! **Requests.**
//!
//! | what | how | reply |
//! |---|---|---|
//! | load | `GET` | the record, or nil |
//! | create | `SET` with `NX` and `PX` | `OK`, or nil if there is one |
//! | renew | `SET` with `XX` and `PX` | `OK`, or nil if there is none |
//! | remove | [`REMOVE`], `endings`, `endings:about`, `session:{id}`; known position, id | the position of the ending |
//! | end a user | [`END_USER`], `endings`, `endings:about`; known position, user's id, milliseconds ago | the position of the ending |
//! | endings | [`ENDINGS`], `endings`, `endings:about`; known position, position to go on from, lifetime in milliseconds | position, whether there is more (`1`, `0`), floor, now, and each ending as `s:{moment}:{id}` or `u:{until}:{user}` |
//! | counts | `MGET` | the counts, or nil |
//! | swap | [`SWAP_COUNTS`], `count:{key}`…; was, becomes, milliseconds… | `1`, or `0` if any was another |
//!
//! An empty string stands for a position or a count that there is not. The *known position* is the latest that the caller
//! has had in a reply: by it a loss is found out before anything is appended to what is left. A page of endings has 1000
//! at most.
//!
//! It takes Redis 6.2 or newer, or Valkey, whose user may do what [`PERMISSIONS`] says, and one primary: a replica may
//! lag, and what is asked there may have ended.
//!
//! [`Session`]: authgate_core::Session
//! [`Count`]: authgate_core::Count

mod known;
mod replies;
mod requests;

use authgate_core::{CountKey, SessionId};

pub use self::known::Known;
pub use self::replies::{count, news, session};
pub use self::requests::Request;

/// Removes a session and tells that it has ended.
pub const REMOVE: &str = concat!(include_str!("open.lua"), include_str!("remove.lua"));
/// Tells that all sessions of a user have ended.
pub const END_USER: &str = concat!(include_str!("open.lua"), include_str!("end_user.lua"));
/// Tells what has ended since.
pub const ENDINGS: &str = concat!(include_str!("open.lua"), include_str!("endings.lua"));
/// Changes counts if all of them are what they were.
pub const SWAP_COUNTS: &str = include_str!("swap_counts.lua");

/// What a user of Redis (`ACL SETUSER`) must be allowed for all of this, under the usual prefix; beside `+select` for a
/// database other than the first.
pub const PERMISSIONS: &str = "~authgate:* +ping +get +set +mget +del +eval +evalsha +exists +hmget +hset +time \
                               +xadd +xinfo|stream +xlen +xrange +xtrim";

/// The names of keys under one prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    prefix: String,
}

impl Layout {
    /// Begins every key with this. Stores of different prefixes know nothing of each other.
    pub fn new(prefix: impl Into<String>) -> Self {
        Self { prefix: prefix.into() }
    }

    /// What every key begins with.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    fn key(&self, rest: &str) -> Vec<u8> {
        [self.prefix.as_bytes(), rest.as_bytes()].concat()
    }

    fn session(&self, id: SessionId) -> Vec<u8> {
        self.key(&format!("session:{id}"))
    }

    fn count(&self, key: CountKey) -> Vec<u8> {
        self.key(&format!("count:{key}"))
    }

    fn endings(&self) -> [Vec<u8>; 2] {
        [self.key("endings"), self.key("endings:about")]
    }
}

impl Default for Layout {
    fn default() -> Self {
        Self::new("authgate:")
    }
}
