//! What a session check costs with 100 000 sessions in Redis, beside the same in this process's memory: in one run, as
//! ratios. And how much memory a session takes there.
//!
//! `cargo bench -p authgate-redis`, with redis-server on the PATH and nothing else running.
#![allow(
    missing_docs,
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "a bench"
)]

#[path = "../tests/harness/redis.rs"]
mod redis;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use ::redis::cmd;
use authgate_core::{
    Credentials, Gate, Head, HeaderView, PasswordBackend, Session, SessionId, Sessions, Sharing, Step,
    Timestamp, User,
};
use authgate_redis::RedisStore;
use authgate_tokio::Tokio;
use authgate_tower::{GateBody, GateLayer, SessionStore, SharedMemory};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tower::{Layer, Service, ServiceExt as _, service_fn};

const SESSIONS: u32 = 100_000;
const CHECKS: usize = 20_000;
/// How many are on their way at one time.
const AT_ONCE: usize = 64;

fn main() {
    // `cargo bench` says so; anything else, such as `cargo test --all-targets`, wants to know that it builds.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let server = redis::Redis::start();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let memory = Arc::new(SharedMemory::default());
    let store = Arc::new(RedisStore::new(&server.url()).unwrap());

    let before = used_memory(&server);
    runtime.block_on(fill(&memory));
    runtime.block_on(fill(&store));
    let bytes = (used_memory(&server) - before) as f64 / f64::from(SESSIONS);
    println!("{SESSIONS} sessions in Redis: {bytes:.0} bytes each\n");

    let gate = || Gate::builder(PasswordBackend::new()).sessions(Sessions::records());
    let shared = || gate().sharing(Sharing::default()).build().unwrap();
    let alone = GateLayer::new(gate().build().unwrap(), Tokio).session_memory(memory).verify(anybody);
    let together = GateLayer::new(shared(), Tokio).shared_store(Arc::clone(&store)).verify(anybody);
    runtime.block_on(async {
        let (alone, together) = (Browser::of(alone).await, Browser::of(together).await);
        println!("{:<28}{:>12}{:>12}{:>10}", "a session check, µs", "in memory", "in Redis", "ratio");
        let rounds = [("one after the other", 1), ("64 at a time", AT_ONCE)];
        for (name, at_once) in rounds {
            // Interleaved, so that whatever else happens happens to both.
            let (mut one, mut other) = (Vec::new(), Vec::new());
            for _ in 0..5 {
                one.extend(alone.checks(at_once).await);
                other.extend(together.checks(at_once).await);
            }
            for (quantile, part) in [("p50", 0.5), ("p99", 0.99)] {
                let [one, other] = [&mut one, &mut other].map(|spans| at(spans, part));
                println!(
                    "{:<28}{one:>12.1}{other:>12.1}{:>9.1}×",
                    format!("{quantile}, {name}"),
                    other / one
                );
            }
        }
    });
}

async fn anybody(_: Credentials) -> Result<Option<User>, Infallible> {
    Ok(Some(User::new("ada")))
}

/// One store, filled by way of the same calls as any.
async fn fill(store: &impl SessionStore) {
    let now = Timestamp::from(SystemTime::now());
    for number in 0..SESSIONS {
        let (id, session) = session(number, now);
        assert_eq!(store.create(id, session, now).await, Ok(true));
    }
}

/// The session that a sign-in makes; `number` decides the id and the user.
fn session(number: u32, now: Timestamp) -> (SessionId, Session) {
    thread_local! {
        static GATE: Gate = Gate::builder(PasswordBackend::new()).sessions(Sessions::records()).build().unwrap();
    }
    let fields: [(&[u8], &[u8]); 2] =
        [(b"content-type", b"application/x-www-form-urlencoded"), (b"sec-fetch-site", b"same-origin")];
    let head = Head::new("POST", "/login", HeaderView::Pairs(&fields));
    let mut step = GATE.with(|gate| gate.begin(&head, now));
    loop {
        step = match step {
            Step::ReadBody(limit, then) => then.resume(limit.body(b"username=x&password=y".to_vec()), now),
            Step::CheckPassword(_, then) => {
                let id = format!("user{number:06}");
                let user = User { name: "Ada Lovelace".into(), roles: vec!["ops".into()], ..User::new(id) };
                then.resume(Ok(Some(user).into()), now)
            }
            Step::DrawBytes(then) => {
                let mut bytes = [7; 32];
                bytes[..4].copy_from_slice(&number.to_be_bytes());
                then.resume(Ok(bytes), now)
            }
            Step::CreateSession(id, session, _) => return (id, session),
            other => panic!("not a step of a sign-in: {other:?}"),
        };
    }
}

type Inner =
    tower::util::BoxCloneSyncService<Request<Full<Bytes>>, Response<GateBody<Full<Bytes>>>, Infallible>;

/// Somebody who has signed in.
#[derive(Clone)]
struct Browser {
    service: Inner,
    cookie: String,
}

impl Browser {
    async fn of(layer: GateLayer<Tokio>) -> Self {
        let dashboard = service_fn(|_: Request<Full<Bytes>>| async {
            Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(b"dashboard"))))
        });
        let service = Inner::new(layer.layer(dashboard));
        let form = Request::post("/login")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin")
            .body(Full::new(Bytes::from_static(b"username=ada&password=x")))
            .unwrap();
        let answer = service.clone().oneshot(form).await.unwrap();
        assert_eq!(answer.status(), 303);
        let cookie = answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        Self { service, cookie }
    }

    async fn checks(&self, at_once: usize) -> Vec<Duration> {
        let tasks: Vec<_> = (0..at_once)
            .map(|_| {
                let mut browser = self.clone();
                tokio::spawn(async move {
                    let mut spans = Vec::new();
                    for _ in 0..CHECKS / 5 / at_once {
                        spans.push(browser.check().await);
                    }
                    spans
                })
            })
            .collect();
        let mut all = Vec::new();
        for task in tasks {
            all.extend(task.await.unwrap());
        }
        all
    }

    async fn check(&mut self) -> Duration {
        let request = Request::get("/queues").header("cookie", &self.cookie).body(Full::default()).unwrap();
        let begun = Instant::now();
        let answer = self.service.ready().await.unwrap().call(request).await.unwrap();
        let span = begun.elapsed();
        assert_eq!(answer.status(), 200);
        span
    }
}

/// In microseconds.
fn at(spans: &mut [Duration], part: f64) -> f64 {
    spans.sort_unstable();
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index")]
    let index = (spans.len() as f64 * part) as usize;
    spans[index.min(spans.len() - 1)].as_secs_f64() * 1e6
}

fn used_memory(server: &redis::Redis) -> i64 {
    let client = ::redis::Client::open(server.url()).unwrap();
    let info: String = cmd("INFO").arg("memory").query(&mut client.get_connection().unwrap()).unwrap();
    info.lines().find_map(|line| line.strip_prefix("used_memory:")).unwrap().trim().parse().unwrap()
}
