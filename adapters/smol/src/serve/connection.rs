use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use authgate_core::Peer;
use authgate_tower::Limits;
use http::{Request, Response};
use http_body::Body;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use smol::Timer;
use tower_service::Service;

use super::BoxError;
use super::activity::{Activity, Open};
use super::socket::Socket;

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
    let activity = Arc::clone(&socket.activity);
    let counted = Arc::clone(&activity);
    let service = service_fn(move |mut request: Request<Incoming>| {
        let (mut service, open) = (service.clone(), Open::new(&counted));
        request.extensions_mut().insert(peer);
        async move {
            poll_fn(|cx| service.poll_ready(cx)).await?;
            let response = service.call(request).await?;
            Ok::<_, S::Error>(response.map(|body| {
                body.map_err(move |error| {
                    let _open_until_dropped = &open;
                    error
                })
            }))
        }
    });
    let connection = http1(&limits).serve_connection(socket, service).with_upgrades();
    drive(connection, http1::UpgradeableConnection::graceful_shutdown, &activity, &limits, draining).await
}

fn http1(limits: &Limits) -> http1::Builder {
    const HYPER_HEADERS: usize = 100;
    const BUFFER: usize = 64 * 1024;

    let mut http = http1::Builder::new();
    http.half_close(true).max_header_size(limits.head_bytes).max_buf_size(limits.head_bytes.max(BUFFER));
    // Hyper's clock cannot tell a slow head from an idle connection; `drive` does both.
    http.header_read_timeout(None);
    // Naming a number, even hyper's own, moves the parsed fields from the stack to the heap.
    if limits.headers != HYPER_HEADERS {
        http.max_headers(limits.headers);
    }
    http
}

/// A timeout of nothing would keep `drive` busy, and a longer one than this could overflow the clock.
fn bounded(timeout: Duration) -> Duration {
    timeout.clamp(Duration::from_millis(1), Duration::from_hours(24 * 365))
}

/// Polls a connection, asks it to close when the server drains or it has been idle for too long, and gives it up when
/// it takes too long over a request head or the closing.
async fn drive<C: Future<Output = hyper::Result<()>>>(
    connection: C,
    close: fn(Pin<&mut C>),
    activity: &Activity,
    limits: &Limits,
    draining: impl Future<Output = ()>,
) -> hyper::Result<()> {
    let after = |timeout: Duration| Instant::now() + bounded(timeout);
    let (mut connection, mut draining) = (pin!(connection), pin!(draining));
    let mut deadline = after(limits.head_timeout);
    let mut alarm = Timer::at(deadline);
    let mut armed = deadline;
    let mut in_head = true;
    let mut closing = false;
    poll_fn(|cx| {
        if !closing && draining.as_mut().poll(cx).is_ready() {
            closing = true;
            close(connection.as_mut());
            // Nothing is owed to a request whose head is not all there; it may still complete, but is not waited for.
            deadline = deadline.min(after(Duration::from_secs(1)));
        }
        loop {
            if let Poll::Ready(ended) = connection.as_mut().poll(cx) {
                return Poll::Ready(ended);
            }
            let received = activity.has_received();
            let busy = activity.has_requests();
            if busy {
                in_head = false;
                deadline = after(limits.idle_timeout);
            } else if received && !in_head {
                in_head = true;
                deadline = after(limits.head_timeout);
            }
            // Most deadlines only move back, once per request; for that it is enough to look when the alarm rings.
            if deadline < armed {
                armed = deadline;
                alarm.set_at(deadline);
            }
            if Pin::new(&mut alarm).poll(cx).is_pending() {
                return Poll::Pending;
            }
            if !busy && deadline <= Instant::now() {
                if closing || in_head {
                    return Poll::Ready(Ok(()));
                }
                closing = true;
                close(connection.as_mut());
                deadline = after(limits.head_timeout);
            }
            armed = deadline;
            alarm.set_at(deadline);
        }
    })
    .await
}
