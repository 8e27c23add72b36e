//! Fetching on tokio.

use std::io;

use authgate_core::{ConfigError, KeySet};
use authgate_tower::Host;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio_rustls::TlsConnector;

use crate::connect::{Connection, Endpoint};
use crate::{Fetcher, KeySource};

/// Fetches the keys at `source` for `key_set`, at once and from then on, in a task of the current runtime, whose I/O and
/// time must be enabled. The first set has not come yet when this returns; a token that arrives before it waits for it.
///
/// # Errors
/// [`ConfigError`] of the field `jwks_url`: there is no runtime here, or no root certificate to check the provider's with.
pub fn start(source: KeySource, key_set: KeySet, host: impl Host) -> Result<Fetcher, ConfigError> {
    Fetcher::start(source, key_set, &Connector, host)
}

#[derive(Clone)]
struct Connector;

impl crate::connect::Connector for Connector {
    async fn connect(&self, to: &Endpoint) -> io::Result<Box<dyn Connection>> {
        let stream = TcpStream::connect((to.host.as_str(), to.port)).await?;
        to.check(stream.peer_addr()?)?;
        Ok(match to.tls.clone() {
            None => Box::new(TokioIo::new(stream)),
            Some((config, name)) => {
                Box::new(TokioIo::new(TlsConnector::from(config).connect(name, stream).await?))
            }
        })
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> Result<(), ConfigError> {
        let runtime = Handle::try_current().map_err(|_| {
            ConfigError::new(
                "jwks_url",
                "there is no tokio runtime here to fetch with",
                "start it within one",
            )
        })?;
        runtime.spawn(task);
        Ok(())
    }
}
