use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use async_channel::{Receiver, Sender};
use authgate_core::Peer;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use hyper::body::Incoming;
use hyper::rt::{Read, ReadBuf, Write};
use hyper::upgrade::Upgraded;
use tower_service::Service;

use super::LARGE;
use crate::runtime;

pub(super) type Chunk = Result<Frame<Bytes>, Infallible>;

type Body = UnsyncBoxBody<Bytes, Infallible>;

/// What the tests call.
#[derive(Clone)]
pub(crate) struct Example {
    pub(super) arrived: Sender<String>,
    pub(super) chunks: Receiver<Chunk>,
}

impl Service<Request<Incoming>> for Example {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Incoming>) -> Self::Future {
        let Self { arrived, chunks } = self.clone();
        Box::pin(async move {
            let path = request.uri().path().to_owned();
            arrived.send(path.clone()).await.unwrap();
            Ok(Response::new(match path.as_str() {
                "/peer" => full(request.extensions().get::<Peer>().unwrap().to_string()),
                "/echo" => full(request.into_body().collect().await.map_or_else(
                    |error| format!("broken body: {error}").into(),
                    http_body_util::Collected::to_bytes,
                )),
                // Answers once the test has sent a chunk.
                "/wait" => full(chunks.recv().await.unwrap().unwrap().into_data().unwrap()),
                // Answers at once, and streams what the test sends until it stops.
                "/stream" => StreamBody::new(Box::pin(chunks)).boxed_unsync(),
                "/large" => full(vec![b'x'; LARGE]),
                // As `/stream`, after a head that is longer than small buffers.
                "/long-head" => {
                    let mut response = Response::new(StreamBody::new(Box::pin(chunks)).boxed_unsync());
                    response.headers_mut().insert("x-long", "x".repeat(LARGE / 8).parse().unwrap());
                    return Ok(response);
                }
                "/endless" => Endless.boxed_unsync(),
                "/panic" => panic!("asked to"),
                "/upgrade" => return Ok(upgrade(request)),
                _ => full("hello"),
            }))
        })
    }
}

fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).boxed_unsync()
}

fn upgrade(request: Request<Incoming>) -> Response<Body> {
    runtime::spawn(async move {
        let mut upgraded = hyper::upgrade::on(request).await.unwrap();
        while let Ok(bytes @ [_, ..]) = read(&mut upgraded).await.as_deref() {
            write(&mut upgraded, bytes).await.unwrap();
        }
    });
    let mut response = Response::new(Empty::new().boxed_unsync());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    response.headers_mut().insert("connection", "upgrade".parse().unwrap());
    response.headers_mut().insert("upgrade", "echo".parse().unwrap());
    response
}

struct Endless;

impl http_body::Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Chunk>> {
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[b'x'; 16 * 1024])))))
    }
}

async fn read(upgraded: &mut Upgraded) -> io::Result<Vec<u8>> {
    let mut bytes = [0; 64];
    let mut buffer = ReadBuf::new(&mut bytes);
    poll_fn(|cx| Pin::new(&mut *upgraded).poll_read(cx, buffer.unfilled())).await?;
    Ok(buffer.filled().to_vec())
}

async fn write(upgraded: &mut Upgraded, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        let written = poll_fn(|cx| Pin::new(&mut *upgraded).poll_write(cx, bytes)).await?;
        bytes = &bytes[written..];
    }
    poll_fn(|cx| Pin::new(&mut *upgraded).poll_flush(cx)).await
}
