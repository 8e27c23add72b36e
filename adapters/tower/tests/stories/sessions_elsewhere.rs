//! Sessions in a store that must be waited for, and that fails.

use std::sync::{Arc, Mutex};

use authgate_core::{Session, SessionId, Timestamp, Unavailable};
use authgate_tower::{Answer, SessionStore, SharedMemory};
use tokio::task::yield_now;
use tower::Layer as _;

use crate::signing_in::{cookie, form, login, people, verify};
use crate::world::{App, World, get, send};

/// A store at the other end of a line that can be cut, one question at a time.
#[derive(Clone, Default)]
struct Remote {
    store: Arc<SharedMemory>,
    down: Arc<Mutex<Option<&'static str>>>,
}

impl Remote {
    fn cut(&self, question: Option<&'static str>) {
        *self.down.lock().unwrap() = question;
    }

    fn later<'a, T: Send + 'a>(&self, question: &'static str, answer: Answer<'a, T>) -> Answer<'a, T> {
        let down = *self.down.lock().unwrap() == Some(question);
        Box::pin(async move {
            yield_now().await;
            if down { Err(Unavailable::new(format!("{question}: connection refused"))) } else { answer.await }
        })
    }
}

impl SessionStore for Remote {
    fn load(&self, id: SessionId, now: Timestamp) -> Answer<'_, Option<Session>> {
        self.later("load", self.store.load(id, now))
    }

    fn create(&self, id: SessionId, session: Session, now: Timestamp) -> Answer<'_, bool> {
        let down = *self.down.lock().unwrap();
        assert_ne!(down, Some("panic"), "asked to");
        self.later("create", self.store.create(id, session, now))
    }

    fn renew(&self, id: SessionId, session: Session, now: Timestamp) -> Answer<'_, bool> {
        self.later("renew", self.store.renew(id, session, now))
    }

    fn remove(&self, id: SessionId, now: Timestamp) -> Answer<'_, ()> {
        self.later("remove", self.store.remove(id, now))
    }
}

#[tokio::test]
async fn t32_a_store_that_is_down_throws_nobody_out_and_lets_nobody_in() {
    let (world, store, app) = (World::new(), Remote::default(), App::default());
    let service =
        world.layer(people()).verify_blocking(verify).session_store(store.clone()).layer(app.clone());
    let cookie = cookie(&send(&service, login("right")).await);
    let fields = [("cookie", cookie.as_str())];

    store.cut(Some("load"));
    let page = send(&service, get("/ops/queues", &fields)).await;
    assert_eq!((page.status, page.header("set-cookie"), page.header("location")), (503, "", ""));
    assert_eq!(send(&service, get("/ops/queues", &[])).await.status, 303, "strangers are not asked about");
    assert!(app.heard_nothing());

    store.cut(Some("remove"));
    let mut out = form("/ops/logout", "");
    out.headers_mut().insert("cookie", cookie.parse().unwrap());
    let answer = send(&service, out).await;
    assert_eq!(
        (answer.status, answer.header("set-cookie")),
        (503, ""),
        "who could not be signed out may try again"
    );

    for question in ["create", "panic"] {
        store.cut(Some(question));
        let answer = send(&service, login("right")).await;
        assert_eq!((answer.status, answer.header("set-cookie")), (503, ""), "{question}");
    }
    assert_eq!(world.trail.lock().unwrap().last().unwrap().detail, "the session store panicked");

    store.cut(None);
    assert_eq!(send(&service, login("right")).await.status, 303, "nothing needs a restart");
}
