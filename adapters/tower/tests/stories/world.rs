//! A world that tests move: its clock, its timers, its backends, what stands behind the gate, and the audit trail.

use std::convert::Infallible;
use std::future::{Ready, poll_fn, ready};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use authgate_core::{
    AuthBackend, DelegatedPage, Delegation, Gate, GateBuilder, Head, JwtBackend, Key, LoginAnswer,
    LogoutAnswer, Proof, Proven, Timestamp, Unavailable, User,
};
use authgate_tower::{GateLayer, Host, Record, RequestBody};
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Request, Response};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use jsonwebtoken::{EncodingKey, Header, crypto::aws_lc, encode};
use serde_json::{Value, json};
use tokio::task::{JoinHandle, yield_now};
use tower::{Service, ServiceExt};

/// When the world begins, in seconds.
pub(crate) const START: i64 = 1_800_000_000;
const SECRET: [u8; 32] = [7; 32];

pub(crate) type Promise<T> = Pin<Box<dyn Future<Output = Result<T, Unavailable>> + Send>>;
type Directory = dyn Fn(&'static str, &Parts) -> Promise<Option<Proven>> + Send + Sync;
type Pages = dyn Fn(DelegatedPage, Request<String>) -> Promise<Response<Bytes>> + Send + Sync;

/// A host that does as it was told.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) clock: Clock,
    pub(crate) trail: Arc<Mutex<Vec<Line>>>,
    /// The backends that were asked, in order.
    pub(crate) asked: Arc<Mutex<Vec<&'static str>>>,
    directory: Arc<Directory>,
    pages: Arc<Pages>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            clock: Clock::default(),
            trail: Arc::default(),
            asked: Arc::default(),
            directory: Arc::new(|_, _| panic!("nobody was to be asked")),
            pages: Arc::new(|_, _| panic!("no page was to be answered")),
        }
    }

    /// Whom custom backends know, by a proof that the browser attaches by itself.
    pub(crate) fn knowing<F>(
        self,
        directory: impl Fn(&'static str, &Parts) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<Option<User>, Unavailable>> + Send + 'static,
    {
        self.proving(move |backend, parts| {
            let found = directory(backend, parts);
            async { found.await.map(|user| user.map(Proven::from)) }
        })
    }

    /// What custom backends answer.
    pub(crate) fn proving<F>(
        self,
        directory: impl Fn(&'static str, &Parts) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<Option<Proven>, Unavailable>> + Send + 'static,
    {
        Self { directory: Arc::new(move |backend, parts| Box::pin(directory(backend, parts))), ..self }
    }

    /// The pages that custom backends render.
    pub(crate) fn rendering<F>(
        self,
        pages: impl Fn(DelegatedPage, Request<String>) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<Response<Bytes>, Unavailable>> + Send + 'static,
    {
        Self { pages: Arc::new(move |page, request| Box::pin(pages(page, request))), ..self }
    }

    /// The only line that was written.
    pub(crate) fn line(&self) -> Line {
        let mut trail = self.trail.lock().unwrap();
        assert_eq!(trail.len(), 1, "{trail:?}");
        trail.remove(0)
    }

    pub(crate) fn layer(&self, gate: GateBuilder) -> GateLayer<Self> {
        GateLayer::new(gate.build().unwrap(), self.clone())
    }
}

impl Host for World {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.clock.0.lock().unwrap().wall)
    }

    fn sleep(&self, span: Duration) -> impl Future<Output = ()> + Send + 'static {
        self.clock.sleep(span)
    }

    fn authenticate(
        &self,
        backend: &'static str,
        request: &Parts,
    ) -> impl Future<Output = Result<Option<Proven>, Unavailable>> + Send {
        self.asked.lock().unwrap().push(backend);
        (self.directory)(backend, request)
    }

    fn answer(
        &self,
        page: &Delegation,
        request: Request<RequestBody>,
    ) -> impl Future<Output = Result<Response<Bytes>, Unavailable>> + Send {
        // At once: the tests' bodies are all there, and a page that panics does so before there is a future.
        let (parts, body) = request.into_parts();
        let body = futures_lite::future::block_on(body.collect()).unwrap().to_bytes();
        let text = String::from_utf8(body.to_vec()).unwrap();
        (self.pages)(page.page, Request::from_parts(parts, text))
    }

    fn record(&self, record: &Record<'_>) {
        self.trail.lock().unwrap().push(Line::of(record));
    }
}

/// A clock on the wall, and timers that need not agree with it.
#[derive(Clone)]
pub(crate) struct Clock(Arc<Mutex<Hands>>);

struct Hands {
    /// Milliseconds since the epoch.
    wall: i64,
    timers: Duration,
    sleepers: Vec<Waker>,
}

impl Default for Clock {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Hands { wall: START * 1000, timers: Duration::ZERO, sleepers: Vec::new() })))
    }
}

impl Clock {
    /// Time goes by.
    pub(crate) fn advance(&self, span: Duration) {
        self.set_forward(span);
        self.run_timers(span);
    }

    /// Somebody sets the clock forward; no timer knows.
    pub(crate) fn set_forward(&self, span: Duration) {
        self.0.lock().unwrap().wall += i64::try_from(span.as_millis()).unwrap();
    }

    /// Timers go on while the clock on the wall stands still.
    pub(crate) fn run_timers(&self, span: Duration) {
        let mut hands = self.0.lock().unwrap();
        hands.timers += span;
        hands.sleepers.drain(..).for_each(Waker::wake);
    }

    fn sleep(&self, span: Duration) -> impl Future<Output = ()> + Send + 'static {
        let (clock, end) = (self.clone(), self.0.lock().unwrap().timers.saturating_add(span));
        poll_fn(move |context| {
            let mut hands = clock.0.lock().unwrap();
            if hands.timers >= end {
                return Poll::Ready(());
            }
            hands.sleepers.push(context.waker().clone());
            Poll::Pending
        })
    }
}

/// A line of the audit trail, and everything it would print.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) request: String,
    /// client, method, path, kind
    pub(crate) asked: String,
    /// outcome, status, reason, user
    pub(crate) decided: String,
    pub(crate) detail: String,
    pub(crate) everything: String,
}

impl Line {
    fn of(record: &Record<'_>) -> Self {
        let event = &record.event;
        let status = event.status.map_or_else(|| "-".to_owned(), |status| status.to_string());
        Self {
            request: record.request.to_string(),
            asked: format!("{} {} {} {}", event.client, record.method, record.path, event.kind),
            decided: format!(
                "{} {status} {} {}",
                event.outcome,
                event.reason.slug(),
                event.user.unwrap_or("-")
            ),
            detail: event.detail.to_string(),
            everything: format!("{record:?}"),
        }
    }
}

/// What stands behind the gate. It keeps what it gets, and insists on having been polled ready.
#[derive(Default)]
pub(crate) struct App {
    pub(crate) seen: Arc<Mutex<Vec<Request<String>>>>,
    is_ready: bool,
}

impl App {
    /// The only request that arrived.
    pub(crate) fn only(&self) -> Request<String> {
        let mut seen = self.seen.lock().unwrap();
        assert_eq!(seen.len(), 1, "{seen:?}");
        seen.remove(0)
    }

    pub(crate) fn heard_nothing(&self) -> bool {
        self.seen.lock().unwrap().is_empty()
    }
}

/// As tower says, a clone is not ready because its original is.
impl Clone for App {
    fn clone(&self) -> Self {
        Self { seen: self.seen.clone(), is_ready: false }
    }
}

impl Service<Request<String>> for App {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.is_ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<String>) -> Self::Future {
        assert!(std::mem::take(&mut self.is_ready), "called before it was ready");
        self.seen.lock().unwrap().push(request);
        ready(Ok(Response::new("dashboard".into())))
    }
}

/// A backend that finds what it was told to find, and renders its own pages.
#[derive(Clone, Copy)]
pub(crate) struct Custom {
    pub(crate) name: &'static str,
    pub(crate) finds: fn(&Head<'_>) -> Proof,
}

impl AuthBackend for Custom {
    fn name(&self) -> &'static str {
        self.name
    }

    fn authenticate(&self, head: &Head<'_>, _now: Timestamp) -> Proof {
        (self.finds)(head)
    }

    fn login(&self) -> LoginAnswer {
        LoginAnswer::Delegate
    }

    fn logout(&self) -> LogoutAnswer {
        LogoutAnswer::Delegate
    }

    fn routes(&self) -> Vec<String> {
        match self.name {
            "second" => Vec::new(),
            _ => vec!["/callback".into()],
        }
    }
}

/// A backend that must be asked about every request.
pub(crate) fn waiting(name: &'static str) -> Custom {
    Custom { name, finds: |_| Proof::Wait }
}

/// A backend that knows everybody with a cookie, as a browser sends it.
pub(crate) fn by_cookie() -> Custom {
    let finds = |head: &Head<'_>| {
        if !head.headers().has(&http::header::COOKIE) {
            return Proof::Absent;
        }
        Proof::Proven(User::new("ada").into())
    };
    Custom { name: "session", finds }
}

pub(crate) fn bearer() -> JwtBackend {
    JwtBackend::builder().key(Key::secret(SECRET).unwrap()).build().unwrap()
}

/// A gate for bearer tokens under `/ops`.
pub(crate) fn gate() -> GateBuilder {
    Gate::builder(bearer()).mount("/ops").public_prefix("/static")
}

/// A field with a token of `sub` and what else is claimed.
pub(crate) fn token(sub: &str, mut claims: Value) -> (&'static str, String) {
    claims["sub"] = json!(sub);
    let _ = aws_lc::DEFAULT_PROVIDER.install_default();
    let token = encode(&Header::default(), &claims, &EncodingKey::from_secret(&SECRET)).unwrap();
    ("authorization", format!("Bearer {token}"))
}

pub(crate) fn request(method: &str, target: &str, fields: &[(&str, &str)]) -> Request<String> {
    let request = Request::builder().method(method).uri(target).header("host", "dash.example");
    let request = fields.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    request.body(String::new()).unwrap()
}

pub(crate) fn get(target: &str, fields: &[(&str, &str)]) -> Request<String> {
    request("GET", target, fields)
}

/// What `task` came to. Whatever it waited for must have happened: a test fails rather than hangs.
pub(crate) async fn outcome<T>(task: JoinHandle<T>) -> T {
    for _ in 0..10 {
        yield_now().await;
    }
    assert!(task.is_finished(), "it still waits");
    task.await.unwrap()
}

/// An answer that has arrived in full.
#[derive(Debug)]
pub(crate) struct Arrived {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Arrived {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// Sends a request as a server does: ready first, then the call.
pub(crate) async fn send<S, B>(service: &S, request: Request<String>) -> Arrived
where
    S: Service<Request<String>, Response = Response<B>, Error = Infallible> + Clone,
    B: Body<Data = Bytes>,
    B::Error: std::fmt::Debug,
{
    let (parts, body) = service.clone().oneshot(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Arrived {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body: String::from_utf8(body.to_vec()).unwrap(),
    }
}
