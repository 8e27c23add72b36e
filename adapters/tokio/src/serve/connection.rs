use std::pin::pin;
use std::sync::Arc;

use authgate_core::Peer;
use authgate_hyper::{BoxError, Limits, TimedHeads, bounded, counted, http1_connection, run_connection};
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http2::{Builder, Connection};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;
use tower_service::Service;

use crate::Tokio;

pub(super) type Socket = authgate_hyper::Socket<TokioIo<TcpStream>, OwnedSemaphorePermit>;

/// Runs a connection to its end, which `draining` and the limits may bring about.
pub(super) async fn connection<S, B>(
    socket: Socket,
    peer: Peer,
    service: S,
    limits: Arc<Limits>,
    draining: impl Future<Output = ()>,
) -> hyper::Result<()>
where
    S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<BoxError>,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    let mut draining = pin!(draining);
    let is_http2 = tokio::select! {
        () = &mut draining => return Ok(()),
        begun = timeout(limits.head_timeout, begins_http2(socket.io().inner())) => match begun {
            Ok(is_http2) => is_http2,
            Err(_silent) => return Ok(()),
        }
    };
    if !is_http2 {
        return http1_connection(socket, peer, service, &limits, &Tokio, draining).await;
    }
    let activity = Arc::clone(socket.activity());
    let service = counted(service, peer, &activity, limits.headers);
    let connection = http2(&limits).serve_connection(socket, service);
    let close = Connection::graceful_shutdown;
    run_connection(connection, close, &activity, TimedHeads::First, &limits, &Tokio, draining).await
}

/// Waits for the first bytes and looks whether they begin the preface of HTTP/2. No method of HTTP/1.1 does, and no
/// client sends the preface in pieces this small.
async fn begins_http2(stream: &TcpStream) -> bool {
    let mut start = [0; 4];
    stream.peek(&mut start).await.is_ok() && start == *b"PRI "
}

/// How much of an answer waits on each stream for a client that does not read. Hyper's own 400 KB would be 40 MB a
/// connection.
const MOST_UNSENT: usize = 64 * 1024;

fn http2(limits: &Limits) -> Builder<TokioExecutor> {
    let mut http = Builder::new(TokioExecutor::new());
    http.timer(TokioTimer::new())
        .keep_alive_interval(bounded(limits.idle_timeout))
        .keep_alive_timeout(bounded(limits.head_timeout))
        .max_concurrent_streams(100)
        .max_send_buf_size(MOST_UNSENT)
        .max_header_list_size(u32::try_from(limits.head_bytes).unwrap_or(u32::MAX));
    http
}
