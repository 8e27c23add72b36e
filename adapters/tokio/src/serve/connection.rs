use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Poll;

use authgate_core::Peer;
use authgate_tower::Limits;
use http::{Request, Response, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt, Either, Empty};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioExecutor;
use hyper_util::server::conn::auto;
use tokio::time::{Instant, sleep};
use tower_service::Service;

use super::BoxError;
use super::socket::Socket;

/// Runs a connection to its end. It is asked to close when `draining` is ready or it has been silent for too long, and
/// dropped if that did not help.
pub(super) async fn connection<S, B>(
    http: auto::Builder<TokioExecutor>,
    socket: Socket,
    peer: Peer,
    service: S,
    limits: Limits,
    draining: impl Future<Output = ()>,
) -> Result<(), BoxError>
where
    S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<BoxError>,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    let requests = Arc::new(Requests::default());
    let (counted, headers) = (Arc::clone(&requests), limits.headers);
    let service = service_fn(move |mut request: Request<Incoming>| {
        let (mut service, open) = (service.clone(), Open::new(&counted));
        request.extensions_mut().insert(peer);
        // HTTP/1.1 has seen to this already; HTTP/2 counts bytes only.
        let too_many = request.headers().len() > headers;
        async move {
            if too_many {
                let mut refusal = Response::new(Either::Right(Empty::new()));
                *refusal.status_mut() = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
                return Ok(refusal);
            }
            poll_fn(|cx| service.poll_ready(cx)).await?;
            let response = service.call(request).await?;
            Ok::<_, S::Error>(response.map(|body| {
                Either::Left(body.map_err(move |error| {
                    let _open_until_dropped = &open;
                    error
                }))
            }))
        }
    });
    let mut connection = pin!(http.serve_connection_with_upgrades(socket, service));
    let mut draining = pin!(draining);
    let mut silence = pin!(sleep(limits.head_timeout));
    let mut moved = None;
    let mut closing = false;
    poll_fn(|cx| {
        if !closing && draining.as_mut().poll(cx).is_ready() {
            closing = true;
            connection.as_mut().graceful_shutdown();
        }
        while silence.as_mut().poll(cx).is_ready() {
            let busy = requests.stirred();
            if closing && !busy {
                return Poll::Ready(Ok(()));
            }
            if !busy {
                closing = true;
                connection.as_mut().graceful_shutdown();
            }
            silence
                .as_mut()
                .reset(Instant::now() + if busy { limits.idle_timeout } else { limits.head_timeout });
        }
        let ended = connection.as_mut().poll(cx);
        let now = Instant::now();
        // Moving a timer is not free: a busy connection does it a few times per timeout, not twice per request.
        if requests.stirred() && moved.is_none_or(|moved| now - moved > limits.idle_timeout / 8) {
            moved = Some(now);
            silence.as_mut().reset(now + limits.idle_timeout);
        }
        ended
    })
    .await
}

/// The requests of one connection.
#[derive(Default)]
struct Requests {
    open: AtomicUsize,
    changed: AtomicBool,
}

impl Requests {
    /// Whether a request is open, or came or went since this was last asked.
    fn stirred(&self) -> bool {
        self.changed.swap(false, Ordering::Relaxed) || self.open.load(Ordering::Relaxed) > 0
    }
}

/// A request whose response has not been handed over entirely.
struct Open(Arc<Requests>);

impl Open {
    fn new(requests: &Arc<Requests>) -> Self {
        requests.open.fetch_add(1, Ordering::Relaxed);
        requests.changed.store(true, Ordering::Relaxed);
        Self(Arc::clone(requests))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
        self.0.changed.store(true, Ordering::Relaxed);
    }
}
