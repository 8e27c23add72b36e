use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use authgate_core::{Admission, Decision, Delegation, Event, Head, Reply, Step};
use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_service::Service;

use crate::body::GateBody;
use crate::drive::{ask, drive};
use crate::expiry::Expiry;
use crate::layer::Shared;
use crate::{Host, Record, RequestId};

/// A service behind a gate; made by [`GateLayer`](crate::GateLayer).
pub struct GateService<S, H> {
    inner: S,
    shared: Arc<Shared<H>>,
}

impl<S, H> GateService<S, H> {
    pub(crate) fn new(inner: S, shared: Arc<Shared<H>>) -> Self {
        Self { inner, shared }
    }
}

impl<S, H, B, R> Service<Request<B>> for GateService<S, H>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Send,
    H: Host,
    B: Send + 'static,
    R: Body<Data = Bytes> + Send + 'static,
{
    type Response = Response<GateBody<R>>;
    type Error = S::Error;
    type Future = GateFuture<S::Future, Self::Response, S::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (mut parts, body) = request.into_parts();
        let shared = &self.shared;
        let id = shared.requests.next();
        match shared.begin(&parts) {
            Step::Done(Decision::Forward(admission)) => {
                let expiry = shared.admit(id, &mut parts, admission);
                GateFuture::Inner { future: self.inner.call(Request::from_parts(parts, body)), expiry }
            }
            Step::Done(Decision::Respond(reply)) => {
                GateFuture::Own { response: Some(shared.respond(id, &parts, reply)) }
            }
            step => {
                // The clone has not been polled ready; the one that has goes on with this request.
                let clone = self.inner.clone();
                let inner = mem::replace(&mut self.inner, clone);
                let future = wait(inner, self.shared.clone(), id, step, parts, body);
                GateFuture::Waiting { future: Box::pin(future) }
            }
        }
    }
}

/// The long way: somebody must be asked first, or a backend answers by itself.
async fn wait<S, H, B, R>(
    mut inner: S,
    shared: Arc<Shared<H>>,
    id: RequestId,
    step: Step,
    mut parts: Parts,
    body: B,
) -> Result<Response<GateBody<R>>, S::Error>
where
    S: Service<Request<B>, Response = Response<R>>,
    H: Host,
    B: Send + 'static,
{
    match drive(step, &shared.host, &parts, shared.deadline).await {
        Decision::Forward(admission) => {
            let expiry = shared.admit(id, &mut parts, admission);
            let response = inner.call(Request::from_parts(parts, body)).await?;
            Ok(guarded(response, expiry))
        }
        Decision::Respond(reply) => Ok(shared.respond(id, &parts, reply)),
        Decision::Delegate(page) => Ok(shared.delegate(id, parts, body, page).await),
    }
}

impl<H: Host> Shared<H> {
    fn begin(&self, parts: &Parts) -> Step {
        let mut head = Head::from(parts).below(&self.prefix);
        if let Some(peer) = &self.peer {
            head = head.from_peer(peer(parts));
        }
        self.gate.begin(&head, self.host.now())
    }

    /// Makes the request ready for the inner service.
    fn admit(&self, id: RequestId, parts: &mut Parts, admission: Admission) -> Expiry {
        self.record(id, parts.method.as_str(), parts.uri.path(), admission.event());
        let pretended: Vec<_> = parts.headers.keys().filter(|name| admission.strips(name)).cloned().collect();
        for name in pretended {
            parts.headers.remove(name);
        }
        let expiry = Expiry::new(admission.until, self.watch.clone());
        if let Some(user) = admission.user {
            parts.extensions.insert(user);
        }
        parts.extensions.insert(expiry.clone());
        parts.extensions.insert(id);
        expiry
    }

    fn respond<R>(&self, id: RequestId, parts: &Parts, reply: Reply) -> Response<GateBody<R>> {
        self.record(id, parts.method.as_str(), parts.uri.path(), reply.event());
        Response::<Bytes>::from(reply).map(GateBody::own)
    }

    /// Lets a backend answer its own page; 503 if it cannot.
    async fn delegate<B: Send + 'static, R>(
        &self,
        id: RequestId,
        parts: Parts,
        body: B,
        page: Delegation,
    ) -> Response<GateBody<R>> {
        let (method, path) = (parts.method.clone(), parts.uri.path().to_owned());
        let request = Request::from_parts(parts, body);
        let answer = ask(&self.host, self.deadline, self.host.answer(&page, request)).await;
        let response = match answer {
            Ok(response) => {
                self.record(id, method.as_str(), &path, page.event());
                response
            }
            Err(why) => {
                let reply = page.unavailable(&why);
                self.record(id, method.as_str(), &path, reply.event());
                reply.into()
            }
        };
        response.map(GateBody::own)
    }

    fn record(&self, request: RequestId, method: &str, path: &str, event: Event<'_>) {
        self.host.record(&Record { request, method, path, event });
    }
}

/// The inner service's response, cut off when the admission ends.
fn guarded<R>(response: Response<R>, expiry: Expiry) -> Response<GateBody<R>> {
    let (parts, body) = response.into_parts();
    let body = GateBody::inner(body, &parts.headers, expiry);
    Response::from_parts(parts, body)
}

pin_project! {
    /// The response of a [`GateService`], on its way.
    #[project = GateFutureProjection]
    pub enum GateFuture<F, R, E> {
        #[doc(hidden)]
        Own { response: Option<R> },
        #[doc(hidden)]
        Inner { #[pin] future: F, expiry: Expiry },
        #[doc(hidden)]
        Waiting { future: Pin<Box<dyn Future<Output = Result<R, E>> + Send>> },
    }
}

impl<F, R, E> Future for GateFuture<F, Response<GateBody<R>>, E>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = Result<Response<GateBody<R>>, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project() {
            GateFutureProjection::Own { response } => {
                response.take().map_or(Poll::Pending, |own| Poll::Ready(Ok(own)))
            }
            GateFutureProjection::Inner { future, expiry } => {
                future.poll(context).map(|result| result.map(|response| guarded(response, expiry.clone())))
            }
            GateFutureProjection::Waiting { future } => future.as_mut().poll(context),
        }
    }
}

impl<S: Clone, H> Clone for GateService<S, H> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), shared: self.shared.clone() }
    }
}

impl<S: std::fmt::Debug, H> std::fmt::Debug for GateService<S, H> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GateService").field("inner", &self.inner).finish_non_exhaustive()
    }
}
