//! The service that a connection's requests go to.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock};
use std::task::{Context, Poll};

use authgate_core::ConfigError;
use authgate_proxy::{Connector, Proxy, ProxyBody};
use authgate_tower::{BodyError, GateLayer, GateService, Host, SharedMemory};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body::Body;
use http_body_util::{Either, Empty};
use tower::util::Oneshot;
use tower::{Layer as _, Service, ServiceExt as _};

use super::engine::Engine;
use super::host::CountingHost;
use super::metrics::Metrics;
use super::plan::Plan;
use super::teller::Teller;

/// A service that can be replaced while it runs: whoever has begun goes on with the one before.
pub(super) struct Site<S>(Arc<RwLock<S>>);

/// The gate, and what is behind it.
pub(super) type Gated<C, R> = GateService<Behind<C, CountingHost<R>>, CountingHost<R>>;

/// What stays the same whatever the configuration says.
#[derive(Clone)]
pub(super) struct World<C, E: Engine> {
    pub(super) connector: C,
    pub(super) engine: E,
    pub(super) host: CountingHost<E::Host>,
    /// Sessions of this process.
    pub(super) memory: Arc<SharedMemory>,
    pub(super) teller: Teller,
}

impl<C: Connector + Clone, E: Engine> World<C, E> {
    pub(super) fn new(connector: C, engine: E, metrics: Arc<Metrics>) -> Self {
        let host = CountingHost { runtime: engine.host(), metrics };
        let (teller, telling) = Teller::new(engine.host());
        engine.spawn(telling);
        Self { connector, engine, host, memory: Arc::default(), teller }
    }

    /// The service that a plan describes; or why its keys cannot be fetched.
    pub(super) fn service(&self, plan: &Plan) -> Result<Gated<C, E::Host>, ConfigError> {
        let behind = match &plan.target {
            None => Behind::Nothing,
            Some(target) => {
                let metrics = Arc::clone(&self.host.metrics);
                let (connector, host) = (self.connector.clone(), self.host.clone());
                let proxy = Proxy::new(target.clone(), connector, host, plan.limits.clone());
                let proxy = proxy.keep_host(plan.keep_host);
                Behind::Upstream(proxy.on_exchange(move |exchange| metrics.observe(exchange)))
            }
        };
        let layer = GateLayer::new(plan.gate.clone(), self.host.clone());
        let layer = match &plan.shared {
            Some(store) => {
                let layer = layer.shared_store(Arc::clone(store));
                let ahead = layer.clone();
                // The store says itself if it cannot be asked, and requests ask it again.
                self.engine.spawn(async move { ahead.catch_up().await.unwrap_or_default() });
                layer
            }
            None => layer.session_memory(Arc::clone(&self.memory)),
        };
        let layer = match &plan.keys {
            Some((source, set)) => layer.key_fetcher(self.engine.fetch_keys(source.clone(), set.clone())?),
            None => layer,
        };
        Ok(match plan.users() {
            Some(users) => layer.users(Arc::clone(users)).layer(behind),
            None => layer.layer(behind),
        })
    }
}

impl<S> Site<S> {
    pub(super) fn new(service: S) -> Self {
        Self(Arc::new(RwLock::new(service)))
    }

    pub(super) fn replace(&self, service: S) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = service;
    }
}

impl<S> Clone for Site<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S: Service<Request<B>> + Clone, B> Service<Request<B>> for Site<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = Oneshot<S, Request<B>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone().oneshot(request)
    }
}

/// What is behind the gate.
pub(super) enum Behind<C, H> {
    Upstream(Proxy<C, H>),
    /// Proxies only ask, and the gate answers everything itself.
    Nothing,
}

impl<C, H> Clone for Behind<C, H> {
    fn clone(&self) -> Self {
        match self {
            Self::Upstream(proxy) => Self::Upstream(proxy.clone()),
            Self::Nothing => Self::Nothing,
        }
    }
}

impl<C, H, B> Service<Request<B>> for Behind<C, H>
where
    C: Connector,
    H: Host,
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<BodyError>,
{
    type Response = Response<Either<ProxyBody, Empty<Bytes>>>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        match self {
            Self::Upstream(proxy) => {
                let answer = proxy.call(request);
                Box::pin(async move { Ok(answer.await?.map(Either::Left)) })
            }
            Self::Nothing => {
                let mut answer = Response::new(Either::Right(Empty::new()));
                *answer.status_mut() = StatusCode::NOT_FOUND;
                Box::pin(std::future::ready(Ok(answer)))
            }
        }
    }
}
