use std::convert::Infallible;
use std::io;
use std::pin::pin;
use std::sync::Arc;

use authgate_core::Peer;
use authgate_hyper::{BoxError, Limits, Socket, has_left, http1_connection};
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use smol::Timer;
use smol::channel::{self, Receiver};
use smol::future::or;
use smol::lock::{Semaphore, SemaphoreGuardArc};
use smol::net::{TcpListener, TcpStream};
use smol_hyper::rt::FuturesIo;
use tower_service::Service;

use crate::Smol;

/// Serves HTTP/1.1, upgrades included, on `listener` until `shutdown` is ready.
///
/// Every request carries the [`Peer`] that connected in its extensions. Connections are tasks of smol's global executor,
/// which has one thread unless `SMOL_THREADS` says otherwise. A service that panics ends its own connection and no
/// other. A failed accept, for want of file descriptors say, is logged and tried again after 50 ms.
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
    let places = Arc::new(Semaphore::new(limits.connections));
    // Nothing is ever sent on these: dropping the sender is the signal.
    let (drain, draining) = channel::bounded(1);
    let (cut, uncut) = channel::bounded(1);
    let mut shutdown = pin!(shutdown);
    loop {
        let stop = async {
            shutdown.as_mut().await;
            None
        };
        let next = or(stop, async { Some(accept(&listener, &places).await) }).await;
        let Some(accepted) = next else { break };
        let (stream, peer, place) = accepted?;
        let socket =
            Socket::new(FuturesIo::new(stream), place, |io| has_left(io.get_ref()), dropped(uncut.clone()));
        let (cut, draining) = (dropped(uncut.clone()), dropped(draining.clone()));
        let (service, limits) = (service.clone(), Arc::clone(&limits));
        let served = async move {
            let served = http1_connection(socket, peer, service, &limits, &Smol, draining);
            if let Err(error) = served.await {
                tracing::debug!(%peer, %error, "connection failed");
            }
        };
        smol::spawn(or(cut, served)).detach();
    }
    drop((listener, drain, draining, uncut));
    let late = async {
        Timer::after(limits.drain).await;
        tracing::warn!("connections did not end in time and are dropped");
    };
    or(cut.closed(), late).await;
    Ok(())
}

/// The next connection, and its place among those allowed at one time.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(TcpStream, Peer, SemaphoreGuardArc)> {
    let place = places.acquire_arc().await;
    let (stream, address) = authgate_hyper::accept(&Smol, || listener.accept()).await?;
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%address, %error, "TCP_NODELAY not set");
    }
    Ok((stream, address.into(), place))
}

async fn dropped(sender: Receiver<Infallible>) {
    let _ = sender.recv().await;
}
