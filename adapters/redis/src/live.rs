use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, RedisError, Script, Value};
use rustls::pki_types::ServerName;
use tokio_rustls::TlsConnector;

use crate::address::{Address, Place};
use crate::layout::{END_USER, ENDINGS, REMOVE, Request, SWAP_COUNTS};
use crate::runtime::{Runtime, Stream, Task};

/// An open connection, which many calls share.
pub(crate) struct Live {
    connection: MultiplexedConnection,
    open: Arc<AtomicBool>,
    since: Instant,
    /// When the first was asked of those that nobody has had an answer since.
    asked: Mutex<Option<Instant>>,
    _driver: Task,
}

/// The scripts by which Redis calls them.
static DIGESTS: LazyLock<[(&str, String); 4]> = LazyLock::new(|| {
    [REMOVE, END_USER, ENDINGS, SWAP_COUNTS].map(|script| (script, Script::new(script).get_hash().to_owned()))
});

impl Live {
    /// Connects, and asks once: a door that opens is not yet somebody at home.
    pub(crate) async fn open(address: &Address, runtime: Runtime) -> Result<Self, RedisError> {
        let stream = stream(address, runtime).await?;
        // Deadlines are kept by the caller.
        let config = AsyncConnectionConfig::new().set_response_timeout(None).set_connection_timeout(None);
        let (connection, driver) =
            MultiplexedConnection::new_with_config(&address.login, stream, config).await?;
        let open = Arc::new(AtomicBool::new(true));
        let closes = Closes(Arc::clone(&open));
        let driver = runtime.spawn(async move {
            // Dropped with the task, should that never end by itself.
            let _closes = closes;
            driver.await;
        });
        let live = Self { connection, open, since: Instant::now(), asked: Mutex::default(), _driver: driver };
        live.send(&Request::Command(vec![b"PING".to_vec()])).await?;
        Ok(live)
    }

    pub(crate) fn is_open(&self) -> bool {
        self.open.load(Ordering::Acquire)
    }

    pub(crate) fn age(&self) -> Duration {
        self.since.elapsed()
    }

    /// For how long nothing has been heard since something was asked.
    pub(crate) fn silence(&self) -> Duration {
        let asked = *self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.map_or(Duration::ZERO, |asked| asked.elapsed())
    }

    pub(crate) async fn send(&self, request: &Request) -> Result<Value, RedisError> {
        match request {
            Request::Command(words) => self.round_trip(words.iter().map(Vec::as_slice)).await,
            Request::Script { script, keys, args } => {
                let digest =
                    DIGESTS.iter().find(|(known, _)| known == script).map(|(_, digest)| digest.as_bytes());
                let count = keys.len().to_string();
                let rest = || keys.iter().chain(args).map(Vec::as_slice);
                let words = |first: &'static [u8], script| [first, script, count.as_bytes()].into_iter();
                if let Some(digest) = digest {
                    let answer = self.round_trip(words(b"EVALSHA", digest).chain(rest())).await;
                    if !matches!(&answer, Err(error) if error.code() == Some("NOSCRIPT")) {
                        return answer;
                    }
                }
                self.round_trip(words(b"EVAL", script.as_bytes()).chain(rest())).await
            }
        }
    }

    async fn round_trip<'a>(&self, words: impl Iterator<Item = &'a [u8]>) -> Result<Value, RedisError> {
        let mut command = redis::Cmd::new();
        for word in words {
            command.arg(word);
        }
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(Instant::now);
        let answer = self.connection.clone().send_packed_command(&command).await;
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner) = None;
        answer?.extract_error()
    }
}

/// Tells that the connection is closed, whatever ends its driver.
struct Closes(Arc<AtomicBool>);

impl Drop for Closes {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

async fn stream(address: &Address, runtime: Runtime) -> Result<Box<dyn Stream>, RedisError> {
    let stream = runtime.connect(&address.place).await?;
    match (&address.tls, &address.place) {
        (Some(tls), Place::Tcp(host, _)) => {
            let name = ServerName::try_from(host.clone()).map_err(std::io::Error::other)?;
            Ok(Box::new(TlsConnector::from(Arc::clone(tls)).connect(name, stream).await?))
        }
        _ => Ok(stream),
    }
}
