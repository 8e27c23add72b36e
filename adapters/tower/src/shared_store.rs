use std::sync::Arc;
use std::time::Duration;

use authgate_core::{Count, CountKey, EndingsNews, EndingsSince, Swap};

use crate::{Answer, SessionStore};

/// A store that the gates of many processes share: sessions, what has ended before its time, and the count of tries to
/// sign in. `authgate-redis` has one that is ready to use.
///
/// What it must keep beyond a [`SessionStore`]:
///
/// - an ending that it has been told of, by `remove` or `end_user`, is in the answer of every `endings` that is asked for
///   later, from wherever that asks on, until it is older than the longest lifetime that anybody asks with;
/// - whatever it has lost or thrown away is below the [`floor`](EndingsNews::floor) that it tells, so that nobody comes
///   back;
/// - moments are by its own clock, which does not go back;
/// - `swap_counts` is one atomic step, and a count is gone by itself after [`lasts`](Swap::lasts);
/// - a session is gone by itself after [`Session::lasts`](authgate_core::Session::lasts): its moments are by the store's
///   clock, and the `now` of a call is by the gate's.
pub trait SharedStore: SessionStore {
    /// What has ended since. [`remove`](SessionStore::remove) is an ending of one session, whether or not there was a
    /// record.
    fn endings(&self, since: EndingsSince) -> Answer<'_, EndingsNews>;

    /// Ends all sessions of a user that were issued until `ago` before now, by the store's clock.
    fn end_user(&self, user: String, ago: Duration) -> Answer<'_, ()>;

    /// These counts, in this order; nothing for one that there is not.
    fn counts(&self, keys: Vec<CountKey>) -> Answer<'_, Vec<Option<Count>>>;

    /// Makes all these changes, or none of them: `false` if a count is not what it was.
    fn swap_counts(&self, swaps: Vec<Swap>) -> Answer<'_, bool>;
}

impl<S: SharedStore + ?Sized> SharedStore for Arc<S> {
    fn endings(&self, since: EndingsSince) -> Answer<'_, EndingsNews> {
        (**self).endings(since)
    }

    fn end_user(&self, user: String, ago: Duration) -> Answer<'_, ()> {
        (**self).end_user(user, ago)
    }

    fn counts(&self, keys: Vec<CountKey>) -> Answer<'_, Vec<Option<Count>>> {
        (**self).counts(keys)
    }

    fn swap_counts(&self, swaps: Vec<Swap>) -> Answer<'_, bool> {
        (**self).swap_counts(swaps)
    }
}
