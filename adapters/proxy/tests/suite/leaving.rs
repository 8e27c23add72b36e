//! Clients that leave take their request with them.

use std::time::Instant;

use authgate_proxy::{Proxy, ProxyLimits, Target};
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use tower::ServiceExt as _;

use crate::harness::{PATIENCE, Upstream, proxied, proxied_with};
use crate::runtime;

#[test]
fn whoever_drops_the_answer_closes_the_connection_at_once() {
    for (answer, reads) in [
        // Nothing came yet; the head; the head and some of the body.
        ("", false),
        ("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n", false),
        ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", true),
    ] {
        let upstream = Upstream::start();
        let target = Target::parse(&upstream.url()).unwrap();
        let (drop_it, dropping) = async_channel::bounded::<()>(1);
        let (got, gotten) = std::sync::mpsc::channel();
        let client = std::thread::spawn(move || {
            runtime::block_on(async move {
                let proxy = Proxy::new(target, runtime::CONNECTOR, runtime::HOST, ProxyLimits::default());
                let exchange = async {
                    let request = Request::get("/").body(Full::new(Bytes::new())).unwrap();
                    let mut response = proxy.clone().oneshot(request).await.unwrap();
                    if reads {
                        assert_eq!(response.frame().await.unwrap().unwrap().into_data().unwrap(), "half");
                    }
                    got.send(()).unwrap();
                    std::future::pending::<()>().await;
                    drop(response);
                };
                let dropped = async {
                    let _ = dropping.recv().await;
                };
                futures_lite::future::or(exchange, dropped).await;
                // The proxy itself lives on.
                proxy
            })
        });
        let mut server = upstream.accept();
        server.head();
        server.send(answer);
        if !answer.is_empty() {
            gotten.recv_timeout(PATIENCE).unwrap();
        }
        drop(drop_it);
        assert!(server.is_closed(), "{answer:?}");
        drop(client.join().unwrap());
    }
}

#[test]
fn a_client_that_leaves_an_event_stream_frees_the_upstream() {
    let (front, upstream) = proxied();
    let mut client = front.get("/events");
    let mut server = upstream.accept();
    server.head();
    server.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
    client.head();
    drop(client);
    // The server notices when it has something to say: it also answers a client that has only finished sending.
    let left = Instant::now();
    while server.try_send("9\r\ndata: 1\n\n\r\n").is_ok() {
        assert!(left.elapsed() < PATIENCE);
    }
}

#[cfg(unix)]
#[test]
fn a_client_that_leaves_within_its_body_frees_the_upstream() {
    let (front, upstream) = proxied();
    let client = front.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    let mut server = upstream.accept();
    server.head();
    assert_eq!(server.chunk(), "abc");
    client.reset();
    assert!(server.is_closed(), "without the chunk that ends a body");
}

#[test]
fn a_server_that_ends_takes_its_exchanges_with_it() {
    for begun in ["", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"] {
        let (front, upstream) = proxied();
        let mut client = front.get("/");
        let mut server = upstream.accept();
        server.head();
        server.send(begun);
        if !begun.is_empty() {
            client.head();
        }
        drop(front);
        assert!(server.is_closed());
    }
}

#[test]
fn a_gate_that_ends_takes_what_waits_with_it() {
    let (front, upstream) = proxied_with(|mut setup| {
        setup.limits.idle = std::time::Duration::MAX;
        setup
    });
    let mut client = front.get("/");
    let mut server = upstream.accept();
    server.head();
    server.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    client.answer();
    drop((client, front));
    assert!(server.is_closed());
}
