//! Where bodies begin and end.

use crate::harness::{Answer, Head, Peer, proxied};

/// The upstream's side of `request`: its head, and the connection.
fn sent(request: &str) -> (Head, Peer) {
    let (front, upstream) = proxied();
    // Never answered; the upstream's side is all that matters.
    std::mem::forget(front.send(request));
    std::mem::forget(front);
    let mut server = upstream.accept();
    (server.head(), server)
}

/// The client's side of `response` to `method`.
fn received(method: &str, response: &str) -> (Head, Peer) {
    let (front, upstream) = proxied();
    let mut client = front.send(format!("{method} / HTTP/1.1\r\nHost: a\r\n\r\n"));
    let mut server = upstream.accept();
    server.head();
    server.send(response);
    std::mem::forget((front, server));
    (client.head(), client)
}

/// That nothing follows on the client's connection: the next answer is the next request's.
fn has_no_body(mut client: Peer) -> bool {
    client.send("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n");
    let Answer { status, .. } = client.answer();
    status == 501
}

#[test]
fn a_length_that_is_known_is_kept() {
    let (head, mut server) = sent("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
    assert_eq!(head.field("content-length"), Some("3"));
    assert!(!head.has("transfer-encoding"));
    assert_eq!(server.receive(3), "abc");
    let (head, mut client) = received("GET", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc");
    assert_eq!(head.field("content-length"), Some("3"));
    assert_eq!(client.receive(3), "abc");
}

#[test]
fn a_length_that_is_not_is_chunked() {
    for method in ["POST", "GET", "DELETE", "OPTIONS"] {
        let (head, mut server) = sent(&format!(
            "{method} / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
        ));
        assert!(!head.has("content-length"));
        assert_eq!(head.field("transfer-encoding"), Some("chunked"), "{method}");
        assert_eq!(server.chunks(), "abc");
    }
    let (head, mut client) =
        received("GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
    assert!(!head.has("content-length"));
    assert_eq!(client.chunks(), "abc");
}

#[test]
fn no_body_is_none() {
    for method in ["GET", "HEAD", "DELETE", "OPTIONS"] {
        let (head, _) = sent(&format!("{method} / HTTP/1.1\r\nHost: a\r\n\r\n"));
        assert!(!head.has("content-length") && !head.has("transfer-encoding"), "{method}");
    }
    for method in ["POST", "PUT", "PATCH"] {
        let (head, _) = sent(&format!("{method} / HTTP/1.1\r\nHost: a\r\n\r\n"));
        assert_eq!(head.field("content-length"), Some("0"), "{method}");
    }
}

#[test]
fn trailers_are_dropped_both_ways() {
    let chunked = "3\r\nabc\r\n0\r\nX-Auth-User: mallory\r\n\r\n";
    let (head, mut server) = sent(&format!(
        "POST / HTTP/1.1\r\nHost: a\r\nTrailer: X-Auth-User\r\nTransfer-Encoding: chunked\r\n\r\n{chunked}"
    ));
    assert!(!head.has("trailer"));
    assert_eq!(server.chunks(), "abc");
    let (head, mut client) = received(
        "GET",
        &format!("HTTP/1.1 200 OK\r\nTrailer: X-Auth-User\r\nTransfer-Encoding: chunked\r\n\r\n{chunked}"),
    );
    assert!(!head.has("trailer"));
    assert_eq!(client.chunks(), "abc");
    assert!(has_no_body(client));
}

#[test]
fn an_answer_with_two_lengths_is_chunked_alone() {
    for fields in [
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
    ] {
        let (head, mut client) =
            received("GET", &format!("HTTP/1.1 200 OK\r\n{fields}\r\n3\r\nabc\r\n0\r\n\r\n"));
        assert!(!head.has("content-length"));
        assert_eq!(client.chunks(), "abc");
        assert!(has_no_body(client));
    }
    let (head, mut client) =
        received("GET", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc");
    assert_eq!(head.field("content-length"), Some("3"));
    assert_eq!(client.receive(3), "abc");
}

#[test]
fn a_head_alone_keeps_the_length_of_what_does_not_come() {
    let (head, client) = received("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n");
    assert_eq!(head.field("content-length"), Some("1234"));
    assert!(has_no_body(client));
    let (head, client) =
        received("GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 1234\r\nETag: \"a\"\r\n\r\n");
    assert_eq!(head.field("etag"), Some("\"a\""));
    assert!(head.field("content-length").is_none_or(|length| length == "1234"));
    assert!(has_no_body(client));
    let (head, client) = received("HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    assert!(!head.has("content-length"), "{head:?}");
    assert!(has_no_body(client));
    let (head, client) =
        received("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n");
    assert!(!head.has("content-length"), "{head:?}");
    assert!(has_no_body(client));
    let (head, client) = received("GET", "HTTP/1.1 304 Not Modified\r\n\r\n");
    assert!(!head.has("content-length"), "{head:?}");
    assert!(has_no_body(client));
}

#[test]
fn no_content_is_none() {
    for fields in ["", "Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n"] {
        let (head, client) = received("GET", &format!("HTTP/1.1 204 No Content\r\n{fields}\r\n"));
        assert!(!head.has("content-length") && !head.has("transfer-encoding"));
        assert!(has_no_body(client));
    }
}
