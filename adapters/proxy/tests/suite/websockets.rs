//! Websockets, and everything that only looks like one.

use std::time::{Duration, Instant};

use crate::harness::{Front, PATIENCE, Peer, SHORT, Setup, Upstream, proxied, proxied_with, token};
use crate::runtime;

const FIELDS: &str = "Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";
const ACCEPTED: &str = "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

fn asked(front: &Front, upstream: &Upstream, more: &str) -> (Peer, Peer) {
    let client = front.send(format!("GET /ws HTTP/1.1\r\nHost: a\r\n{FIELDS}{more}\r\n"));
    let mut server = upstream.accept();
    let head = server.head();
    assert!(head.field("connection").unwrap().eq_ignore_ascii_case("upgrade"));
    assert_eq!(head.field("upgrade"), Some("websocket"));
    assert_eq!(head.field("sec-websocket-key"), Some("dGhlIHNhbXBsZSBub25jZQ=="));
    (client, server)
}

fn opened(front: &Front, upstream: &Upstream, more: &str) -> (Peer, Peer) {
    let (mut client, mut server) = asked(front, upstream, more);
    server.send(ACCEPTED);
    let head = client.head();
    assert_eq!(head.status(), 101);
    assert!(head.field("connection").unwrap().eq_ignore_ascii_case("upgrade"));
    assert_eq!(head.field("upgrade"), Some("websocket"));
    assert_eq!(head.field("sec-websocket-accept"), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    (client, server)
}

#[test]
fn a_websocket_goes_both_ways() {
    let (front, upstream) = proxied();
    let (mut client, mut server) = opened(&front, &upstream, "");
    for _ in 0..3 {
        client.send("ping");
        assert_eq!(server.receive(4), "ping");
        server.send("pong");
        assert_eq!(client.receive(4), "pong");
    }
}

#[test]
fn what_comes_along_with_the_handshake_is_not_lost() {
    let (front, upstream) = proxied();
    let mut client = front.send(format!("GET /ws HTTP/1.1\r\nHost: a\r\n{FIELDS}\r\nearly"));
    let mut server = upstream.accept();
    server.head();
    server.send(format!("{ACCEPTED}hello"));
    assert_eq!(client.head().status(), 101);
    assert_eq!(client.receive(5), "hello");
    assert_eq!(server.receive(5), "early");
}

#[test]
fn much_passes_through_a_websocket_and_no_more_than_is_read() {
    const LARGE: usize = 64 << 20;
    let (front, upstream) = proxied();
    let (mut client, mut server) = opened(&front, &upstream, "");
    let sent = server.room(LARGE);
    assert!(sent < LARGE / 2, "held up: {sent}");
    // The other way is not.
    client.send("ping");
    assert_eq!(server.receive(4), "ping");
    assert_eq!(client.receive(sent).len(), sent);
}

#[test]
fn a_websocket_may_be_idle_for_ever() {
    let (front, upstream) = proxied_with(Setup::impatient);
    let (mut client, mut server) = opened(&front, &upstream, "");
    assert!(client.is_silent(3 * SHORT));
    server.send("pong");
    assert_eq!(client.receive(4), "pong");
}

#[test]
fn either_side_ends_a_websocket() {
    let (front, upstream) = proxied();
    let (mut client, server) = opened(&front, &upstream, "");
    drop(server);
    assert!(client.is_closed());
    let (client, mut server) = opened(&front, &upstream, "");
    drop(client);
    assert!(server.is_closed());
}

#[test]
fn half_an_end_is_one_and_the_last_words_arrive() {
    let (front, upstream) = proxied();
    let (mut client, mut server) = opened(&front, &upstream, "");
    server.send("bye");
    server.finish_sending();
    assert_eq!(client.receive(3), "bye");
    assert!(client.is_closed());
    assert!(server.is_closed());
}

#[test]
fn a_refused_websocket_is_an_ordinary_answer() {
    let (front, upstream) = proxied();
    let (mut client, mut server) = asked(&front, &upstream, "");
    server.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
    let answer = client.answer();
    assert_eq!((answer.status, answer.body.as_str()), (403, "no"));
    client.send("GET /next HTTP/1.1\r\nHost: a\r\n\r\n");
    // Over either connection; but asked as any other.
    assert_eq!(server.head().line, "GET /next HTTP/1.1");
}

#[test]
fn a_switch_that_nobody_asked_for_is_502() {
    let (front, upstream) = proxied();
    for request in [
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        "GET / HTTP/1.0\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    ] {
        let mut client = front.send(request);
        let mut server = upstream.accept();
        let head = server.head();
        assert!(!head.has("upgrade") && !head.has("connection"), "{request}");
        server.send(ACCEPTED);
        assert_eq!(client.answer().status, 502, "{request}");
        assert!(server.is_closed());
    }
}

#[test]
fn a_switch_to_something_else_is_502() {
    let (front, upstream) = proxied();
    for fields in ["Connection: upgrade\r\nUpgrade: h2c\r\n", "Upgrade: websocket\r\n", ""] {
        let (mut client, mut server) = asked(&front, &upstream, "");
        server.send(format!("HTTP/1.1 101 Switching Protocols\r\n{fields}\r\n"));
        assert_eq!(client.answer().status, 502, "{fields}");
        assert!(server.is_closed());
    }
}

#[test]
fn t13_a_websocket_ends_with_its_admission() {
    let (front, upstream) = proxied_with(Setup::gated);
    let token = token(&runtime::HOST, Duration::from_secs(3));
    let begun = Instant::now();
    let (mut client, mut server) = opened(&front, &upstream, &format!("Authorization: Bearer {token}\r\n"));
    client.send("ping");
    assert_eq!(server.receive(4), "ping");
    assert!(server.is_closed());
    assert!(client.is_closed());
    assert!(begun.elapsed() > Duration::from_secs(1) && begun.elapsed() < PATIENCE);
}
