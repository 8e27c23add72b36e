//! The proxy's connections on tokio.

use std::io;

use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::runtime::Handle;

use crate::Target;

/// Connects on tokio, whose I/O must be enabled; tasks belong to the current runtime.
#[derive(Debug, Clone, Copy, Default)]
pub struct Connector;

impl crate::Connector for Connector {
    type Connection = TokioIo<TcpStream>;

    async fn connect(&self, target: &Target) -> io::Result<Self::Connection> {
        let stream = TcpStream::connect((target.host(), target.port())).await?;
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY not set");
        }
        Ok(TokioIo::new(stream))
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        // Without a runtime nothing could run it; dropping it closes the connection that it drives.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(task);
        }
    }
}
