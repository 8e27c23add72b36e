use std::sync::Arc;

use authgate_core::Peer;
use authgate_tower::Host;
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper::rt::{Read, Write};
use hyper::server::conn::http1::{Builder, UpgradeableConnection};
use tower_service::Service;

use crate::{BoxError, Limits, Socket, TimedHeads, counted, run_connection};

/// Runs an HTTP/1.1 connection, upgrades included, to its end, which `draining` and `limits` may bring about.
///
/// # Errors
/// Those of the connection, and of a service or body that failed. A limit that ends it is none.
pub async fn http1_connection<I, P, S, B>(
    socket: Socket<I, P>,
    peer: Peer,
    service: S,
    limits: &Limits,
    host: &impl Host,
    draining: impl Future<Output = ()>,
) -> hyper::Result<()>
where
    I: Read + Write + Unpin + Send + 'static,
    P: Unpin + Send + 'static,
    S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<BoxError>,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    let activity = Arc::clone(socket.activity());
    let service = counted(service, peer, &activity, limits.headers);
    let connection = builder(limits).serve_connection(socket, service).with_upgrades();
    let close = UpgradeableConnection::graceful_shutdown;
    run_connection(connection, close, &activity, TimedHeads::All, limits, host, draining).await
}

fn builder(limits: &Limits) -> Builder {
    const HYPER_HEADERS: usize = 100;
    const BUFFER: usize = 64 * 1024;

    let mut http = Builder::new();
    http.half_close(true).max_header_size(limits.head_bytes).max_buf_size(limits.head_bytes.max(BUFFER));
    // Hyper's clock cannot tell a slow head from an idle connection; `run_connection` does both.
    http.header_read_timeout(None);
    // Naming a number, even hyper's own, moves the parsed fields from the stack to the heap.
    if limits.headers != HYPER_HEADERS {
        http.max_headers(limits.headers);
    }
    http
}
