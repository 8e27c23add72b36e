use std::fmt::Write as _;

use authgate_hyper::Limits;

use crate::harness::{Client, Server};

fn refused(bytes: impl AsRef<[u8]>) -> u16 {
    let server = Server::start(Limits::default());
    let mut client = server.connect();
    client.send(bytes);
    let status = client.head().status;
    assert!(client.is_closed());
    assert!(server.nothing_arrived());
    status
}

#[test]
fn garbage_is_answered_400() {
    assert_eq!(refused(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"), 400);
    assert_eq!(refused("once upon a time\r\n\r\n"), 400);
}

#[test]
fn a_folded_header_is_answered_400() {
    assert_eq!(refused("GET / HTTP/1.1\r\nHost: a\r\nX-Long: one\r\n two\r\n\r\n"), 400);
}

#[test]
fn a_nul_in_a_header_is_answered_400() {
    assert_eq!(refused("GET / HTTP/1.1\r\nHost: a\r\nX-Name: a\0b\r\n\r\n"), 400);
}

#[test]
fn a_space_before_the_colon_is_answered_400() {
    assert_eq!(refused("GET / HTTP/1.1\r\nHost: a\r\nContent-Length : 3\r\n\r\nabc"), 400);
}

#[test]
fn a_lone_carriage_return_is_answered_400() {
    assert_eq!(refused("GET / HTTP/1.1\r\nHost: a\r\nX-Name: a\rX-Other: b\r\n\r\n"), 400);
}

#[test]
fn two_content_lengths_that_differ_are_answered_400() {
    assert_eq!(
        refused("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"),
        400
    );
    assert_eq!(refused("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3, 4\r\n\r\nabcd"), 400);
    assert_eq!(refused("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\nabc"), 400);
}

#[test]
fn a_transfer_encoding_that_does_not_end_in_chunked_is_answered_400() {
    assert_eq!(
        refused(
            "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
        ),
        400
    );
    assert_eq!(
        refused("POST /echo HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"),
        400
    );
}

#[test]
fn content_length_beside_transfer_encoding_is_one_request_and_the_last() {
    let smuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
    for framing in [
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
    ] {
        let server = Server::start(Limits::default());
        let mut client = server.connect();
        client
            .send(format!("POST /echo HTTP/1.1\r\nHost: a\r\n{framing}\r\n3\r\nabc\r\n0\r\n\r\n{smuggled}"));
        let answer = client.answer();
        assert_eq!((answer.status, answer.body.as_str()), (200, "abc"));
        assert!(answer.head.contains("connection: close"), "{}", answer.head);
        assert!(client.is_closed());
        assert_eq!(server.arrived(), "/echo");
        assert!(server.nothing_arrived());
    }
}

#[test]
fn bare_line_feeds_end_lines_and_make_one_request() {
    let server = Server::start(Limits::default());
    let mut client = server.connect();
    client.send("GET /peer HTTP/1.1\nHost: a\n\n");
    assert_eq!(client.answer().body, "127.0.0.1");
    assert_eq!(server.arrived(), "/peer");
    assert!(server.nothing_arrived());
}

#[test]
fn a_broken_chunk_size_never_becomes_a_request() {
    let server = Server::start(Limits::default());
    let mut client = server.connect();
    client.send(
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n",
    );
    assert!(client.answer().body.starts_with("broken body"));
    assert!(client.is_closed());
    assert_eq!(server.arrived(), "/echo");
    assert!(server.nothing_arrived());
}

/// A request whose head is exactly `bytes` long.
fn long_head(bytes: usize) -> String {
    let (start, end) = ("GET / HTTP/1.1\r\nHost: a\r\nX-Long: ", "\r\n\r\n");
    format!("{start}{}{end}", "x".repeat(bytes - start.len() - end.len()))
}

fn with_headers(count: usize) -> String {
    let mut head = "GET / HTTP/1.1\r\nHost: a\r\n".to_owned();
    for number in 1..count {
        write!(head, "X-{number}: a\r\n").unwrap();
    }
    head + "\r\n"
}

fn ask(client: &mut Client, head: &str) -> u16 {
    // The server may refuse before it has read everything.
    let _ = client.try_send(head);
    client.head().status
}

#[test]
fn a_head_beyond_64_kib_is_answered_431() {
    let server = Server::start(Limits::default());
    assert_eq!(ask(&mut server.connect(), &long_head(64 * 1024)), 200);
    assert_eq!(ask(&mut server.connect(), &long_head(64 * 1024 + 1)), 431);
    assert_eq!(ask(&mut server.connect(), &long_head(200 * 1000)), 431);
}

#[test]
fn a_head_beyond_a_limit_of_ones_own_is_answered_431() {
    for head_bytes in [100, 100 * 1024, 500 * 1024] {
        let server = Server::start(Limits { head_bytes, ..Limits::default() });
        assert_eq!(ask(&mut server.connect(), &long_head(head_bytes)), 200);
        assert_eq!(ask(&mut server.connect(), &long_head(head_bytes + 1)), 431);
    }
    for headers in [3, 150] {
        let server = Server::start(Limits { headers, ..Limits::default() });
        assert_eq!(ask(&mut server.connect(), &with_headers(headers)), 200);
        assert_eq!(ask(&mut server.connect(), &with_headers(headers + 1)), 431);
    }
}

#[test]
fn a_request_with_101_headers_is_answered_431() {
    let server = Server::start(Limits::default());
    assert_eq!(ask(&mut server.connect(), &with_headers(100)), 200);
    let mut client = server.connect();
    assert_eq!(ask(&mut client, &with_headers(101)), 431);
    assert!(client.is_closed());
}

#[test]
fn a_request_target_beyond_64_kib_is_refused() {
    let server = Server::start(Limits { head_bytes: 128 * 1024, ..Limits::default() });
    let head = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(70_000));
    assert_eq!(ask(&mut server.connect(), &head), 414);
}
