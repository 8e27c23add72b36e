//! Bodies that are too large, too slow, cut off or endless: refused, and nothing is lost for others.

use std::convert::Infallible;
use std::future::{Ready, pending, ready};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_lite::stream;
use http::{Request, Response};
use http_body::{Body, Frame};
use http_body_util::{Full, StreamBody};
use tokio::task::yield_now;
use tower::{Layer as _, Service, ServiceExt as _};

use crate::signing_in::{people, verify};
use crate::world::{World, outcome};

/// Nobody gets this far.
#[derive(Clone)]
struct Unreached;

impl<B> Service<Request<B>> for Unreached {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<B>) -> Self::Future {
        ready(Ok(Response::new(Full::default())))
    }
}

fn post<B>(body: B) -> Request<B> {
    Request::post("/ops/login")
        .header("sec-fetch-site", "same-origin")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body)
        .unwrap()
}

async fn answer<B>(world: &World, body: B) -> u16
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<authgate_tower::BodyError>,
{
    let service = world.layer(people()).verify_blocking(verify).layer(Unreached);
    service.oneshot(post(body)).await.unwrap().status().as_u16()
}

/// A body without end that counts what is taken of it.
struct Endless(Arc<AtomicUsize>);

impl Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.fetch_add(16 * 1024, Ordering::Relaxed);
        Poll::Ready(Some(Ok(Frame::data(Bytes::from(vec![b'a'; 16 * 1024])))))
    }
}

#[tokio::test]
async fn t29_an_endless_form_is_read_no_further_than_its_limit() {
    let (world, taken) = (World::new(), Arc::new(AtomicUsize::new(0)));
    assert_eq!(answer(&world, Endless(Arc::clone(&taken))).await, 413);
    assert_eq!(taken.load(Ordering::Relaxed), 256 * 1024 + 16 * 1024);
    assert_eq!(world.line().decided, "respond 413 bad-form -");
}

#[tokio::test]
async fn a_form_in_pieces_is_one_form() {
    let pieces = ["user", "name=ada&pass", "word=right"];
    let body = StreamBody::new(stream::iter(
        pieces.map(|piece| Ok::<_, Infallible>(Frame::data(Bytes::from_static(piece.as_bytes())))),
    ));
    assert_eq!(answer(&World::new(), body).await, 303);
}

#[tokio::test]
async fn a_form_that_is_cut_off_is_none() {
    let world = World::new();
    let pieces = [
        Ok(Frame::data(Bytes::from_static(b"username=ada&password=right"))),
        Err(io::Error::from(io::ErrorKind::UnexpectedEof)),
    ];
    assert_eq!(answer(&world, StreamBody::new(stream::iter(pieces))).await, 400);
    assert_eq!(world.line().detail, "the body ended before it was whole");
}

#[tokio::test]
async fn a_form_that_does_not_come_is_not_waited_for() {
    let world = World::new();
    let body = StreamBody::new(Box::pin(stream::once_future(pending::<Result<Frame<Bytes>, Infallible>>())));
    let service = world.layer(people()).verify_blocking(verify).layer(Unreached);
    let answer = tokio::spawn(service.oneshot(post(body)));
    yield_now().await;
    world.clock.advance(Duration::from_millis(4999));
    yield_now().await;
    assert!(!answer.is_finished());
    world.clock.advance(Duration::from_millis(1));
    assert_eq!(outcome(answer).await.unwrap().status(), 408);
}
