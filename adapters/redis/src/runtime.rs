//! The runtime that a call is made on.

use std::io;
use std::time::Duration;

use authgate_core::Unavailable;
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::address::Place;

/// A connection, under the I/O traits that the client asks for.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Sync + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Sync + Unpin> Stream for S {}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Runtime {
    #[cfg(feature = "tokio")]
    Tokio,
    #[cfg(feature = "smol")]
    Smol,
}

/// Ends with its handle.
pub(crate) enum Task {
    #[cfg(feature = "tokio")]
    Tokio(tokio::task::JoinHandle<()>),
    #[cfg(feature = "smol")]
    Smol { _task: smol::Task<()> },
}

impl Runtime {
    /// tokio, wherever there is one around; smol, which is everywhere, otherwise.
    #[cfg_attr(feature = "smol", allow(clippy::unnecessary_wraps, reason = "tokio alone may be missing"))]
    pub(crate) fn current() -> Result<Self, Unavailable> {
        #[cfg(feature = "tokio")]
        if tokio::runtime::Handle::try_current().is_ok() {
            return Ok(Self::Tokio);
        }
        #[cfg(feature = "smol")]
        return Ok(Self::Smol);
        #[cfg(not(feature = "smol"))]
        Err(Unavailable::new("the session store is asked outside of a tokio runtime"))
    }

    pub(crate) async fn within<T>(self, span: Duration, future: impl Future<Output = T>) -> Option<T> {
        match self {
            #[cfg(feature = "tokio")]
            Self::Tokio => tokio::time::timeout(span, future).await.ok(),
            #[cfg(feature = "smol")]
            Self::Smol => {
                let late = async {
                    smol::Timer::after(span).await;
                    None
                };
                smol::future::or(async { Some(future.await) }, late).await
            }
        }
    }

    pub(crate) fn spawn(self, future: impl Future<Output = ()> + Send + 'static) -> Task {
        match self {
            #[cfg(feature = "tokio")]
            Self::Tokio => Task::Tokio(tokio::spawn(future)),
            #[cfg(feature = "smol")]
            Self::Smol => Task::Smol { _task: smol::spawn(future) },
        }
    }

    /// Runs it whether or not anybody waits for it.
    pub(crate) fn detach(self, future: impl Future<Output = ()> + Send + 'static) {
        match self {
            #[cfg(feature = "tokio")]
            Self::Tokio => drop(tokio::spawn(future)),
            #[cfg(feature = "smol")]
            Self::Smol => smol::spawn(future).detach(),
        }
    }

    pub(crate) async fn connect(self, place: &Place) -> io::Result<Box<dyn Stream>> {
        match (self, place) {
            #[cfg(feature = "tokio")]
            (Self::Tokio, Place::Tcp(host, port)) => {
                let stream = tokio::net::TcpStream::connect((host.as_str(), *port)).await?;
                prepare(&SockRef::from(&stream));
                Ok(Box::new(stream))
            }
            #[cfg(all(feature = "tokio", unix))]
            (Self::Tokio, Place::Unix(path)) => Ok(Box::new(tokio::net::UnixStream::connect(path).await?)),
            #[cfg(feature = "smol")]
            (Self::Smol, Place::Tcp(host, port)) => {
                let stream = smol::net::TcpStream::connect((host.as_str(), *port)).await?;
                prepare(&SockRef::from(&stream));
                Ok(Box::new(tokio_util::compat::FuturesAsyncReadCompatExt::compat(stream)))
            }
            #[cfg(all(feature = "smol", unix))]
            (Self::Smol, Place::Unix(path)) => {
                let stream = smol::net::unix::UnixStream::connect(path).await?;
                Ok(Box::new(tokio_util::compat::FuturesAsyncReadCompatExt::compat(stream)))
            }
        }
    }
}

#[cfg(feature = "tokio")]
impl Drop for Task {
    fn drop(&mut self) {
        #[allow(irrefutable_let_patterns, reason = "where tokio is the only one")]
        if let Self::Tokio(task) = self {
            task.abort();
        }
    }
}

/// Small packets at once; and whatever lies between may not forget a quiet connection. Neither is worth failing for.
fn prepare(socket: &SockRef<'_>) {
    let probes = TcpKeepalive::new().with_time(Duration::from_mins(1)).with_interval(Duration::from_secs(10));
    let prepared = socket.set_tcp_nodelay(true).and_then(|()| socket.set_tcp_keepalive(&probes));
    if let Err(error) = prepared {
        tracing::debug!(target: "authgate", %error, "the connection to the session store is as the system makes it");
    }
}
