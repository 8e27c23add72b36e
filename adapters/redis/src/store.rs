use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use authgate_core::{
    ConfigError, Count, CountKey, EndingsNews, EndingsSince, Session, SessionId, Swap, Timestamp, Unavailable,
};
use authgate_tower::{Answer, SessionStore, SharedStore};
use redis::{FromRedisValue, Value};

use crate::address::Address;
use crate::layout::{self, Known, Layout, Request};
use crate::link::Link;

/// Sessions in Redis or Valkey, shared by everybody who uses the same server and [prefix](Self::prefix).
///
/// It connects when it is first asked, over one connection that all calls share, and again whenever that is lost or falls
/// silent: at once, then after rests that grow to a second. Every call ends within the [deadline](Self::deadline). It
/// runs on the tokio runtime that it is asked on, whose I/O and time must be enabled, or on smol where there is none.
///
/// Redis should be told to keep what it acknowledges (`appendonly yes`, `appendfsync always`) and to evict nothing
/// (`maxmemory-policy noeviction`): endings that it forgets unnoticed would let people back in. Where the store notices a
/// loss, everybody has to sign in again. Point it at a primary, never at a replica; Redis Cluster is not supported.
pub struct RedisStore {
    layout: Layout,
    link: Arc<Link>,
    known: Known,
    /// Tells it from every other store of this process.
    number: u64,
}

impl RedisStore {
    /// A store at a URL: `redis://`, `rediss://` over TLS, or `unix://` with the path of a socket; with user, password
    /// and database number as in `rediss://user:password@host:6379/2`. Nothing is asked yet.
    ///
    /// # Errors
    ///
    /// If this is no such URL. The error holds no part of it.
    pub fn new(url: &str) -> Result<Self, ConfigError> {
        let link = Link::new(Address::parse(url)?, Duration::from_secs(1));
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        Ok(Self { layout: Layout::default(), link, known: Known::default(), number })
    }

    /// Begins every key with this instead of `authgate:`.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.layout = Layout::new(prefix);
        self
    }

    /// How long a call takes at most; a second unless told otherwise.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.link = Link::new(self.link.address().clone(), deadline);
        self
    }

    /// Trusts these authorities, in PEM, beside those of the machine.
    ///
    /// # Errors
    ///
    /// If the URL is not of `rediss://`, or if these are no certificates.
    pub fn trust(mut self, pem: &[u8]) -> Result<Self, ConfigError> {
        let mut address = self.link.address().clone();
        address.trust(pem)?;
        self.link = Link::new(address, self.link.deadline());
        Ok(self)
    }

    /// Asks whether it is there, to find out early.
    ///
    /// # Errors
    ///
    /// If it is not, or refuses, or does not answer within the deadline.
    pub async fn ping(&self) -> Result<(), Unavailable> {
        self.link.ask(&Request::Command(vec![b"PING".to_vec()]), true).await.map(drop)
    }

    /// Whether a gate has ever asked what has ended here: for whoever tells a store of endings, and might have the wrong
    /// one.
    ///
    /// # Errors
    ///
    /// As [`ping`](Self::ping).
    pub async fn is_used(&self) -> Result<bool, Unavailable> {
        let keep: Vec<Option<Vec<u8>>> = self.ask(&self.layout.keep(), Again::MayBe).await?;
        Ok(keep.iter().any(Option::is_some))
    }

    /// The answer, as what it must be.
    async fn ask<T: FromRedisValue>(&self, request: &Request, again: Again) -> Result<T, Unavailable> {
        let answer = self.link.ask(request, again == Again::MayBe).await?;
        T::from_redis_value(answer)
            .map_err(|_| Unavailable::new("the session store answers with what was not asked for"))
    }

    /// Tells of an ending, and remembers how far the stream goes by now.
    async fn tell(&self, request: Request) -> Result<(), Unavailable> {
        let position: String = self.ask(&request, Again::MayBe).await?;
        self.known.learn(&position);
        Ok(())
    }

    /// A position that this store has told. That of another says nothing here, should one gate be given two of them;
    /// taken for one of this server's it would look as if this one had lost what the other has.
    fn own(&self, position: &str) -> Option<String> {
        let (position, number) = position.split_once('@')?;
        (number.parse() == Ok(self.number)).then(|| position.to_owned())
    }
}

/// How many stores this process has made.
static MADE: AtomicU64 = AtomicU64::new(0);

/// Whether a request may be made twice without doing more than once. A lost answer leaves no other way to find out.
#[derive(PartialEq, Eq)]
enum Again {
    MayBe,
    Never,
}

impl SessionStore for RedisStore {
    fn load(&self, id: SessionId, _: Timestamp) -> Answer<'_, Option<Session>> {
        Box::pin(async move {
            let record: Option<Vec<u8>> = self.ask(&self.layout.load(id), Again::MayBe).await?;
            Ok(record.and_then(|record| layout::session(&record)))
        })
    }

    fn create(&self, id: SessionId, session: Session, _: Timestamp) -> Answer<'_, bool> {
        Box::pin(async move {
            let answer: Value = self.ask(&self.layout.create(id, &session)?, Again::Never).await?;
            Ok(answer != Value::Nil)
        })
    }

    fn renew(&self, id: SessionId, session: Session, _: Timestamp) -> Answer<'_, bool> {
        Box::pin(async move {
            let answer: Value = self.ask(&self.layout.renew(id, &session)?, Again::MayBe).await?;
            Ok(answer != Value::Nil)
        })
    }

    fn remove(&self, id: SessionId, _: Timestamp) -> Answer<'_, ()> {
        Box::pin(async move { self.tell(self.layout.remove(id, self.known.latest(None).as_deref())).await })
    }
}

impl SharedStore for RedisStore {
    fn endings(&self, since: EndingsSince) -> Answer<'_, EndingsNews> {
        Box::pin(async move {
            let since = EndingsSince { position: since.position.and_then(|text| self.own(&text)), ..since };
            let known = self.known.latest(since.position.as_deref());
            let request = self.layout.endings_since(&since, known.as_deref());
            let reply: Vec<Vec<u8>> = self.ask(&request, Again::MayBe).await?;
            let news = layout::news(&reply)?;
            self.known.learn(&news.position);
            Ok(EndingsNews { position: format!("{}@{}", news.position, self.number), ..news })
        })
    }

    fn end_user(&self, user: String, ago: Duration) -> Answer<'_, ()> {
        Box::pin(async move {
            self.tell(self.layout.end_user(&user, ago, self.known.latest(None).as_deref())).await
        })
    }

    fn counts(&self, keys: Vec<CountKey>) -> Answer<'_, Vec<Option<Count>>> {
        Box::pin(async move {
            if keys.is_empty() {
                return Ok(Vec::new());
            }
            let reply: Vec<Option<Vec<u8>>> = self.ask(&self.layout.counts(&keys), Again::MayBe).await?;
            Ok(reply.into_iter().map(|count| layout::count(&count?)).collect())
        })
    }

    fn swap_counts(&self, swaps: Vec<Swap>) -> Answer<'_, bool> {
        Box::pin(async move { self.ask(&self.layout.swap_counts(&swaps), Again::Never).await })
    }
}

/// Its address and prefix, without a user or a password.
impl fmt::Display for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, prefix {:?}", self.link.address(), self.layout.prefix())
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RedisStore").field(&format_args!("{}", self.link.address())).finish()
    }
}
