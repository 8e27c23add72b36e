use std::convert::Infallible;
use std::sync::mpsc::{self, Receiver};

use authgate_core::{Algorithm, Gate, JwtBackend, KeySet, KeySetLimits, Unavailable};
use authgate_jwks::{Fetcher, KeySource};
use authgate_tower::{GateLayer, Host as _, KeyFetcher as _};
use bytes::Bytes;
use futures_lite::future::{block_on, poll_once};
use http::{Request, Response};
use http_body_util::Full;
use tower::{Layer as _, ServiceExt as _, service_fn};

use super::{Authority, Clock, INTERVAL, LIFETIME, LOOK, PATIENCE, Provider, Signer, answer};
use crate::runtime;

/// A fetcher of a provider's keys, and a gate that needs them.
pub(crate) struct World {
    pub(crate) clock: Clock,
    pub(crate) provider: Provider,
    pub(crate) fetcher: Fetcher,
    /// Not the gate's, but with its key set.
    key_set: KeySet,
    layer: GateLayer<Clock>,
}

/// An answer that somebody waits for.
pub(crate) struct Asked<T = Result<(), Unavailable>>(Receiver<T>);

impl<T: Send + 'static> Asked<T> {
    /// Whoever asks has asked when this returns, and waits elsewhere.
    pub(crate) fn begin(question: impl Future<Output = T> + Send + 'static) -> Self {
        let (tell, told) = mpsc::channel();
        let mut question = Box::pin(question);
        match block_on(poll_once(&mut question)) {
            Some(outcome) => tell.send(outcome).unwrap(),
            None => runtime::spawn(async move {
                let _ = tell.send(question.await);
            }),
        }
        Self(told)
    }

    pub(crate) fn outcome(&self) -> T {
        self.0.recv_timeout(PATIENCE).expect("an answer")
    }
}

pub(crate) fn backend() -> JwtBackend {
    JwtBackend::builder()
        .key_set(KeySetLimits::default())
        .algorithms([Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA])
        .build()
        .unwrap()
}

impl World {
    /// A fetcher that has just begun its first fetch.
    pub(crate) fn of(provider: Provider) -> Self {
        let url = provider.url();
        Self::at(&url, provider)
    }

    /// The same, with an address of its own.
    pub(crate) fn at(url: &str, provider: Provider) -> Self {
        let source = KeySource::parse(url).unwrap();
        let source = source.with_root_certificates(Authority::company().pem().as_bytes()).unwrap();
        let clock = Clock::new();
        let backend = backend();
        let key_set = backend.key_set().cloned().unwrap();
        let fetcher = runtime::start(source, key_set.clone(), clock.clone()).unwrap();
        let gate = Gate::builder(backend).build().unwrap();
        let layer = GateLayer::new(gate, clock.clone()).key_fetcher(fetcher.clone());
        Self { clock, provider, fetcher, key_set, layer }
    }

    /// One that has the keys of `signers`.
    pub(crate) fn with(provider: Provider, signers: &[&Signer]) -> Self {
        let world = Self::of(provider);
        world.provider.serve(answer(&super::set(signers)));
        world.is_idle();
        world
    }

    /// Waits until nothing is being fetched, after a success.
    pub(crate) fn is_idle(&self) {
        self.clock.until_sleep(LOOK);
    }

    /// Waits until nothing is being fetched, after a failure that took no time.
    pub(crate) fn has_failed(&self) {
        self.clock.until_sleep(INTERVAL);
    }

    /// Passes the time until the set has aged, as the task sees it: look by look.
    pub(crate) fn age(&self) {
        let looks = u32::try_from(LIFETIME.as_secs() / LOOK.as_secs()).unwrap();
        for _ in 1..looks {
            self.clock.advance(LOOK);
            self.is_idle();
        }
        assert!(self.provider.is_left_alone());
        self.clock.advance(LOOK);
    }

    pub(crate) fn next_fetch(&self) -> std::time::Duration {
        self.key_set.next_fetch(self.clock.now())
    }

    /// What a token does whose key is unknown.
    pub(crate) fn ask(&self) -> Asked {
        let fetcher = self.fetcher.clone();
        Asked::begin(async move { fetcher.fetch().await })
    }

    /// The status for a request with a token of `signer`.
    pub(crate) fn get(&self, signer: &Signer) -> Asked<u16> {
        let dashboard = service_fn(async |_: Request<Full<Bytes>>| {
            Ok::<_, Infallible>(Response::new(Full::<Bytes>::from("dashboard")))
        });
        let request = Request::get("/")
            .header("accept", "application/json")
            .header("authorization", format!("Bearer {}", signer.token()))
            .body(Full::<Bytes>::default())
            .unwrap();
        let answer = self.layer.layer(dashboard).oneshot(request);
        Asked::begin(async { answer.await.unwrap().status().as_u16() })
    }

    /// Whether a token of `signer` is admitted at once.
    pub(crate) fn admits(&self, signer: &Signer) -> bool {
        self.get(signer).outcome() == 200 && self.provider.is_left_alone()
    }
}
