//! The proxy's connections on smol.

use std::io;

use smol::net::TcpStream;
use smol_hyper::rt::FuturesIo;

use crate::Target;

/// Connects on smol; tasks belong to its global executor.
#[derive(Debug, Clone, Copy, Default)]
pub struct Connector;

impl crate::Connector for Connector {
    type Connection = FuturesIo<TcpStream>;

    async fn connect(&self, target: &Target) -> io::Result<Self::Connection> {
        let stream = TcpStream::connect((target.host(), target.port())).await?;
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY not set");
        }
        Ok(FuturesIo::new(stream))
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        smol::spawn(task).detach();
    }
}
