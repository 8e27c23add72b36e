//! The gate keeps tower's contract: what stands behind it is called only once it is ready, and its errors are its own.

use std::future::{Ready, poll_fn, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use authgate_core::{Gate, User};
use bytes::Bytes;
use futures_lite::future::poll_once;
use http::{Request, Response};
use http_body_util::Full;
use serde_json::json;
use tower::{Layer as _, Service, ServiceExt as _};

use crate::world::{App, World, bearer, gate, get, token, waiting};

#[tokio::test]
async fn a_request_that_waits_takes_the_ready_service_with_it() {
    let (open, gate_opens) = async_channel::bounded::<()>(1);
    let world = World::new().knowing(move |_, _| {
        let gate_opens = gate_opens.clone();
        async move {
            let _ = gate_opens.recv().await;
            Ok(Some(User::new("ada")))
        }
    });
    let app = App::default();
    let mut service = world.layer(Gate::builder(waiting("directory")).backend(bearer())).layer(app.clone());
    let mut first = Box::pin(service.ready().await.unwrap().call(get("/first", &[])));
    assert!(poll_once(&mut first).await.is_none());

    // The next one overtakes it. `App` panics when it is called before it was polled ready.
    let (field, value) = token("ada", json!({}));
    let second = service.ready().await.unwrap().call(get("/second", &[(field, &value)]));
    assert_eq!(second.await.unwrap().status(), 200);
    open.send(()).await.unwrap();
    assert_eq!(first.await.unwrap().status(), 200);
    let seen: Vec<_> =
        app.seen.lock().unwrap().iter().map(|request| request.uri().path().to_owned()).collect();
    assert_eq!(seen, ["/second", "/first"]);
}

#[tokio::test]
async fn a_refusal_leaves_the_service_ready() {
    let app = App::default();
    let mut service = World::new().layer(gate()).layer(app.clone());
    let (field, value) = token("ada", json!({}));
    assert_eq!(service.ready().await.unwrap().call(get("/ops/", &[])).await.unwrap().status(), 303);
    let answer = service.call(get("/ops/", &[(field, &value)])).await.unwrap();
    assert_eq!(answer.status(), 200);
}

/// Ready when it is told, and always failing.
#[derive(Clone, Default)]
struct Failing {
    is_ready: Arc<AtomicBool>,
    is_broken: Arc<AtomicBool>,
}

impl Service<Request<String>> for Failing {
    type Response = Response<Full<Bytes>>;
    type Error = &'static str;
    type Future = Ready<Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        match (self.is_broken.load(Ordering::Relaxed), self.is_ready.load(Ordering::Relaxed)) {
            (true, _) => Poll::Ready(Err("broken")),
            (false, true) => Poll::Ready(Ok(())),
            (false, false) => Poll::Pending,
        }
    }

    fn call(&mut self, _: Request<String>) -> Self::Future {
        ready(Err("failed"))
    }
}

#[tokio::test]
async fn the_gate_is_ready_when_the_service_is() {
    let inner = Failing::default();
    let mut service = World::new().layer(gate()).layer(inner.clone());
    let mut poll = async || poll_once(poll_fn(|context| service.poll_ready(context))).await;
    assert_eq!(poll().await, None);
    inner.is_ready.store(true, Ordering::Relaxed);
    assert_eq!(poll().await, Some(Ok(())));
    inner.is_broken.store(true, Ordering::Relaxed);
    assert_eq!(poll().await, Some(Err("broken")));
}

#[tokio::test]
async fn an_error_of_the_service_stays_an_error() {
    let inner = Failing::default();
    inner.is_ready.store(true, Ordering::Relaxed);
    let (field, value) = token("ada", json!({}));
    let at_once = World::new().layer(gate()).layer(inner.clone());
    assert_eq!(at_once.oneshot(get("/ops/", &[(field, &value)])).await.err(), Some("failed"));
    let world = World::new().knowing(|_, _| async { Ok(Some(User::new("ada"))) });
    let after_waiting = world.layer(Gate::builder(waiting("directory"))).layer(inner);
    assert_eq!(after_waiting.oneshot(get("/", &[])).await.err(), Some("failed"));
}
