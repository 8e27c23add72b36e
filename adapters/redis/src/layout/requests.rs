use std::time::Duration;

use authgate_core::{CountKey, EndingsSince, Session, SessionId, Swap, Unavailable};

use super::{END_USER, ENDINGS, Layout, REMOVE, SWAP_COUNTS};

/// What is sent to Redis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// A command and its arguments.
    Command(Vec<Vec<u8>>),
    /// A script: `EVALSHA`, and `EVAL` where Redis does not know it yet.
    Script {
        /// Its text.
        script: &'static str,
        /// `KEYS`.
        keys: Vec<Vec<u8>>,
        /// `ARGV`.
        args: Vec<Vec<u8>>,
    },
}

impl Layout {
    /// Asks for a session's record; [`session`](super::session) reads it.
    pub fn load(&self, id: SessionId) -> Request {
        Request::Command(vec![b"GET".to_vec(), self.session(id)])
    }

    /// Keeps a new session. An answer that is not nil says that there was none of this id.
    ///
    /// # Errors
    ///
    /// If the session cannot be written as JSON.
    pub fn create(&self, id: SessionId, session: &Session) -> Result<Request, Unavailable> {
        self.set(id, session, "NX")
    }

    /// Replaces a session. An answer that is not nil says that there was one of this id.
    ///
    /// # Errors
    ///
    /// If the session cannot be written as JSON.
    pub fn renew(&self, id: SessionId, session: &Session) -> Result<Request, Unavailable> {
        self.set(id, session, "XX")
    }

    /// Removes a session, and tells of it. The answer is a position.
    pub fn remove(&self, id: SessionId, known: Option<&str>) -> Request {
        let mut keys = self.endings().to_vec();
        keys.push(self.session(id));
        Request::Script { script: REMOVE, keys, args: vec![text(known.unwrap_or_default()), text(&id)] }
    }

    /// Ends all sessions of a user that were issued until `ago` before now. The answer is a position.
    pub fn end_user(&self, user: &str, ago: Duration, known: Option<&str>) -> Request {
        let args = vec![text(known.unwrap_or_default()), text(user), text(&ago.as_millis())];
        Request::Script { script: END_USER, keys: self.endings().to_vec(), args }
    }

    /// Asks what has ended; [`news`](super::news) reads it. The position that is `known` may be later than the one to go
    /// on from.
    pub fn endings_since(&self, since: &EndingsSince, known: Option<&str>) -> Request {
        let from = since.position.as_deref().unwrap_or_default();
        let args = vec![text(known.unwrap_or(from)), text(from), text(&since.lifetime.as_millis())];
        Request::Script { script: ENDINGS, keys: self.endings().to_vec(), args }
    }

    /// Asks how long sessions live at most, among all gates that have ever asked; nil, if none has.
    pub fn keep(&self) -> Request {
        let [_, about] = self.endings();
        Request::Command(vec![text("HMGET"), about, text("keep")])
    }

    /// Asks for counts; [`count`](super::count) reads each.
    pub fn counts(&self, keys: &[CountKey]) -> Request {
        let keys = keys.iter().map(|&key| self.count(key));
        Request::Command(std::iter::once(b"MGET".to_vec()).chain(keys).collect())
    }

    /// Changes counts if all of them are what they were. The answer is 1 or 0.
    pub fn swap_counts(&self, swaps: &[Swap]) -> Request {
        let keys = swaps.iter().map(|swap| self.count(swap.key)).collect();
        let args = swaps.iter().flat_map(|swap| {
            let ttl = milliseconds(swap.lasts);
            let written = |count: Option<_>| count.as_ref().map(text).unwrap_or_default();
            [written(swap.was), written(swap.becomes), text(&ttl)]
        });
        Request::Script { script: SWAP_COUNTS, keys, args: args.collect() }
    }

    fn set(&self, id: SessionId, session: &Session, only: &str) -> Result<Request, Unavailable> {
        let record = serde_json::to_vec(session)
            .map_err(|error| Unavailable::new(format!("a session that cannot be written: {error}")))?;
        let ttl = text(&milliseconds(session.lasts()));
        Ok(Request::Command(vec![text("SET"), self.session(id), record, text(only), text("PX"), ttl]))
    }
}

/// Redis takes neither nothing nor what would be beyond the end of its time.
fn milliseconds(span: Duration) -> u128 {
    span.as_millis().clamp(1, 1 << 60)
}

fn text(value: &(impl ToString + ?Sized)) -> Vec<u8> {
    value.to_string().into_bytes()
}
