//! Bodies pass as they come.

use crate::harness::{SHORT, Setup, proxied, proxied_with};

const EVENTS: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n";

#[test]
fn events_arrive_one_by_one() {
    let (front, upstream) = proxied();
    let mut client = front.get("/events");
    let mut server = upstream.accept();
    server.head();
    server.send(EVENTS);
    // The head is there before there is an event.
    assert!(client.head().field("content-type").unwrap().starts_with("text/event-stream"));
    for _ in 0..100 {
        // The next is sent only once the one before has arrived.
        server.send("9\r\ndata: 1\n\n\r\n");
        assert_eq!(client.chunk(), "data: 1\n\n");
    }
    server.send("0\r\n\r\n");
    assert_eq!(client.chunk(), "");
}

#[test]
fn an_event_stream_may_pause_forever() {
    let (front, upstream) = proxied_with(Setup::impatient);
    let mut client = front.get("/events");
    let mut server = upstream.accept();
    server.head();
    server.send(EVENTS);
    client.head();
    assert!(client.is_silent(3 * SHORT));
    server.send("9\r\ndata: 1\n\n\r\n");
    assert_eq!(client.chunk(), "data: 1\n\n");
}

#[test]
fn an_upload_arrives_piece_by_piece() {
    let (front, upstream) = proxied();
    let mut client = front.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    let mut server = upstream.accept();
    server.head();
    for piece in ["one", "two", "six"] {
        client.send(format!("3\r\n{piece}\r\n"));
        assert_eq!(server.chunk(), piece);
    }
    client.send("0\r\n\r\n");
    assert_eq!(server.chunk(), "");
}

#[test]
fn both_ways_flow_at_once() {
    let (front, upstream) = proxied();
    let mut client = front.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    let mut server = upstream.accept();
    server.head();
    server.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    client.head();
    for piece in ["one", "two", "six"] {
        client.send(format!("3\r\n{piece}\r\n"));
        assert_eq!(server.chunk(), piece);
        server.send(format!("3\r\n{piece}\r\n"));
        assert_eq!(client.chunk(), piece);
    }
    client.send("0\r\n\r\n");
    assert_eq!(server.chunk(), "");
    server.send("0\r\n\r\n");
    assert_eq!(client.chunk(), "");
}

#[test]
fn an_answer_may_come_before_the_request_is_whole() {
    let (front, upstream) = proxied();
    let mut client = front.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
    let mut server = upstream.accept();
    server.head();
    server.send("HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno");
    drop(server);
    let answer = client.answer();
    assert_eq!((answer.status, answer.body.as_str()), (403, "no"));
}

#[test]
fn an_upload_goes_on_after_its_answer() {
    let (front, upstream) = proxied();
    let mut client = front.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
    let mut server = upstream.accept();
    server.head();
    assert_eq!(server.receive(3), "abc");
    server.send("HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\nok");
    assert_eq!(client.answer().status, 202);
    client.send("defghij");
    assert_eq!(server.receive(7), "defghij");
    assert!(server.is_closed());
}
