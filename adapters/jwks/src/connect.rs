use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use authgate_core::ConfigError;
use hyper::rt::{Read, Write};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;

/// Where to connect to, and how.
pub(crate) struct Endpoint {
    /// A name, or an address without brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// Nothing for plain HTTP.
    pub(crate) tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
}

impl Endpoint {
    /// Whether it is right to be connected to `peer`. Plain HTTP is for this machine alone, and what `localhost` means is
    /// up to whoever resolves names.
    pub(crate) fn check(&self, peer: SocketAddr) -> io::Result<()> {
        if self.tls.is_some() || peer.ip().to_canonical().is_loopback() {
            return Ok(());
        }
        Err(io::Error::other(format!("{} is {}, which is not this machine", self.host, peer.ip())))
    }
}

/// What fetching needs of a runtime: connections to the provider, and a task that uses them.
pub(crate) trait Connector: Clone + Send + Sync + 'static {
    /// Connects: resolves the name, tries its addresses in turn, and begins TLS if there is to be any.
    fn connect(&self, to: &Endpoint) -> impl Future<Output = io::Result<Box<dyn Connection>>> + Send;

    /// Runs `task` to its end beside everything else.
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> Result<(), ConfigError>;
}

/// A connection, as hyper drives it.
pub(crate) trait Connection: Read + Write + Unpin + Send {}

impl<T: Read + Write + Unpin + Send> Connection for T {}

#[cfg(test)]
mod tests {
    use super::Endpoint;

    #[test]
    fn plain_http_stays_on_this_machine() {
        let endpoint = Endpoint { host: "localhost".to_owned(), port: 80, tls: None };
        for peer in ["127.0.0.1:80", "127.9.9.9:80", "[::1]:80", "[::ffff:127.0.0.1]:80"] {
            assert!(endpoint.check(peer.parse().unwrap()).is_ok(), "{peer}");
        }
        for peer in ["192.0.2.1:80", "0.0.0.0:80", "[2001:db8::1]:80", "[::ffff:192.0.2.1]:80"] {
            assert!(endpoint.check(peer.parse().unwrap()).is_err(), "{peer}");
        }
    }
}
