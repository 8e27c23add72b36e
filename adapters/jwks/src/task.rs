use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use async_channel::Receiver;
use authgate_core::Unavailable;
use authgate_tower::Host;
use futures_lite::FutureExt as _;

use crate::KeySource;
use crate::connect::{Connector, Endpoint};
use crate::fetch::fetch;
use crate::fetcher::Desk;

/// How often the clock is looked at: it may be set, and a machine may sleep while timers stand still.
const LOOK: Duration = Duration::from_secs(30);

/// The one that fetches, for everybody.
pub(crate) struct Task<C, H> {
    source: KeySource,
    endpoint: Endpoint,
    connector: C,
    host: H,
    desk: Arc<Desk>,
    asked: Receiver<()>,
    /// The set that came last.
    last: Option<String>,
    /// Whether the last fetch brought none.
    failed: bool,
}

impl<C: Connector, H: Host> Task<C, H> {
    pub(crate) fn new(
        source: KeySource,
        endpoint: Endpoint,
        connector: C,
        host: H,
        desk: Arc<Desk>,
        asked: Receiver<()>,
    ) -> Self {
        Self { source, endpoint, connector, host, desk, asked, last: None, failed: false }
    }

    /// Fetches whenever it is time.
    pub(crate) async fn run(mut self) {
        loop {
            while self.desk.due().is_some() {
                let outcome = AssertUnwindSafe(self.fetch()).catch_unwind().await;
                let outcome = outcome.unwrap_or_else(|_| Err(Unavailable::new("the fetching panicked")));
                self.tell(&outcome);
                self.desk.landed(outcome.map(|_| ()));
            }
            let wait = self.desk.key_set.next_fetch(self.host.now()).min(LOOK);
            let asked = async {
                let _ = self.asked.recv().await;
            };
            asked.or(self.host.sleep(wait)).await;
        }
    }

    /// One fetch: how many keys can be used, and whether they are other ones than before.
    async fn fetch(&mut self) -> Result<News, Unavailable> {
        let (document, lifetime) = fetch(&self.endpoint, &self.source, &self.connector, &self.host).await?;
        let now = self.host.now();
        let usable = self.desk.key_set.fetched(&document, lifetime, now);
        let usable = usable.map_err(|error| Unavailable::new(error.problem()))?;
        let changed = self.last.as_ref().is_none_or(|last| *last != document);
        self.last = Some(document);
        Ok(News { usable, changed })
    }

    fn tell(&mut self, outcome: &Result<News, Unavailable>) {
        let source = &self.source;
        match outcome {
            Ok(News { usable, changed }) => {
                if *changed || self.failed {
                    tracing::info!(target: "authgate", %source, usable, "the provider's keys have come");
                }
            }
            Err(why) => {
                tracing::warn!(target: "authgate", %source, "the provider's keys could not be fetched: {why}");
            }
        }
        self.failed = outcome.is_err();
    }
}

/// What a fetch has brought.
struct News {
    usable: usize,
    changed: bool,
}

// However it ends, nobody may wait for it any longer.
impl<C, H> Drop for Task<C, H> {
    fn drop(&mut self) {
        self.desk.close();
    }
}
