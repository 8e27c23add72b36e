use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use authgate_core::{Admission, Decision, Delegation, Event, Head, Reply, ResponseFields, Step, User};
use bytes::Bytes;
use http::header::{HeaderMap, HeaderName};
use http::request::Parts;
use http::{Extensions, Request, Response, StatusCode};
use http_body::Body;
use http_body_util::BodyExt as _;
use pin_project_lite::pin_project;
use tower_service::Service;

use crate::body::{BodyError, GateBody, RequestBody};
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
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BodyError>,
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
        let way = match shared.begin(&parts) {
            Step::Done(Decision::Forward(admission)) => {
                let after = shared.admit(id, &mut parts, admission);
                Way::Inner { future: self.inner.call(Request::from_parts(parts, body)), after }
            }
            Step::Done(Decision::Respond(reply)) => {
                Way::Own { response: Some(shared.respond(id, &parts, reply)) }
            }
            step => {
                // The clone has not been polled ready; the one that has goes on with this request.
                let clone = self.inner.clone();
                let inner = mem::replace(&mut self.inner, clone);
                let future = wait(inner, self.shared.clone(), id, step, parts, body);
                Way::Waiting { future: Box::pin(future) }
            }
        };
        GateFuture { way }
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
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BodyError>,
{
    let mut body = Some(body);
    let decision = shared.drive(step, &parts, &mut body).await;
    match (decision, body) {
        (Decision::Forward(admission), Some(body)) => {
            let after = shared.admit(id, &mut parts, admission);
            let response = inner.call(Request::from_parts(parts, body)).await?;
            Ok(after.finish(response))
        }
        (Decision::Delegate(page), Some(body)) => {
            let body = RequestBody::new(body.map_err(Into::into));
            Ok(shared.delegate(id, parts, body, *page).await)
        }
        (Decision::Respond(reply), _) => Ok(shared.respond(id, &parts, reply)),
        // A form that was read is answered by the gate itself, so this is never reached; and if it were, nobody enters.
        (Decision::Forward(_) | Decision::Delegate(_), None) => {
            let mut response = Response::new(GateBody::own(Bytes::new()));
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            Ok(response)
        }
    }
}

impl<H: Host> Shared<H> {
    fn begin(&self, parts: &Parts) -> Step {
        let mut head = Head::from(parts).below(self.prefix.as_str());
        if let Some(peer) = &self.peer {
            head = head.from_peer(peer(parts));
        }
        self.answer_at_once(self.gate.begin(&head, self.host.now()))
    }

    /// Makes the request ready for the inner service.
    fn admit(&self, id: RequestId, parts: &mut Parts, admission: Admission) -> After {
        self.record(id, parts.method.as_str(), parts.uri.path(), admission.event());
        let fallback = admission.fallback();
        admission.pass_on(parts);
        let expiry = Expiry::new(admission.lease(), self.watch.clone());
        let fields = admission.response_fields().clone();
        forget_user(&mut parts.extensions);
        if let Some(user) = admission.user {
            parts.extensions.insert(user);
        }
        parts.extensions.insert(expiry.clone());
        parts.extensions.insert(id);
        if let Some(fallback) = fallback {
            parts.extensions.insert(fallback);
        }
        After { expiry, fields }
    }

    fn respond<R>(&self, id: RequestId, parts: &Parts, mut reply: Reply) -> Response<GateBody<R>> {
        self.record(id, parts.method.as_str(), parts.uri.path(), reply.event());
        if let Some((html, policy)) = reply.login_form().and_then(|form| self.host.login_page(form)) {
            reply = reply.with_own_page(html, policy);
        }
        Response::<Bytes>::from(reply).map(GateBody::own)
    }

    /// Lets a backend answer its own page; 503 if it cannot.
    async fn delegate<R>(
        &self,
        id: RequestId,
        mut parts: Parts,
        body: RequestBody,
        page: Delegation,
    ) -> Response<GateBody<R>> {
        let (method, path) = (parts.method.clone(), parts.uri.path().to_owned());
        strip(&mut parts.headers, |name| page.strips(name));
        forget_user(&mut parts.extensions);
        parts.extensions.insert(id);
        let request = Request::from_parts(parts, body);
        let answer = self.ask("the backend", async { self.host.answer(&page, request).await }).await;
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
        // A proxy's question is about another request.
        let (method, path) = event.about.unwrap_or((method, path));
        self.host.record(&Record { request, method, path, event });
    }
}

/// Whoever an outer layer says it is, only this gate says who was admitted here; on a public path, nobody.
fn forget_user(extensions: &mut Extensions) {
    extensions.remove::<Arc<User>>();
    extensions.remove::<User>();
}

/// Removes the fields that pretend an identity.
fn strip(headers: &mut HeaderMap, pretends: impl Fn(&HeaderName) -> bool) {
    let pretended: Vec<_> = headers.keys().filter(|name| pretends(name)).cloned().collect();
    for name in pretended {
        headers.remove(name);
    }
}

/// What is still to be done once the inner service has answered.
#[derive(Clone)]
struct After {
    expiry: Expiry,
    fields: ResponseFields,
}

impl After {
    /// The inner service's response, with what a session leaves on it, cut off when the admission ends.
    fn finish<R>(&self, response: Response<R>) -> Response<GateBody<R>> {
        let (mut parts, body) = response.into_parts();
        self.fields.apply(&mut parts.headers);
        let body = GateBody::inner(body, &parts.headers, self.expiry.clone());
        Response::from_parts(parts, body)
    }
}

pin_project! {
    /// The response of a [`GateService`], on its way.
    pub struct GateFuture<F, R, E> {
        #[pin]
        way: Way<F, R, E>,
    }
}

pin_project! {
    #[project = WayProjection]
    enum Way<F, R, E> {
        Own { response: Option<R> },
        Inner { #[pin] future: F, after: After },
        Waiting { future: Pin<Box<dyn Future<Output = Result<R, E>> + Send>> },
    }
}

impl<F, R, E> Future for GateFuture<F, Response<GateBody<R>>, E>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = Result<Response<GateBody<R>>, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().way.project() {
            WayProjection::Own { response } => {
                response.take().map_or(Poll::Pending, |own| Poll::Ready(Ok(own)))
            }
            WayProjection::Inner { future, after } => {
                future.poll(context).map(|result| result.map(|response| after.finish(response)))
            }
            WayProjection::Waiting { future } => future.as_mut().poll(context),
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
