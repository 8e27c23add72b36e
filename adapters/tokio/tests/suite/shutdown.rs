use std::net::TcpStream;
use std::time::{Duration, Instant};

use authgate_hyper::Limits;

use crate::harness::{PATIENCE, SHORT, Server};

#[test]
fn shutdown_without_connections_is_immediate() {
    let mut server = Server::start(Limits::default());
    assert!(server.is_running());
    server.stop();
    server.ended().unwrap();
    assert!(TcpStream::connect(server.address).is_err());
}

#[test]
fn idle_connections_end_at_shutdown() {
    let mut server = Server::start(Limits { drain: Duration::MAX, ..Limits::default() });
    let mut new = server.connect();
    let mut kept = server.connect();
    kept.get("/");
    assert_eq!(kept.answer().status, 200);
    server.stop();
    server.ended().unwrap();
    assert!(kept.is_closed());
    assert!(new.is_closed());
}

#[test]
fn in_flight_requests_finish_on_shutdown() {
    let mut server = Server::start(Limits { drain: Duration::MAX, ..Limits::default() });
    let mut waiting = server.connect();
    waiting.get("/wait");
    assert_eq!(server.arrived(), "/wait");
    server.stop();
    assert!(server.is_running());
    assert!(TcpStream::connect(server.address).is_err());
    server.chunk("finished");
    let answer = waiting.answer();
    assert_eq!(answer.body, "finished");
    assert!(answer.head.contains("connection: close"), "{}", answer.head);
    assert!(waiting.is_closed());
    server.ended().unwrap();
}

#[test]
fn a_stream_in_flight_finishes_on_shutdown() {
    let mut server = Server::start(Limits { drain: Duration::MAX, ..Limits::default() });
    let mut client = server.connect();
    client.get("/stream");
    assert_eq!(client.head().status, 200);
    server.stop();
    assert!(server.is_running());
    server.chunk("end");
    server.end_of_chunks();
    assert_eq!(client.receive(13), "3\r\nend\r\n0\r\n\r\n");
    server.ended().unwrap();
}

#[test]
fn what_outlasts_the_drain_is_dropped() {
    let mut server = Server::start(Limits { drain: SHORT, ..Limits::default() });
    let mut waiting = server.connect();
    waiting.get("/wait");
    let mut streaming = server.connect();
    streaming.get("/stream");
    assert_eq!(streaming.head().status, 200);
    let mut half = server.connect();
    half.send("GET / HTTP/1.1\r\nHost: ");
    assert!(half.is_silent(SHORT / 3));
    server.stop();
    let stopped = Instant::now();
    server.ended().unwrap();
    assert!(stopped.elapsed() > SHORT / 2);
    for client in [&mut waiting, &mut streaming, &mut half] {
        assert!(client.is_closed());
    }
    assert!(stopped.elapsed() < PATIENCE);
}

#[test]
fn a_server_that_is_dropped_drops_its_connections() {
    let mut server = Server::start(Limits { drain: Duration::MAX, ..Limits::default() });
    let mut idle = server.connect();
    idle.get("/");
    assert_eq!(idle.answer().status, 200);
    let mut waiting = server.connect();
    waiting.get("/wait");
    assert_eq!([server.arrived(), server.arrived()], ["/", "/wait"]);
    server.abandon();
    server.ended().unwrap();
    assert!(idle.is_closed());
    assert!(waiting.is_closed());
}
