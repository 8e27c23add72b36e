use authgate_hyper::Limits;

use crate::harness::{LARGE, SHORT, Server};

#[test]
fn a_kept_connection_answers_one_request_after_another() {
    let server = Server::start(Limits::default());
    let mut client = server.connect();
    for _ in 0..3 {
        client.get("/");
        assert_eq!(client.answer().body, "hello");
    }
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let server = Server::start(Limits::default());
    let mut client = server.connect();
    client.send(
        "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /peer HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    );
    assert_eq!(client.answer().body, "hello");
    assert_eq!(client.answer().body, "127.0.0.1");
    assert_eq!(client.answer().body, "hello");
}

#[test]
fn the_service_sees_who_connected() {
    let server = Server::start(Limits::default());
    let mut client = server.connect();
    client.get("/peer");
    assert_eq!(client.answer().body, "127.0.0.1");
}

#[test]
fn a_large_response_arrives_whole_and_keeps_its_length() {
    let server = Server::start(Limits::default());
    let mut client = server.connect();
    client.get("/large");
    let answer = client.answer();
    assert_eq!(answer.body.len(), LARGE);
    assert!(!answer.head.contains("transfer-encoding"), "{}", answer.head);
}

#[test]
fn a_request_without_a_host_is_refused_unless_it_is_an_old_one() {
    for (request, status) in [
        ("GET / HTTP/1.1\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", 200),
        ("GET http://a/ HTTP/1.1\r\n\r\n", 200),
        ("GET / HTTP/1.0\r\n\r\n", 200),
    ] {
        let server = Server::start(Limits::default());
        let mut client = server.connect();
        client.send(request);
        assert_eq!(client.answer().status, status, "{request}");
    }
}

#[test]
fn a_half_closed_client_is_answered() {
    let server = Server::start(Limits::default());
    let mut client = server.connect();
    client.get("/wait");
    server.arrived();
    client.finish_sending();
    assert!(client.is_silent(SHORT / 3));
    server.chunk("late");
    assert_eq!(client.answer().body, "late");
    assert!(client.is_closed());
}

#[test]
fn a_panicking_service_ends_its_own_connection_only() {
    let server = Server::start(Limits::default());
    let mut bystander = server.connect();
    bystander.get("/");
    assert_eq!(bystander.answer().status, 200);

    let mut client = server.connect();
    client.get("/panic");
    assert!(client.is_closed());

    bystander.get("/");
    assert_eq!(bystander.answer().status, 200);
    let mut newcomer = server.connect();
    newcomer.get("/");
    assert_eq!(newcomer.answer().status, 200);
}
