//! Clients that take their time over a response. Small buffers, so that the server notices.

use std::thread;
use std::time::Duration;

use authgate_hyper::Limits;

use crate::harness::{Client, LARGE, SHORT, Server};

fn limits() -> Limits {
    Limits { idle_timeout: 2 * SHORT, head_timeout: SHORT, drain: Duration::MAX, ..Limits::default() }
}

/// Asks for the large response and returns once the server has had time to hand all of it to hyper.
fn ask(server: &Server) -> Client {
    let mut client = server.connect().with_small_buffer();
    client.get("/large");
    assert_eq!(client.head().status, 200);
    client
}

/// Takes far longer than both timeouts together, but never pauses for long.
fn read_slowly(client: &mut Client) {
    for _ in 0..40 {
        thread::sleep(SHORT / 6);
        client.receive(LARGE / 40);
    }
    client.receive(LARGE % 40);
}

#[test]
fn a_slow_but_steady_reader_gets_the_whole_response() {
    let server = Server::with_small_buffers(limits());
    let mut client = ask(&server);
    read_slowly(&mut client);
    client.get("/");
    assert_eq!(client.answer().body, "hello");
}

#[test]
fn a_slow_but_steady_reader_may_finish_on_shutdown() {
    let mut server = Server::with_small_buffers(limits());
    let mut client = ask(&server);
    server.stop();
    read_slowly(&mut client);
    assert!(client.is_closed());
    server.ended().unwrap();
}

#[test]
fn a_reader_that_takes_nothing_loses_its_place() {
    let server = Server::start(Limits { connections: 1, ..limits() });
    let mut client = server.connect();
    client.get("/endless");
    assert_eq!(server.arrived(), "/endless");
    let mut next = server.connect();
    next.get("/");
    assert_eq!(next.answer().body, "hello");
}

#[test]
fn a_reader_that_does_not_take_the_head_loses_its_place() {
    let server = Server::with_small_buffers(Limits { connections: 1, ..limits() });
    let mut client = server.connect().with_small_buffer();
    client.get("/long-head");
    assert_eq!(server.arrived(), "/long-head");
    let mut next = server.connect();
    next.get("/");
    assert_eq!(next.answer().body, "hello");
}

#[test]
fn a_reader_that_takes_nothing_does_not_hold_up_the_shutdown() {
    let mut server = Server::start(limits());
    let mut client = server.connect();
    client.get("/endless");
    assert_eq!(server.arrived(), "/endless");
    server.stop();
    server.ended().unwrap();
}

#[test]
fn a_silent_event_stream_stays_open() {
    let server = Server::with_small_buffers(Limits { idle_timeout: SHORT, ..limits() });
    let mut client = server.connect().with_small_buffer();
    client.get("/stream");
    assert_eq!(client.head().status, 200);
    // The server has to wait for this one to be taken; it must not believe that it still waits.
    server.chunk("x".repeat(LARGE).leak());
    thread::sleep(SHORT / 3);
    client.receive(format!("{LARGE:x}\r\n\r\n").len() + LARGE);
    assert!(client.is_silent(3 * SHORT));
    server.chunk("late");
    assert_eq!(client.receive(9), "4\r\nlate\r\n");
}

#[test]
fn a_client_that_has_left_a_response_without_anything_to_send_loses_its_place() {
    for unread in ["", "GET /next HTTP/1.1\r\n"] {
        let server = Server::start(Limits { connections: 1, ..limits() });
        let mut client = server.connect();
        client.get("/wait");
        assert_eq!(server.arrived(), "/wait");
        client.send(unread);
        drop(client);
        let mut next = server.connect();
        next.get("/");
        assert_eq!(next.answer().body, "hello");
    }
}
