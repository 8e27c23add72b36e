//! Nothing outlives the admission that let it begin.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use async_channel::Sender;
use authgate_core::{Gate, Proven, Timestamp, User};
use authgate_tower::{BodyError, Expired, Expiry, GateBody};
use bytes::Bytes;
use futures_lite::future::poll_once;
use futures_lite::stream::{self, StreamExt as _};
use http::{Request, Response};
use http_body::{Body, Frame};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use serde_json::json;
use tower::{Layer as _, Service, ServiceExt as _};

use crate::world::{App, START, World, bearer, gate, get, outcome, send, token, waiting};

type Inner = UnsyncBoxBody<Bytes, Infallible>;

const MINUTE: Duration = Duration::from_mins(1);
const SSE: &str = "text/event-stream; charset=utf-8";

/// Answers once, with a body.
#[derive(Clone)]
struct Once(Arc<Mutex<Option<Response<Inner>>>>);

impl Service<Request<String>> for Once {
    type Response = Response<Inner>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Inner>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<String>) -> Self::Future {
        ready(Ok(self.0.lock().unwrap().take().unwrap()))
    }
}

/// What a client gets of `body`, which is of the type `kind`, if their token holds for a minute or has no end.
async fn gated<B>(world: &World, ends: bool, kind: &str, body: B) -> GateBody<Inner>
where
    B: Body<Data = Bytes, Error = Infallible> + Send + 'static,
{
    let (field, value) = token("ada", if ends { json!({ "exp": START + 60 }) } else { json!({}) });
    let response = Response::builder().header("content-type", kind).body(body.boxed_unsync()).unwrap();
    let service = world.layer(gate()).layer(Once(Arc::new(Mutex::new(Some(response)))));
    service.oneshot(get("/ops/events", &[(field, &value)])).await.unwrap().into_body()
}

/// A body that a test feeds.
fn fed() -> (Sender<Frame<Bytes>>, impl Body<Data = Bytes, Error = Infallible> + Send + 'static) {
    let (feed, food) = async_channel::unbounded();
    (feed, StreamBody::new(Box::pin(food).map(Ok)))
}

fn data(text: &'static str) -> Frame<Bytes> {
    Frame::data(Bytes::from_static(text.as_bytes()))
}

/// The next piece, if it is there: text, the end, or an error.
async fn next(body: &mut GateBody<Inner>) -> Option<Option<Result<Bytes, BodyError>>> {
    let frame = poll_once(pin!(body.frame())).await?;
    Some(frame.map(|frame| frame.map(|frame| frame.into_data().unwrap())))
}

async fn text(body: &mut GateBody<Inner>) -> Bytes {
    next(body).await.expect("something").expect("no end").expect("no error")
}

async fn waits(body: &mut GateBody<Inner>) -> bool {
    next(body).await.is_none()
}

async fn is_cut(body: &mut GateBody<Inner>) -> bool {
    let error = next(body).await.expect("something").expect("no end").expect_err("an error");
    error.is::<Expired>() && matches!(next(body).await, Some(None)) && body.is_end_stream()
}

async fn has_ended(body: &mut GateBody<Inner>) -> bool {
    matches!(next(body).await, Some(None))
}

#[tokio::test]
async fn t13_an_event_stream_ends_quietly() {
    let (world, (feed, inner)) = (World::new(), fed());
    let mut body = gated(&world, true, SSE, inner).await;
    feed.send(data("data: 1\n\n")).await.unwrap();
    assert_eq!(text(&mut body).await, "data: 1\n\n");
    assert!(waits(&mut body).await);
    world.clock.advance(Duration::from_millis(59_999));
    assert!(waits(&mut body).await && !body.is_end_stream());
    feed.send(data("data: 2\n\n")).await.unwrap();
    assert_eq!(text(&mut body).await, "data: 2\n\n");
    world.clock.advance(Duration::from_millis(1));
    feed.send(data("data: too late\n\n")).await.unwrap();
    assert!(has_ended(&mut body).await && body.is_end_stream());
}

#[tokio::test]
async fn t13_any_other_body_must_not_look_complete() {
    for kind in ["application/octet-stream", "text/html", ""] {
        let (world, (feed, inner)) = (World::new(), fed());
        let mut body = gated(&world, true, kind, inner).await;
        feed.send(data("half")).await.unwrap();
        assert_eq!(text(&mut body).await, "half");
        assert!(waits(&mut body).await);
        world.clock.advance(MINUTE);
        assert!(is_cut(&mut body).await, "{kind}");
    }
}

#[tokio::test]
async fn t13_a_silent_stream_is_woken_to_end() {
    let (world, (feed, inner)) = (World::new(), fed());
    let body = gated(&world, true, SSE, inner).await;
    let reader = tokio::spawn(body.collect());
    tokio::task::yield_now().await;
    world.clock.advance(MINUTE);
    assert_eq!(outcome(reader).await.unwrap().to_bytes(), "");
    assert!(feed.send(data("x")).await.is_err(), "the dashboard learns that nobody listens");
}

#[tokio::test]
async fn t13_a_body_that_never_waits_is_cut_as_well() {
    for kind in ["text/plain", SSE] {
        let world = World::new();
        let mut body =
            gated(&world, true, kind, StreamBody::new(stream::repeat_with(|| Ok(data("x"))))).await;
        for _ in 0..100 {
            assert_eq!(text(&mut body).await, "x");
        }
        // No timer tells: the clock alone.
        world.clock.set_forward(MINUTE);
        assert!(if kind == SSE { has_ended(&mut body).await } else { is_cut(&mut body).await });
    }
}

#[tokio::test]
async fn a_body_without_an_end_is_never_cut() {
    let (world, (feed, inner)) = (World::new(), fed());
    let mut body = gated(&world, false, SSE, inner).await;
    assert!(waits(&mut body).await);
    world.clock.advance(Duration::from_hours(24 * 365 * 100));
    assert!(waits(&mut body).await);
    feed.send(data("still here")).await.unwrap();
    assert_eq!(text(&mut body).await, "still here");
    drop(feed);
    assert!(has_ended(&mut body).await);
}

#[tokio::test]
async fn a_body_that_ends_in_time_is_complete() {
    let (world, (feed, inner)) = (World::new(), fed());
    let mut body = gated(&world, true, "text/plain", inner).await;
    feed.send(data("all of it")).await.unwrap();
    drop(feed);
    assert_eq!(text(&mut body).await, "all of it");
    world.clock.advance(MINUTE);
    assert!(has_ended(&mut body).await);
}

#[tokio::test]
async fn a_length_that_is_known_stays_known() {
    let world = World::new();
    let body = gated(&world, true, "text/plain", Full::from("12345")).await;
    assert_eq!(body.size_hint().exact(), Some(5));
    assert_eq!(body.collect().await.unwrap().to_bytes(), "12345");
}

#[tokio::test]
async fn t13_a_timer_that_runs_early_ends_nothing() {
    let (world, (_feed, inner)) = (World::new(), fed());
    let mut body = gated(&world, true, SSE, inner).await;
    assert!(waits(&mut body).await);
    world.clock.run_timers(MINUTE);
    assert!(waits(&mut body).await, "the clock on the wall has not moved");
    world.clock.advance(Duration::from_secs(59));
    assert!(waits(&mut body).await);
    world.clock.advance(Duration::from_secs(1));
    assert!(has_ended(&mut body).await);
}

/// The expiry that the dashboard found in its request's extensions.
async fn expiry(world: &World, claims: serde_json::Value) -> Expiry {
    let app = App::default();
    let (field, value) = token("ada", claims);
    send(&world.layer(gate()).layer(app.clone()), get("/ops/ws", &[(field, &value)])).await;
    app.only().extensions().get::<Expiry>().unwrap().clone()
}

#[tokio::test]
async fn t13_a_websocket_is_told_when_to_close() {
    let world = World::new();
    let expiry = expiry(&world, json!({ "exp": START + 60 })).await;
    let closer = tokio::spawn({
        let expiry = expiry.clone();
        async move { expiry.expired().await }
    });
    tokio::task::yield_now().await;
    world.clock.advance(Duration::from_secs(59));
    tokio::task::yield_now().await;
    assert!(!closer.is_finished() && !expiry.has_passed());
    world.clock.run_timers(Duration::from_secs(1));
    tokio::task::yield_now().await;
    assert!(!closer.is_finished(), "the clock decides, not the timer");
    world.clock.advance(Duration::from_secs(1));
    tokio::task::yield_now().await;
    assert!(closer.is_finished() && expiry.has_passed());
    assert!(poll_once(pin!(expiry.expired())).await.is_some(), "it stays expired");
}

#[tokio::test]
async fn t13_a_clock_that_is_set_forward_is_noticed() {
    let world = World::new();
    let expiry = expiry(&world, json!({ "exp": START + 86_400 })).await;
    let mut expired = pin!(expiry.expired());
    assert!(poll_once(expired.as_mut()).await.is_none());
    world.clock.set_forward(Duration::from_hours(25));
    world.clock.run_timers(Duration::from_secs(30));
    assert!(poll_once(expired.as_mut()).await.is_some(), "not only after a day of timers");
}

#[tokio::test]
async fn t13_a_proof_of_an_asked_backend_may_end() {
    let world = World::new().proving(|_, _| async {
        let until = Some(Timestamp::from_secs(START + 60));
        Ok(Some(Proven { until, ..User::new("ada").into() }))
    });
    let app = App::default();
    let service = world.layer(Gate::builder(waiting("session"))).layer(app.clone());
    assert_eq!(send(&service, get("/events", &[])).await.status, 200);
    let until = app.only().extensions().get::<Expiry>().unwrap().until();
    assert_eq!(until, Some(Timestamp::from_secs(START + 60)));
}

#[tokio::test]
async fn t13_a_proof_that_has_ended_admits_nobody() {
    let world = World::new().proving(|_, _| async {
        let until = Some(Timestamp::from_secs(START));
        Ok(Some(Proven { until, ..User::new("ada").into() }))
    });
    let app = App::default();
    let service = world.layer(Gate::builder(waiting("session")).backend(bearer())).layer(app.clone());
    assert_eq!(send(&service, get("/events", &[])).await.status, 303);
    assert!(app.heard_nothing());
    let (field, value) = token("ada", json!({}));
    assert_eq!(
        send(&service, get("/events", &[(field, &value)])).await.status,
        200,
        "but another proof does"
    );
}

#[tokio::test]
async fn a_websocket_without_an_end_is_never_told() {
    let world = World::new();
    let expiry = expiry(&world, json!({})).await;
    let mut expired = pin!(expiry.expired());
    assert!(poll_once(&mut expired).await.is_none());
    world.clock.advance(Duration::from_hours(24 * 365 * 100));
    assert!(poll_once(&mut expired).await.is_none() && !expiry.has_passed());
}
