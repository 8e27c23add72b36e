//! Connections to the upstream are used again, but never twice for one decision.

use std::thread::sleep;

use crate::harness::{Front, PATIENCE, Peer, SHORT, Upstream, proxied, proxied_with};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const POST: &str = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi";

/// A proxy that keeps connections for as long as a test may take.
fn keeping() -> (Front, Upstream) {
    proxied_with(|mut setup| {
        setup.limits.idle = PATIENCE;
        setup
    })
}

/// One request and its answer on a new connection, which is kept then.
fn kept(front: &Front, upstream: &Upstream) -> (Peer, Peer) {
    let mut client = front.get("/first");
    let mut server = upstream.accept();
    server.head();
    server.send(OK);
    assert_eq!(client.answer().body, "ok");
    (client, server)
}

#[test]
fn a_connection_is_used_again() {
    let (front, upstream) = keeping();
    let (mut client, mut server) = kept(&front, &upstream);
    for answer in [
        OK,
        "HTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 304 Not Modified\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        OK,
    ] {
        client.send("GET /next HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(server.head().line, "GET /next HTTP/1.1");
        server.send(answer);
        if client.head().has("transfer-encoding") {
            assert_eq!(client.chunks(), "ok");
        } else if answer == OK {
            assert_eq!(client.receive(2), "ok");
        }
    }
    assert!(upstream.is_left_alone());
    // Another client's request goes over it too.
    let mut other = front.get("/other");
    assert_eq!(server.head().line, "GET /other HTTP/1.1");
    server.send(OK);
    assert_eq!(other.answer().status, 200);
    assert!(upstream.is_left_alone());
}

#[test]
fn a_connection_serves_one_request_at_a_time() {
    let (front, upstream) = keeping();
    let (mut client, mut server) = kept(&front, &upstream);
    client.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
    server.head();
    server.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no");
    let mut other = front.get("/other");
    let mut second = upstream.accept();
    second.head();
    second.send(OK);
    assert_eq!(other.answer().status, 200);
    server.send("k");
    assert_eq!(client.answer().body, "ok");
}

#[test]
fn a_connection_that_waits_is_closed_soon() {
    let (front, upstream) = proxied_with(|mut setup| {
        setup.limits.idle = SHORT;
        setup
    });
    let (_client, mut server) = kept(&front, &upstream);
    assert!(server.is_closed());
}

#[test]
fn a_connection_that_the_upstream_closes_is_let_go() {
    let (front, upstream) = keeping();
    let (_client, mut server) = kept(&front, &upstream);
    server.finish_sending();
    assert!(server.is_closed());
}

#[test]
fn no_more_connections_wait_than_allowed() {
    for (most, closes) in [(0, true), (1, false)] {
        let (front, upstream) = proxied_with(|mut setup| {
            setup.limits.idle = PATIENCE;
            setup.limits.idle_connections = most;
            setup
        });
        let (_client, mut server) = kept(&front, &upstream);
        assert_eq!(!server.is_silent(SHORT), closes);
    }
}

#[test]
fn closing_between_requests_is_never_a_502() {
    let (front, upstream) = keeping();
    for round in 0..50 {
        let (mut client, server) = kept(&front, &upstream);
        // At times before the proxy can notice, at times after.
        drop(server);
        if round % 5 == 0 {
            sleep(SHORT / 30);
        }
        client.send("GET /second HTTP/1.1\r\nHost: a\r\n\r\n");
        let mut server = upstream.accept();
        assert_eq!(server.head().line, "GET /second HTTP/1.1");
        server.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
        assert_eq!(client.answer().status, 200);
    }
}

#[test]
fn a_safe_request_is_sent_once_more_if_a_used_connection_dies_without_a_word() {
    for request in ["GET", "HEAD", "OPTIONS"] {
        let (front, upstream) = keeping();
        let (_first, mut server) = kept(&front, &upstream);
        let mut client = front.send(format!("{request} /again HTTP/1.1\r\nHost: a\r\n\r\n"));
        server.head();
        drop(server);
        let mut fresh = upstream.accept();
        assert_eq!(fresh.head().line, format!("{request} /again HTTP/1.1"));
        fresh.send(OK);
        assert_eq!(client.head().status(), 200);
    }
}

#[test]
fn once_more_is_once() {
    let (front, upstream) = keeping();
    let (_first, mut server) = kept(&front, &upstream);
    let mut client = front.get("/again");
    server.head();
    drop(server);
    upstream.accept().head();
    assert_eq!(client.answer().status, 502);
    assert!(upstream.is_left_alone());
}

#[test]
fn nothing_is_sent_again_once_there_was_a_word() {
    let (front, upstream) = keeping();
    let (_first, mut server) = kept(&front, &upstream);
    let mut client = front.get("/again");
    server.head();
    server.send("HTTP/1.1 200");
    drop(server);
    assert_eq!(client.answer().status, 502);
    assert!(upstream.is_left_alone());
}

#[test]
fn what_must_not_be_sent_twice_goes_over_a_new_connection() {
    for request in [
        POST,
        "DELETE / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi",
    ] {
        let (front, upstream) = keeping();
        let (_first, _server) = kept(&front, &upstream);
        let mut client = front.send(request);
        let mut fresh = upstream.accept();
        fresh.head();
        drop(fresh);
        assert_eq!(client.answer().status, 502);
        assert!(upstream.is_left_alone(), "asked once: {request}");
    }
}

#[test]
fn a_connection_with_half_an_exchange_on_it_is_not_used_again() {
    let (front, upstream) = keeping();
    // The answer is whole; the request is not.
    let mut client = front.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
    let mut server = upstream.accept();
    server.head();
    server.send(OK);
    assert_eq!(client.answer().status, 200);
    let _other = front.get("/other");
    assert_eq!(upstream.accept().head().line, "GET /other HTTP/1.1");
}

#[test]
fn what_comes_unasked_is_nobodys_answer() {
    let (front, upstream) = keeping();
    let mut client = front.get("/first");
    let mut server = upstream.accept();
    server.head();
    server.send(format!("{OK}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"));
    assert_eq!(client.answer().body, "ok");
    assert!(server.is_closed());
    let mut other = front.get("/other");
    let mut fresh = upstream.accept();
    fresh.head();
    fresh.send(OK);
    assert_eq!(other.answer().body, "ok");
}

#[test]
fn the_upstream_may_ask_to_close() {
    let (front, upstream) = proxied();
    let mut client = front.get("/");
    let mut server = upstream.accept();
    server.head();
    server.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
    assert_eq!(client.answer().status, 200);
    assert!(server.is_closed());
}

#[test]
fn nothing_follows_a_body_for_it_could_be_in_the_body() {
    for request in [POST, "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"] {
        let (front, upstream) = keeping();
        let mut client = front.send(request);
        let mut server = upstream.accept();
        assert_eq!(server.head().field("connection"), Some("close"));
        assert_eq!(server.receive(2), "hi");
        server.send(OK);
        assert_eq!(client.answer().status, 200);
        assert!(server.is_closed());
        client.send("GET /next HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(upstream.accept().head().line, "GET /next HTTP/1.1");
    }
}
