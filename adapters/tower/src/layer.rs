use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use authgate_core::{Credentials, Gate, Mount, Peer, Timestamp, Unavailable, UserStore};
use http::request::Parts;
use tower_layer::Layer;

use crate::drive::Store;
use crate::expiry::{Alone, Together, Watch};
use crate::key_fetcher::{KeyFetcher, NoFetcher};
use crate::record::RequestIds;
use crate::verify::{Asynchronous, Blocking, Function, Nobody, Users};
use crate::{GateService, Host, IntoVerdict, SessionStore, SharedMemory, SharedStore};

/// Puts a [`Gate`] in front of a service: any tower stack, such as an axum router.
///
/// An admitted request arrives with its `Arc<`[`User`](authgate_core::User)`>`, [`Expiry`](crate::Expiry) and
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
    pub(crate) users: Arc<dyn Users<H>>,
    pub(crate) store: Store,
    pub(crate) keys: Arc<dyn KeyFetcher>,
    pub(crate) deadline: Duration,
    pub(crate) store_deadline: Duration,
    pub(crate) prefix: Mount,
    pub(crate) peer: Option<Arc<PeerOf>>,
}

pub(crate) type PeerOf = dyn Fn(&Parts) -> Peer + Send + Sync;

impl<H: Host> GateLayer<H> {
    /// A layer that decides with `gate` and asks `host`. Where people sign in by password, it also needs
    /// [`verify`](Self::verify), [`verify_blocking`](Self::verify_blocking) or [`users`](Self::users): without, every sign-in
    /// is 503.
    pub fn new(gate: Gate, host: H) -> Self {
        // Only names requests, so a start that can be guessed is a smaller evil than none.
        let random = host.draw().unwrap_or_default();
        Self {
            shared: Arc::new(Shared {
                gate,
                watch: Arc::new(Alone(host.clone())),
                host,
                requests: Arc::new(RequestIds::starting_at(random)),
                users: Arc::new(Nobody),
                store: Store::Memory(Arc::default()),
                keys: Arc::new(NoFetcher),
                deadline: Duration::from_secs(5),
                store_deadline: Duration::from_secs(3),
                prefix: Mount::default(),
                peer: None,
            }),
        }
    }

    /// An asynchronous function that says whose a username and a password are, if anybody's.
    ///
    /// ```
    /// # use authgate_core::{Credentials, Gate, PasswordBackend, User};
    /// # use authgate_tower::{GateLayer, Host};
    /// # #[derive(Clone)]
    /// # struct Directory;
    /// # impl Directory {
    /// #     async fn check(&self, _: Credentials) -> Result<Option<User>, std::io::Error> { Ok(None) }
    /// # }
    /// # fn layer(gate: Gate, host: impl Host, directory: Directory) {
    /// let layer = GateLayer::new(gate, host).verify(move |who: Credentials| {
    ///     let directory = directory.clone();
    ///     async move { directory.check(who).await }
    /// });
    /// # }
    /// ```
    ///
    /// It must take as long for a username that it does not know. It may fail, take too long or panic: that is answered
    /// 503, and nobody gets in.
    #[must_use]
    pub fn verify<A>(self, verify: impl Fn(Credentials) -> A + Send + Sync + 'static) -> Self
    where
        A: Future<Output: IntoVerdict> + Send + 'static,
    {
        self.change(|shared| shared.users = Arc::new(Asynchronous(verify)))
    }

    /// As [`verify`](Self::verify), for a function that blocks: it runs off the event loop.
    #[must_use]
    pub fn verify_blocking<R: IntoVerdict + 'static>(
        self,
        verify: impl Fn(&str, &str) -> R + Send + Sync + 'static,
    ) -> Self {
        self.users(Function(verify))
    }

    /// A user store, asked off the event loop. It can also tell what became of a user whose session is renewed; a function
    /// cannot, so what changes there counts at the next sign-in.
    #[must_use]
    pub fn users(self, store: impl UserStore) -> Self {
        self.change(|shared| shared.users = Arc::new(Blocking(Arc::new(store))))
    }

    /// Where sessions that are records are kept; sealed ones ask no store. Default: in this process's memory, 100 000 at
    /// most.
    #[must_use]
    pub fn session_store(self, store: impl SessionStore) -> Self {
        self.change(|shared| shared.store = Store::Elsewhere(Arc::new(store)))
    }

    /// A store that the gates of many processes share, for a gate that [shares](authgate_core::GateBuilder::sharing): its
    /// sessions if they are records, what has ended, and the count of tries to sign in. Default: none.
    #[must_use]
    pub fn shared_store(self, store: impl SharedStore) -> Self {
        let store: Arc<dyn SharedStore> = Arc::new(store);
        self.change(|shared| {
            shared.watch = Arc::new(Together { host: shared.host.clone(), store: Arc::clone(&store) });
            shared.store = Store::Shared(store);
        })
    }

    /// How long a store of sessions may keep one request waiting, all its questions together. Default 3 s.
    #[must_use]
    pub fn store_deadline(self, deadline: Duration) -> Self {
        self.change(|shared| shared.store_deadline = deadline)
    }

    /// Hears what has ended at other gates, so that the first requests need not wait for it: to be called before anybody
    /// is served, where gates share a store. Whatever is not heard then is heard later.
    ///
    /// # Errors
    /// The store cannot be asked. Strangers can be served all the same.
    pub async fn catch_up(&self) -> Result<(), Unavailable> {
        let shared = &self.shared;
        loop {
            let asked = shared.host.now();
            let Some(since) = shared.gate.asks(asked) else { return Ok(()) };
            let answer = async { shared.shared_store()?.endings(since).await };
            let news = shared.ask("the session store", answer).await?;
            let is_all = !news.more;
            shared.gate.hear(news, asked, shared.host.now());
            if is_all {
                return Ok(());
            }
        }
    }

    /// Ends all sessions of the user with this id, here and wherever the store is shared; open streams end as well.
    ///
    /// # Errors
    /// The others could not be told. Here they have ended; call it again.
    pub async fn sign_out_everywhere(&self, user: &str) -> Result<(), Unavailable> {
        self.end_sessions_begun_until(user, self.shared.host.now()).await
    }

    /// As [`sign_out_everywhere`](Self::sign_out_everywhere), for those that have begun up to the moment `until`; see
    /// [`Gate::end_sessions_begun_until`].
    ///
    /// # Errors
    /// The others could not be told. Here they have ended; call it again.
    pub async fn end_sessions_begun_until(&self, user: &str, until: Timestamp) -> Result<(), Unavailable> {
        let shared = &self.shared;
        let now = shared.host.now();
        shared.gate.end_sessions_begun_until(user, until, now);
        match &shared.store {
            Store::Memory(_) | Store::Elsewhere(_) => Ok(()),
            Store::Shared(store) => {
                let told = async { store.end_user(user.to_owned(), now.time_left(until)).await };
                shared.ask("the session store", told).await
            }
        }
    }

    /// Keeps sessions that are records in `memory`, which other layers may share: the one that takes this one's place, say.
    /// Default: in memory of its own.
    #[must_use]
    pub fn session_memory(self, memory: Arc<SharedMemory>) -> Self {
        self.change(|shared| shared.store = Store::Memory(memory))
    }

    /// Who fetches the keys of an identity provider, where a backend has a [`KeySet`](authgate_core::KeySet). Default:
    /// nobody, and whatever token needs them is 503.
    #[must_use]
    pub fn key_fetcher(self, fetcher: impl KeyFetcher) -> Self {
        self.change(|shared| shared.keys = Arc::new(fetcher))
    }

    /// How long whoever is asked may take to answer, and a form to arrive, before that counts as a failure. Default 5 s.
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
    /// `authgate_smol::serve` put it there; without one, nobody is trusted, and all clients share one count of failed
    /// sign-ins, so that ten wrong passwords of anybody delay everybody. With `axum::serve` and its `ConnectInfo`:
    ///
    /// ```text
    /// .peer(|parts| parts.extensions.get::<ConnectInfo<SocketAddr>>().map_or(Peer::Unknown, |who| who.0.into()))
    /// ```
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
