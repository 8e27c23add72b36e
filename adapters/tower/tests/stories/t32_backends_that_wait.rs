//! A backend that must be asked: whatever goes wrong with it lets nobody in, and is not mistaken for "nobody".

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use authgate_core::{Access, Gate, Unavailable, User};
use futures_lite::future::poll_once;
use serde_json::json;
use tower::{Layer as _, ServiceExt as _};

use crate::world::{App, World, bearer, get, outcome, send, token, waiting};

const API: [(&str, &str); 1] = [("accept", "application/json")];

#[tokio::test]
async fn whom_the_backend_knows_is_admitted() {
    let world = World::new().knowing(|backend, parts| {
        let user = parts.headers.get("cookie").map(|cookie| User::new(cookie.to_str().unwrap()));
        async move {
            tokio::task::yield_now().await;
            assert_eq!(backend, "directory");
            Ok(user)
        }
    });
    let app = App::default();
    let service = world.layer(Gate::builder(waiting("directory"))).layer(app.clone());

    let answer = send(&service, get("/?page=2", &[("cookie", "ada")])).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "dashboard"));
    let arrived = app.only();
    assert_eq!(arrived.extensions().get::<Arc<User>>().unwrap().id, "ada");
    assert_eq!(arrived.uri(), "/?page=2");

    let answer = send(&service, get("/?page=2", &[])).await;
    assert_eq!((answer.status, answer.header("location")), (303, "/login?next=%2F%3Fpage%3D2"));
    assert_eq!(send(&service, get("/", &API)).await.status, 401);
    assert!(app.heard_nothing());
}

#[tokio::test]
async fn t30_whoever_is_no_proper_user_is_not_admitted() {
    let app = App::default();
    let nameless = World::new().knowing(|_, _| async { Ok(Some(User::new(""))) });
    let service = nameless.layer(Gate::builder(waiting("directory"))).layer(app.clone());
    assert_eq!(send(&service, get("/", &API)).await.status, 401);

    let world = World::new().knowing(|_, _| async { Ok(Some(User::new("ada"))) });
    let gate = Gate::builder(waiting("directory")).access(Access::admins());
    let service = world.layer(gate).layer(app.clone());
    assert_eq!(send(&service, get("/", &API)).await.status, 403);
    assert!(app.heard_nothing());
}

/// A world that fails answers 503 to every kind of client, says nothing of why, and lets nobody in.
async fn fails(world: World) {
    let app = App::default();
    let service = world.layer(Gate::builder(waiting("directory"))).layer(app.clone());
    let page = send(&service, get("/", &[])).await;
    assert_eq!((page.status, page.header("location")), (503, ""));
    assert!(page.body.contains("Try again") && !page.body.contains("10.0.0.7"), "{}", page.body);
    let handshake = [("upgrade", "websocket"), ("connection", "upgrade")];
    for fields in [&API[..], &[("hx-request", "true")], &handshake] {
        let answer = send(&service, get("/", fields)).await;
        assert_eq!((answer.status, answer.body.as_str()), (503, "Temporarily unavailable"));
        assert_eq!((answer.header("www-authenticate"), answer.header("hx-redirect")), ("", ""));
    }
    assert!(app.heard_nothing());
}

#[tokio::test]
async fn t32_a_backend_that_cannot_answer_is_503() {
    fails(World::new().knowing(|_, _| async { Err(Unavailable::new("10.0.0.7 is down")) })).await;
}

#[tokio::test]
async fn t30_a_backend_that_panics_is_503() {
    fails(World::new().knowing(|_, _| async {
        tokio::task::yield_now().await;
        panic!("10.0.0.7 said something odd")
    }))
    .await;
}

/// `authenticate` need not be an `async fn`: what it does before it returns its future may panic, too.
#[tokio::test]
async fn t30_a_backend_that_panics_at_once_is_503() {
    async fn never() -> Result<Option<User>, Unavailable> {
        pending().await
    }
    fails(World::new().knowing(|_, parts| {
        assert!(parts.headers.is_empty(), "10.0.0.7 said something odd");
        never()
    }))
    .await;
}

#[tokio::test]
async fn t32_a_backend_that_never_answers_is_503_at_the_deadline() {
    let world = World::new().knowing(|_, _| pending());
    let app = App::default();
    let layer = world.layer(Gate::builder(waiting("directory"))).deadline(Duration::from_secs(2));
    let answer = tokio::spawn(layer.layer(app.clone()).oneshot(get("/", &API)));
    tokio::task::yield_now().await;
    world.clock.advance(Duration::from_millis(1999));
    tokio::task::yield_now().await;
    assert!(!answer.is_finished());
    world.clock.advance(Duration::from_millis(1));
    assert_eq!(outcome(answer).await.unwrap().status(), 503);
    assert!(app.heard_nothing());
    assert_eq!(world.trail.lock().unwrap()[0].detail, "the backend gave no answer within 2000 ms");
}

#[tokio::test]
async fn the_deadline_is_five_seconds_by_default() {
    let world = World::new().knowing(|_, _| pending());
    let service = world.layer(Gate::builder(waiting("directory"))).layer(App::default());
    let mut answer = Box::pin(service.oneshot(get("/", &API)));
    assert!(poll_once(&mut answer).await.is_none());
    world.clock.advance(Duration::from_millis(4999));
    assert!(poll_once(&mut answer).await.is_none());
    world.clock.advance(Duration::from_millis(1));
    assert_eq!(poll_once(&mut answer).await.expect("an answer").unwrap().status(), 503);
}

#[tokio::test]
async fn backends_are_asked_in_order_until_one_answers() {
    let world = World::new().knowing(|backend, parts| {
        let first = parts.headers.get("first").map(|value| value.to_str().unwrap().to_owned());
        async move {
            match (backend, first.as_deref()) {
                ("first", Some("knows")) => Ok(Some(User::new("first's"))),
                ("first", Some("fails")) => Err(Unavailable::new("first is down")),
                ("second", _) => Ok(Some(User::new("second's"))),
                _ => Ok(None),
            }
        }
    });
    let app = App::default();
    let gate = Gate::builder(waiting("first")).backend(waiting("second"));
    let service = world.layer(gate).layer(app.clone());
    let asked = || std::mem::take(&mut *world.asked.lock().unwrap());

    assert_eq!(send(&service, get("/", &API)).await.status, 200);
    assert_eq!(
        (app.only().extensions().get::<Arc<User>>().unwrap().id.as_str(), asked()),
        ("second's", vec!["first", "second"])
    );

    assert_eq!(send(&service, get("/", &[("first", "knows")])).await.status, 200);
    assert_eq!(
        (app.only().extensions().get::<Arc<User>>().unwrap().id.as_str(), asked()),
        ("first's", vec!["first"])
    );

    // t32: the second one's word does not heal that the first could not be asked.
    assert_eq!(send(&service, get("/", &[("first", "fails")])).await.status, 503);
    assert!(app.heard_nothing());
    assert_eq!(asked(), ["first"]);
}

#[tokio::test]
async fn a_token_at_hand_is_taken_before_anybody_is_waited_for() {
    let world = World::new();
    let app = App::default();
    let service = world.layer(Gate::builder(waiting("directory")).backend(bearer())).layer(app.clone());
    let (field, value) = token("ada", json!({}));
    assert_eq!(send(&service, get("/", &[(field, &value)])).await.status, 200);
    assert_eq!(app.only().extensions().get::<Arc<User>>().unwrap().id, "ada");
    assert!(world.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn public_paths_ask_nobody() {
    let (world, app) = (World::new(), App::default());
    let service = world.layer(Gate::builder(waiting("directory")).public_path("/healthz")).layer(app.clone());
    assert_eq!(send(&service, get("/healthz", &API)).await.status, 200);
    assert!(world.asked.lock().unwrap().is_empty());
}
