mod readers;

use std::thread;
use std::time::{Duration, Instant};

use authgate_tokio::Limits;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::harness::{LARGE, PATIENCE, SHORT, Server};
use crate::runtime::block_on;

struct Client {
    requests: SendRequest<Empty<Bytes>>,
    connection: JoinHandle<hyper::Result<()>>,
}

impl Client {
    async fn connect(server: std::net::SocketAddr) -> Self {
        let stream = TokioIo::new(TcpStream::connect(server).await.unwrap());
        let mut http2 = http2::Builder::new(TokioExecutor::new());
        // Small enough for a slow reader to make the server wait.
        http2.initial_stream_window_size(64 * 1024);
        let (requests, connection) = http2.handshake(stream).await.unwrap();
        Self { requests, connection: tokio::spawn(connection) }
    }

    async fn get(&mut self, path: &str) -> hyper::Result<Response<Incoming>> {
        self.send(Request::get(format!("http://localhost{path}"))).await
    }

    async fn send(&mut self, request: http::request::Builder) -> hyper::Result<Response<Incoming>> {
        let request = request.body(Empty::new()).unwrap();
        timeout(PATIENCE, self.requests.send_request(request)).await.expect("a response in time")
    }

    async fn closed(self) -> bool {
        timeout(PATIENCE, self.connection).await.is_ok()
    }
}

async fn text(response: hyper::Result<Response<Incoming>>) -> String {
    let body = response.unwrap().into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(body.to_vec()).unwrap()
}

#[test]
fn http2_is_spoken_on_the_same_port() {
    let server = Server::start(Limits::default());
    let mut other = server.connect();
    let address = server.address;
    block_on(async move {
        let mut client = Client::connect(address).await;
        assert_eq!(text(client.get("/").await).await, "hello");
        assert_eq!(text(client.get("/peer").await).await, "127.0.0.1");
        assert_eq!(text(client.get("/large").await).await.len(), LARGE);
    });
    other.get("/");
    assert_eq!(other.answer().body, "hello");
}

#[test]
fn http2_heads_have_the_same_limits() {
    let server = Server::start(Limits::default());
    let address = server.address;
    block_on(async move {
        let mut client = Client::connect(address).await;
        for (count, length, status) in
            [(90, 10, 200), (101, 10, 431), (1, 60 * 1024, 200), (1, 65 * 1024, 431)]
        {
            let mut request = Request::get("http://localhost/");
            for number in 0..count {
                request = request.header(format!("x-{number}"), "x".repeat(length));
            }
            assert_eq!(client.send(request).await.unwrap().status(), status, "{count} of {length}");
        }
        assert_eq!(text(client.get("/").await).await, "hello");
    });
}

#[test]
fn a_panic_ends_its_own_http2_stream_only() {
    let server = Server::start(Limits::default());
    let address = server.address;
    block_on(async move {
        let mut client = Client::connect(address).await;
        assert!(client.get("/panic").await.is_err());
        assert_eq!(text(client.get("/").await).await, "hello");
    });
}

#[test]
fn an_idle_http2_connection_is_closed() {
    let limits = Limits { idle_timeout: SHORT, head_timeout: SHORT, ..Limits::default() };
    let server = Server::start(limits);
    let address = server.address;
    block_on(async move {
        let begun = Instant::now();
        let mut client = Client::connect(address).await;
        assert_eq!(text(client.get("/").await).await, "hello");
        assert!(client.closed().await);
        assert!(begun.elapsed() > SHORT / 2);
    });
}

#[test]
fn an_http2_stream_that_pauses_is_not_idle() {
    let limits = Limits { idle_timeout: SHORT, head_timeout: SHORT, ..Limits::default() };
    let server = Server::start(limits);
    let address = server.address;
    let mut client = block_on(Client::connect(address));
    let (mut client, mut body) = block_on(async move {
        let body = client.get("/stream").await.unwrap().into_body();
        (client, body)
    });
    for chunk in ["one", "two"] {
        thread::sleep(3 * SHORT);
        server.chunk(chunk);
        body = block_on(async move {
            assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), chunk);
            body
        });
    }
    block_on(async move { assert_eq!(text(client.get("/").await).await, "hello") });
}

#[test]
fn an_http2_preface_alone_is_cut_off() {
    let server = Server::start(Limits { head_timeout: SHORT, ..Limits::default() });
    let mut client = server.connect();
    client.send("PRI * HTTP/2.0\r\n");
    assert_ne!(client.closed_after(), 0);
}

#[test]
fn an_http2_client_that_answers_no_ping_is_given_up() {
    let server = Server::start(Limits { idle_timeout: SHORT, head_timeout: SHORT, ..Limits::default() });
    let mut client = server.connect();
    client.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    client.send([0, 0, 0, 4, 0, 0, 0, 0, 0]);
    // GET http://a/stream as stream 1, which stays open.
    client.send([0, 0, 14, 1, 5, 0, 0, 0, 1]);
    client.send(b"\x82\x86\x04\x07/stream\x01\x01a");
    assert_eq!(server.arrived(), "/stream");
    assert_ne!(client.closed_after(), 0);
}

#[test]
fn http2_requests_in_flight_finish_on_shutdown() {
    let mut server = Server::start(Limits { drain: Duration::MAX, ..Limits::default() });
    let address = server.address;
    let mut client = block_on(Client::connect(address));
    let idle = block_on(Client::connect(address));
    let (client, answer) = block_on(async move {
        let answer =
            client.requests.send_request(Request::get("http://localhost/wait").body(Empty::new()).unwrap());
        (client, tokio::spawn(answer))
    });
    assert_eq!(server.arrived(), "/wait");
    server.stop();
    assert!(block_on(idle.closed()));
    assert!(server.is_running());
    server.chunk("finished");
    assert_eq!(block_on(async { text(answer.await.unwrap()).await }), "finished");
    assert!(block_on(client.closed()));
    server.ended().unwrap();
}
