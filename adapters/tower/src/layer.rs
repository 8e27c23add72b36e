use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use authgate_core::{Gate, Mount, Peer};
use http::request::Parts;
use tower_layer::Layer;

use crate::expiry::Watch;
use crate::record::RequestIds;
use crate::{GateService, Host};

/// Puts a [`Gate`] in front of a service: any tower stack, such as an axum router.
///
/// An admitted request arrives with its [`User`](authgate_core::User), [`Expiry`](crate::Expiry) and
/// [`RequestId`](crate::RequestId) in its extensions, and without the header fields that pretend an identity.
pub struct GateLayer<H> {
    pub(crate) shared: Arc<Shared<H>>,
}

/// What all requests share.
#[derive(Clone)]
pub(crate) struct Shared<H> {
    pub(crate) gate: Gate,
    pub(crate) host: H,
    pub(crate) watch: Arc<dyn Watch>,
    pub(crate) requests: Arc<RequestIds>,
    pub(crate) deadline: Duration,
    pub(crate) prefix: Mount,
    pub(crate) peer: Option<Arc<PeerOf>>,
}

pub(crate) type PeerOf = dyn Fn(&Parts) -> Peer + Send + Sync;

impl<H: Host> GateLayer<H> {
    /// A layer that decides with `gate` and asks `host`.
    pub fn new(gate: Gate, host: H) -> Self {
        // Only names requests, so a start that can be guessed is a smaller evil than none.
        let random = host.draw().unwrap_or_default();
        Self {
            shared: Arc::new(Shared {
                gate,
                watch: Arc::new(host.clone()),
                host,
                requests: Arc::new(RequestIds::starting_at(random)),
                deadline: Duration::from_secs(5),
                prefix: Mount::default(),
                peer: None,
            }),
        }
    }

    /// How long a custom backend may take to answer before it counts as unavailable. Default 5 s.
    #[must_use]
    pub fn deadline(self, deadline: Duration) -> Self {
        self.change(|shared| shared.deadline = deadline)
    }

    /// The prefix that a router outside this layer has already cut off the path. Links carry it. Default: none.
    ///
    /// With axum, gate the whole nested service: `nest_service("/ops", gate.layer(router))`. A `.layer(gate)` on the inner
    /// router sees only the paths that have a route.
    #[must_use]
    pub fn below(self, prefix: Mount) -> Self {
        self.change(|shared| shared.prefix = prefix)
    }

    /// Where to find who connected. Default: a [`Peer`] in the request's extensions, as `authgate_tokio::serve` and
    /// `authgate_smol::serve` put it there; without one, nobody is trusted.
    #[must_use]
    pub fn peer(self, peer: impl Fn(&Parts) -> Peer + Send + Sync + 'static) -> Self {
        self.change(|shared| shared.peer = Some(Arc::new(peer)))
    }

    fn change(mut self, change: impl FnOnce(&mut Shared<H>)) -> Self {
        change(Arc::make_mut(&mut self.shared));
        self
    }
}

impl<S, H: Host> Layer<S> for GateLayer<H> {
    type Service = GateService<S, H>;

    fn layer(&self, inner: S) -> Self::Service {
        GateService::new(inner, self.shared.clone())
    }
}

impl<H> Clone for GateLayer<H> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone() }
    }
}

impl<H> fmt::Debug for GateLayer<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GateLayer").field("gate", &self.shared.gate).finish_non_exhaustive()
    }
}
