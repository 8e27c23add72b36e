use std::time::{Duration, Instant};

use authgate_hyper::Limits;

use crate::harness::{Client, SHORT, Server};

fn upgraded(server: &Server) -> Client {
    let mut client = server.connect();
    // The first bytes of the new protocol may come along with the request.
    client.send("GET /upgrade HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\nfirst");
    let answer = client.head();
    assert_eq!(answer.status, 101);
    assert!(answer.head.contains("upgrade: echo"), "{}", answer.head);
    assert_eq!(client.receive(5), "first");
    client
}

#[test]
fn an_upgraded_connection_echoes() {
    let server = Server::start(Limits::default());
    let mut client = upgraded(&server);
    for word in ["hello", "again"] {
        client.send(word);
        assert_eq!(client.receive(5), word);
    }
    client.finish_sending();
    assert!(client.is_closed());
}

#[test]
fn an_upgraded_connection_is_never_idle() {
    let server = Server::start(Limits { idle_timeout: SHORT, head_timeout: SHORT, ..Limits::default() });
    let mut client = upgraded(&server);
    assert!(client.is_silent(2 * SHORT));
    client.send("awake");
    assert_eq!(client.receive(5), "awake");
}

#[test]
fn an_upgraded_connection_keeps_its_place() {
    let server = Server::start(Limits { connections: 1, ..Limits::default() });
    let first = upgraded(&server);
    let mut second = server.connect();
    second.get("/");
    assert!(second.is_silent(SHORT));
    drop(first);
    assert_eq!(second.answer().status, 200);
}

#[test]
fn an_upgraded_connection_may_finish_on_shutdown() {
    let mut server = Server::start(Limits { drain: Duration::MAX, ..Limits::default() });
    let mut client = upgraded(&server);
    server.stop();
    assert!(server.is_running());
    client.send("still");
    assert_eq!(client.receive(5), "still");
    drop(client);
    server.ended().unwrap();
}

#[test]
fn an_upgraded_connection_is_cut_when_the_drain_ends() {
    let mut server = Server::start(Limits { drain: SHORT, ..Limits::default() });
    let mut client = upgraded(&server);
    server.stop();
    let stopped = Instant::now();
    server.ended().unwrap();
    assert!(stopped.elapsed() > SHORT / 2);
    assert!(client.is_closed());
}
