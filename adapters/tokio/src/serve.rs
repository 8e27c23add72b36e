mod connection;

use std::io;
use std::pin::pin;
use std::sync::Arc;

use authgate_core::Peer;
use authgate_hyper::{BoxError, Limits, has_left};
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tower_service::Service;

use crate::Tokio;
use connection::{Socket, connection};

/// Serves HTTP/1.1, upgrades included, and HTTP/2 (by prior knowledge) on `listener` until `shutdown` is ready.
///
/// Every request carries the [`Peer`] that connected in its extensions. Connections are tasks of the current tokio
/// runtime, whose I/O and time must be enabled. A service that panics ends its own connection and no other. A failed
/// accept, for want of file descriptors say, is logged and tried again after 50 ms.
///
/// [`Limits::head_timeout`] also bounds how long a new connection may say nothing.
///
/// At `shutdown` the listener is closed, idle connections end at once, and requests in flight have [`Limits::drain`] to
/// finish; an upgraded connection counts as one. What is left then is dropped, as is everything at once when the
/// future itself is dropped.
///
/// # Errors
/// When `listener` can never accept because its socket does not listen. Nothing else ends the server.
pub async fn serve<S, B>(
    listener: TcpListener,
    service: S,
    limits: Limits,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()>
where
    S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<BoxError>,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    let limits = Arc::new(limits);
    let places = Arc::new(Semaphore::new(limits.connections.min(Semaphore::MAX_PERMITS)));
    // Nothing is ever sent on these: dropping the sender is the signal.
    let (drain, draining) = watch::channel(());
    let (cut, uncut) = watch::channel(());
    let mut shutdown = pin!(shutdown);
    loop {
        let (stream, peer, place) = tokio::select! {
            biased;
            () = &mut shutdown => break,
            accepted = accept(&listener, &places) => accepted?,
        };
        let socket =
            Socket::new(TokioIo::new(stream), place, |io| has_left(io.inner()), dropped(uncut.clone()));
        let (cut, draining) = (dropped(uncut.clone()), dropped(draining.clone()));
        let served = connection(socket, peer, service.clone(), Arc::clone(&limits), draining);
        tokio::spawn(async move {
            tokio::select! {
                () = cut => {}
                ended = served => if let Err(error) = ended {
                    tracing::debug!(%peer, %error, "connection failed");
                }
            }
        });
    }
    drop((listener, drain, draining, uncut));
    if tokio::time::timeout(limits.drain, cut.closed()).await.is_err() {
        tracing::warn!("connections did not end in time and are dropped");
    }
    Ok(())
}

/// The next connection, and its place among those allowed at one time.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(TcpStream, Peer, OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, address) = authgate_hyper::accept(&Tokio, || listener.accept()).await?;
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%address, %error, "TCP_NODELAY not set");
    }
    Ok((stream, address.into(), place))
}

async fn dropped(mut sender: watch::Receiver<()>) {
    while sender.changed().await.is_ok() {}
}
