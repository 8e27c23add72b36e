//! A store that several gates share, at the other end of a line that can be slow or cut.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use authgate_core::{
    Count, CountKey, Ending, EndingsNews, EndingsSince, GateBuilder, Session, SessionId, Sharing, Swap,
    Timestamp, Unavailable,
};
use authgate_tower::{Answer, Expiry, SessionStore, SharedMemory, SharedStore};
use tokio::task::yield_now;
use tower::Layer as _;

use crate::signing_in::{cookie, form, login, people, verify};
use crate::world::{App, World, get, outcome, send};

const SECOND: Duration = Duration::from_secs(1);

/// What everybody shares. The clock on its wall is that of the world.
#[derive(Clone)]
struct Remote {
    world: World,
    sessions: Arc<SharedMemory>,
    told: Arc<Mutex<Vec<Ending>>>,
    /// How long each answer takes; none: there is none.
    takes: Arc<Mutex<Option<Duration>>>,
    asked: Arc<Mutex<usize>>,
}

impl Remote {
    fn new(world: &World) -> Self {
        Self {
            world: world.clone(),
            sessions: Arc::default(),
            told: Arc::default(),
            takes: Arc::new(Mutex::new(Some(Duration::ZERO))),
            asked: Arc::default(),
        }
    }

    fn take(&self, span: Option<Duration>) {
        *self.takes.lock().unwrap() = span;
    }

    fn later<'a, T: Send + 'a>(&'a self, answer: Answer<'a, T>) -> Answer<'a, T> {
        *self.asked.lock().unwrap() += 1;
        let takes = *self.takes.lock().unwrap();
        Box::pin(async move {
            match takes {
                None => return Err(Unavailable::new("connection refused")),
                Some(span) if span.is_zero() => yield_now().await,
                Some(span) => authgate_tower::Host::sleep(&self.world, span).await,
            }
            answer.await
        })
    }

    fn at_once<'a, T: Send + 'a>(&'a self, answer: T) -> Answer<'a, T> {
        self.later(Box::pin(async { Ok(answer) }))
    }

    fn now(&self) -> Timestamp {
        authgate_tower::Host::now(&self.world)
    }
}

impl SessionStore for Remote {
    fn load(&self, id: SessionId, now: Timestamp) -> Answer<'_, Option<Session>> {
        self.later(self.sessions.load(id, now))
    }

    fn create(&self, id: SessionId, session: Session, now: Timestamp) -> Answer<'_, bool> {
        self.later(self.sessions.create(id, session, now))
    }

    fn renew(&self, id: SessionId, session: Session, now: Timestamp) -> Answer<'_, bool> {
        self.later(self.sessions.renew(id, session, now))
    }

    fn remove(&self, id: SessionId, now: Timestamp) -> Answer<'_, ()> {
        self.told.lock().unwrap().push(Ending::Session { id, at: now });
        self.later(self.sessions.remove(id, now))
    }
}

impl SharedStore for Remote {
    fn endings(&self, since: EndingsSince) -> Answer<'_, EndingsNews> {
        let told = self.told.lock().unwrap();
        let from = since.position.map_or(0, |position| position.parse().unwrap());
        self.at_once(EndingsNews {
            endings: told[from..].to_vec(),
            position: told.len().to_string(),
            more: false,
            floor: Timestamp::from_secs(0),
            now: self.now(),
        })
    }

    fn end_user(&self, user: String, ago: Duration) -> Answer<'_, ()> {
        let until = self.now().before(ago);
        if self.takes.lock().unwrap().is_some() {
            self.told.lock().unwrap().push(Ending::User { user, until });
        }
        self.at_once(())
    }

    fn counts(&self, keys: Vec<CountKey>) -> Answer<'_, Vec<Option<Count>>> {
        self.at_once(vec![None; keys.len()])
    }

    fn swap_counts(&self, _: Vec<Swap>) -> Answer<'_, bool> {
        self.at_once(true)
    }
}

fn shared() -> GateBuilder {
    people().sharing(Sharing::default())
}

#[tokio::test]
async fn t23_a_stream_ends_after_a_sign_out_at_another_gate() {
    let (world, app) = (World::new(), App::default());
    let store = Remote::new(&world);
    let here = world.layer(shared()).verify_blocking(verify).shared_store(store.clone()).layer(app.clone());
    let there =
        world.layer(shared()).verify_blocking(verify).shared_store(store.clone()).layer(App::default());
    let cookie = cookie(&send(&here, login("right")).await);
    send(&here, get("/ops/ws", &[("cookie", &cookie)])).await;
    let expiry = app.only().extensions().get::<Expiry>().unwrap().clone();
    let ended = tokio::spawn({
        let expiry = expiry.clone();
        async move { expiry.expired().await }
    });
    yield_now().await;
    let mut out = form("/ops/logout", "");
    out.headers_mut().insert("cookie", cookie.parse().unwrap());
    assert_eq!(send(&there, out).await.status, 303);
    assert!(!expiry.has_passed(), "nobody has told us");
    world.clock.advance(SECOND);
    outcome(ended).await;
    assert!(expiry.has_passed());
}

#[tokio::test]
async fn t13_a_stream_outlives_a_store_that_is_down_for_a_while_and_no_longer() {
    let (world, app) = (World::new(), App::default());
    let store = Remote::new(&world);
    let service =
        world.layer(shared()).verify_blocking(verify).shared_store(store.clone()).layer(app.clone());
    let cookie = cookie(&send(&service, login("right")).await);
    send(&service, get("/ops/ws", &[("cookie", &cookie)])).await;
    let expiry = app.only().extensions().get::<Expiry>().unwrap().clone();
    let ended = tokio::spawn(async move { expiry.expired().await });
    store.take(None);
    for _ in 0..30 {
        yield_now().await;
        assert!(!ended.is_finished());
        world.clock.advance(SECOND);
    }
    yield_now().await;
    world.clock.advance(SECOND);
    outcome(ended).await;
}

#[tokio::test]
async fn a_slow_store_keeps_no_request_waiting_for_longer_than_three_seconds() {
    let (world, app) = (World::new(), App::default());
    let store = Remote::new(&world);
    let service =
        world.layer(shared()).verify_blocking(verify).shared_store(store.clone()).layer(app.clone());
    let cookie = cookie(&send(&service, login("right")).await);
    world.clock.advance(SECOND);
    // Each answer would come in time for a deadline of its own: one question about endings, one about the session.
    store.take(Some(2 * SECOND));
    *store.asked.lock().unwrap() = 0;
    let asked = tokio::spawn(async move { send(&service, get("/ops/queues", &[("cookie", &cookie)])).await });
    for _ in 0..3 {
        yield_now().await;
        assert!(!asked.is_finished());
        world.clock.advance(SECOND);
    }
    let answer = outcome(asked).await;
    assert_eq!((answer.status, *store.asked.lock().unwrap()), (503, 2));
    assert!(app.heard_nothing());
    let detail = world.trail.lock().unwrap().last().unwrap().detail.clone();
    assert_eq!(detail, "the session store kept this request waiting for more than 3000 ms");
}

#[tokio::test]
async fn t23_who_is_signed_out_everywhere_is_out_here_even_if_others_cannot_be_told() {
    let (world, app) = (World::new(), App::default());
    let store = Remote::new(&world);
    let layer = world.layer(shared()).verify_blocking(verify).shared_store(store.clone());
    let service = layer.layer(app.clone());
    let cookie = cookie(&send(&service, login("right")).await);
    store.take(None);
    let told = layer.sign_out_everywhere("ada").await.unwrap_err();
    assert_eq!(told.to_string(), "connection refused");
    store.take(Some(Duration::ZERO));
    assert_eq!(send(&service, get("/ops/queues", &[("cookie", &cookie)])).await.status, 303);
    assert!(store.told.lock().unwrap().iter().all(|ending| matches!(ending, Ending::Session { .. })));
    layer.sign_out_everywhere("ada").await.unwrap();
    let until = Ending::User { user: "ada".to_owned(), until: authgate_tower::Host::now(&world) };
    assert_eq!(store.told.lock().unwrap().last(), Some(&until));
}

#[tokio::test]
async fn t32_a_gate_that_shares_and_a_layer_that_has_nothing_to_share_let_nobody_in() {
    let world = World::new();
    let service = world.layer(shared()).verify_blocking(verify).layer(App::default());
    assert_eq!(send(&service, login("right")).await.status, 503);
    let detail = world.line().detail;
    assert_eq!(detail, "the gate shares a store, and the layer has none that can be shared");
}
