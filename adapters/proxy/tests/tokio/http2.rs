use std::thread;

use authgate_tower::BodyError;
use bytes::Bytes;
use http::{Request, Response, StatusCode, Version};
use http_body::Frame;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Empty, StreamBody};
use hyper::body::Incoming;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};

use crate::harness::{Front, proxied};
use crate::runtime::block_on;

type Body = UnsyncBoxBody<Bytes, BodyError>;

fn empty() -> Body {
    Empty::new().map_err(Into::into).boxed_unsync()
}

/// What an HTTP/2 client is answered, head and body, while a test plays the upstream.
fn answered(
    front: &Front,
    request: Request<Body>,
) -> thread::JoinHandle<(Response<()>, Result<Bytes, hyper::Error>)> {
    let address = front.address();
    thread::spawn(move || {
        block_on(async move {
            let stream = tokio::net::TcpStream::connect(address).await.unwrap();
            let http = http2::Builder::new(TokioExecutor::new());
            let (mut sender, driven) = http.handshake::<_, Body>(TokioIo::new(stream)).await.unwrap();
            tokio::spawn(driven);
            let response: Response<Incoming> = sender.send_request(request).await.unwrap();
            assert_eq!(response.version(), Version::HTTP_2);
            let (parts, body) = response.into_parts();
            (Response::from_parts(parts, ()), body.collect().await.map(http_body_util::Collected::to_bytes))
        })
    })
}

#[test]
fn a_client_of_http_2_is_passed_on_in_http_1_1() {
    let (front, upstream) = proxied();
    let request =
        Request::get("http://dash.example:8443/path?x").header("te", "trailers").body(empty()).unwrap();
    let client = answered(&front, request);
    let mut server = upstream.accept();
    let head = server.head();
    assert_eq!(head.line, "GET /path?x HTTP/1.1");
    assert_eq!(head.field("host"), Some("dash.example:8443"));
    assert!(!head.has("te"));
    server.send("HTTP/1.1 200 OK\r\nConnection: keep-alive, X-Foo\r\nX-Foo: 1\r\nKeep-Alive: timeout=5\r\nTransfer-Encoding: chunked\r\n\r\n");
    server.send("3\r\nabc\r\n0\r\n\r\n");
    let (head, body) = client.join().unwrap();
    assert_eq!((head.status(), body.unwrap().as_ref()), (StatusCode::OK, &b"abc"[..]));
    assert!(!head.headers().contains_key("x-foo"));
}

#[test]
fn a_body_of_http_2_without_a_length_is_chunked_and_loses_its_trailers() {
    let (front, upstream) = proxied();
    let (feed, food) = async_channel::unbounded::<Result<Frame<Bytes>, BodyError>>();
    let request = Request::post("http://a/").body(StreamBody::new(Box::pin(food)).boxed_unsync()).unwrap();
    let client = answered(&front, request);
    let mut server = upstream.accept();
    let head = server.head();
    assert_eq!(head.field("transfer-encoding"), Some("chunked"));
    assert!(!head.has("content-length"));
    for piece in ["one", "two"] {
        feed.send_blocking(Ok(Frame::data(piece.into()))).unwrap();
        assert_eq!(server.chunk(), piece);
    }
    let mut trailers = http::HeaderMap::new();
    trailers.insert("x-auth-user", "mallory".parse().unwrap());
    feed.send_blocking(Ok(Frame::trailers(trailers))).unwrap();
    drop(feed);
    assert_eq!(server.chunk(), "");
    server.send("HTTP/1.1 204 No Content\r\n\r\n");
    assert_eq!(client.join().unwrap().0.status(), StatusCode::NO_CONTENT);
}

#[test]
fn a_stream_that_breaks_off_is_reset() {
    let (front, upstream) = proxied();
    let client = answered(&front, Request::get("http://a/").body(empty()).unwrap());
    let mut server = upstream.accept();
    server.head();
    server.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    drop(server);
    assert!(client.join().unwrap().1.is_err());
}

#[test]
fn no_protocol_is_switched_over_http_2() {
    let (front, upstream) = proxied();
    let client = answered(&front, Request::get("http://a/").body(empty()).unwrap());
    let mut server = upstream.accept();
    assert!(!server.head().has("upgrade"));
    server.send("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n");
    assert_eq!(client.join().unwrap().0.status(), StatusCode::BAD_GATEWAY);
}
