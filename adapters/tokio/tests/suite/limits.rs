use std::io::{self, Write as _};
use std::net::{TcpListener, TcpStream};
#[cfg(unix)]
use std::os::fd::OwnedFd;
use std::thread;
use std::time::{Duration, Instant};

use authgate_hyper::Limits;

use crate::harness::{LARGE, PATIENCE, SHORT, Server};

#[test]
fn a_slow_head_is_cut_off() {
    let server = Server::start(Limits { head_timeout: SHORT, ..Limits::default() });
    for earlier_requests in 0..2 {
        let mut client = server.connect();
        for _ in 0..earlier_requests {
            client.get("/");
            assert_eq!(client.answer().status, 200);
        }
        client.send("GET / HTTP/1.1\r\nX-Slow: ");
        let begun = Instant::now();
        while client.try_send("x").is_ok() {
            assert!(begun.elapsed() < PATIENCE, "still reading");
            thread::sleep(SHORT / 10);
        }
        assert!(begun.elapsed() > SHORT / 2);
    }
}

#[test]
fn a_connection_that_never_says_anything_is_closed() {
    let server = Server::start(Limits { head_timeout: SHORT, ..Limits::default() });
    let mut client = server.connect();
    let begun = Instant::now();
    assert!(client.is_closed());
    assert!(begun.elapsed() > SHORT / 2);
}

#[test]
fn an_idle_connection_is_closed() {
    let server = Server::start(Limits { idle_timeout: 2 * SHORT, ..Limits::default() });
    let mut client = server.connect();
    for _ in 0..2 {
        client.get("/");
        assert_eq!(client.answer().status, 200);
        assert!(client.is_silent(SHORT / 2));
    }
    assert!(client.is_closed());
}

#[test]
fn an_idle_connection_may_outlast_the_head_timeout() {
    let server = Server::start(Limits { head_timeout: SHORT, ..Limits::default() });
    for path in ["/", "/large", "/echo"] {
        let mut client = server.connect();
        client.send(format!("POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"));
        assert_eq!(client.answer().status, 200);
        assert!(client.is_silent(2 * SHORT), "{path}");
        client.get("/");
        assert_eq!(client.answer().status, 200);
    }
}

#[test]
fn a_long_wait_for_a_response_is_not_idleness() {
    let server = Server::start(Limits { idle_timeout: SHORT, head_timeout: SHORT, ..Limits::default() });
    let mut client = server.connect();
    client.get("/wait");
    assert!(client.is_silent(2 * SHORT));
    server.chunk("late");
    assert_eq!(client.answer().body, "late");
    client.get("/");
    assert_eq!(client.answer().body, "hello");
}

#[test]
fn a_stream_that_pauses_is_not_idle() {
    let server = Server::start(Limits { idle_timeout: SHORT, head_timeout: SHORT, ..Limits::default() });
    let mut client = server.connect();
    client.get("/stream");
    assert_eq!(client.head().status, 200);
    for chunk in ["one", "two"] {
        assert!(client.is_silent(2 * SHORT));
        server.chunk(chunk);
        assert_eq!(client.receive(8), format!("3\r\n{chunk}\r\n"));
    }
}

#[test]
fn an_idle_timeout_of_nothing_closes_after_each_response() {
    let server = Server::start(Limits { idle_timeout: Duration::ZERO, ..Limits::default() });
    let mut client = server.connect();
    client.get("/wait");
    assert!(client.is_silent(SHORT / 3));
    server.chunk("late");
    assert_eq!(client.answer().body, "late");
    assert!(client.is_closed());
}

#[test]
fn a_client_that_does_not_read_its_response_is_given_up() {
    let limits = Limits { idle_timeout: SHORT, head_timeout: SHORT, connections: 1, ..Limits::default() };
    let server = Server::start(limits);
    let mut client = server.connect();
    client.get("/large");
    let mut next = server.connect();
    next.get("/");
    assert_eq!(next.answer().body, "hello");
    assert!(client.closed_after() < LARGE);
}

#[test]
fn connections_beyond_the_limit_wait() {
    let server = Server::start(Limits { connections: 2, ..Limits::default() });
    let mut first = server.connect();
    let mut second = server.connect();
    for client in [&mut first, &mut second] {
        client.get("/");
        assert_eq!(client.answer().status, 200);
    }
    let mut third = server.connect();
    third.get("/");
    assert!(third.is_silent(SHORT));
    drop(first);
    assert_eq!(third.answer().status, 200);
}

#[test]
fn timeouts_may_be_as_long_as_a_duration_can_say() {
    let server = Server::start(Limits {
        head_timeout: Duration::MAX,
        idle_timeout: Duration::MAX,
        connections: usize::MAX,
        drain: Duration::MAX,
        ..Limits::default()
    });
    let mut client = server.connect();
    client.get("/");
    assert_eq!(client.answer().status, 200);
}

#[cfg(unix)]
#[test]
fn a_socket_that_does_not_listen_is_an_error() {
    let somebody = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = somebody.local_addr().unwrap();
    let connected = TcpStream::connect(address).unwrap();
    // Something to read, as a listener has when there is somebody to accept.
    somebody.accept().unwrap().0.write_all(b"hello").unwrap();
    let server = Server::on(TcpListener::from(OwnedFd::from(connected)), address, Limits::default());
    assert_eq!(server.ended().unwrap_err().kind(), io::ErrorKind::InvalidInput);
}
