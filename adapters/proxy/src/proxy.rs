use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use authgate_core::Fallback;
use authgate_tower::{BodyError, Host};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body::Body;
use tower_service::Service;

use crate::connect::Runtime;
use crate::fault::{About, Fault};
use crate::headers::path_of;
use crate::pool::Pool;
use crate::{Connector, Exchange, ProxyBody, ProxyLimits, Target};

/// Passes every request on to one upstream, and its answer back. The service behind a
/// [`GateLayer`](authgate_tower::GateLayer).
///
/// It decides nothing about who may do what: the layer has, and has made the request's fields ready. A request
/// that nobody answers is answered by the [`Fallback`](authgate_core::Fallback) in its extensions, or with a bare
/// status.
pub struct Proxy<C, H> {
    pub(crate) shared: Arc<Shared<C, H>>,
}

/// What all requests share.
#[derive(Clone)]
pub(crate) struct Shared<C, H> {
    pub(crate) target: Target,
    pub(crate) connector: C,
    pub(crate) host: H,
    pub(crate) limits: ProxyLimits,
    pub(crate) keeps_host: bool,
    pub(crate) pool: Arc<Pool>,
    observer: Option<Arc<Observer>>,
}

type Observer = dyn Fn(&Exchange) + Send + Sync;

impl<C: Connector, H: Host> Proxy<C, H> {
    /// A proxy to `target`, on the runtime of `connector` and `host`.
    pub fn new(target: Target, connector: C, host: H, limits: ProxyLimits) -> Self {
        let world = Runtime::shared(&connector, &host);
        let pool = Arc::new(Pool::new(world, limits.idle, limits.idle_connections));
        let shared = Shared { target, connector, host, limits, keeps_host: true, pool, observer: None };
        Self { shared: Arc::new(shared) }
    }

    /// Whether the upstream is told the `Host` that the client asked for; if not, the target's own. Default: it is.
    #[must_use]
    pub fn keep_host(self, keeps_host: bool) -> Self {
        self.change(|shared| shared.keeps_host = keeps_host)
    }

    /// Calls `observer` once for every request that is answered, or for which there is no answer. It must not wait.
    #[must_use]
    pub fn on_exchange(self, observer: impl Fn(&Exchange) + Send + Sync + 'static) -> Self {
        self.change(|shared| shared.observer = Some(Arc::new(observer)))
    }

    fn change(mut self, change: impl FnOnce(&mut Shared<C, H>)) -> Self {
        change(Arc::make_mut(&mut self.shared));
        self
    }
}

impl<C, H, B> Service<Request<B>> for Proxy<C, H>
where
    C: Connector,
    H: Host,
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<BodyError>,
{
    type Response = Response<ProxyBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<ProxyBody>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let shared = Arc::clone(&self.shared);
        Box::pin(async move { Ok(shared.answer(request).await) })
    }
}

impl<C: Connector, H: Host> Shared<C, H> {
    async fn answer<B>(&self, request: Request<B>) -> Response<ProxyBody>
    where
        B: Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<BodyError>,
    {
        let begun = Instant::now();
        let (parts, body) = request.into_parts();
        let fallback = parts.extensions.get::<Fallback>().cloned();
        let about = About::new(&parts);
        let Some(path) = path_of(&parts) else { return bare(StatusCode::NOT_IMPLEMENTED) };
        let (outcome, response) = match self.pass_on(parts, path, body).await {
            Ok(answered) => (Ok(answered.status()), self.finish(answered, about)),
            Err(fault) => {
                about.warn(&fault);
                (Err(fault.why), unanswered(&fault, fallback))
            }
        };
        if let Some(observer) = &self.observer {
            observer(&Exchange { outcome, took: begun.elapsed() });
        }
        response
    }
}

/// What the client gets in place of an answer.
fn unanswered(fault: &Fault, fallback: Option<Fallback>) -> Response<ProxyBody> {
    if let Some(fallback) = fallback {
        return Response::<Bytes>::from(fallback.reply(fault.why)).map(ProxyBody::own);
    }
    bare(fault.why.status())
}

fn bare(status: StatusCode) -> Response<ProxyBody> {
    let mut response = Response::new(ProxyBody::own(Bytes::new()));
    *response.status_mut() = status;
    response
}

impl<C, H> Clone for Proxy<C, H> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<C, H> fmt::Debug for Proxy<C, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy").field("target", &self.shared.target).finish_non_exhaustive()
    }
}
