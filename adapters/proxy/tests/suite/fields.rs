//! What of a head goes which way.

use crate::harness::{Head, proxied, proxied_with};

/// The head that the upstream gets for `request`.
fn passed_on(request: &str) -> Head {
    let (front, upstream) = proxied();
    let _client = front.send(request);
    upstream.accept().head()
}

#[test]
fn path_and_query_are_passed_on_byte_for_byte() {
    for target in [
        "/",
        "/a//b/../c;d=e",
        "/%2e%2E/%2F%00?x=%zz&y=a+b",
        "/?",
        "/??/",
        "/~!$&'()*+,;=:@{}|\"",
        "/a?b=c&d=[e]",
    ] {
        let head = passed_on(&format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n"));
        assert_eq!(head.line, format!("GET {target} HTTP/1.1"));
    }
}

#[test]
fn the_upstream_is_the_target_whatever_the_request_says() {
    let head = passed_on("GET http://elsewhere.example/path?x HTTP/1.1\r\nHost: other.example\r\n\r\n");
    assert_eq!(head.line, "GET /path?x HTTP/1.1");
    assert_eq!(head.field("host"), Some("elsewhere.example"));
    let head = passed_on("GET http://elsewhere.example HTTP/1.1\r\nHost: other.example\r\n\r\n");
    assert_eq!(head.line, "GET / HTTP/1.1");
    let head = passed_on("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(head.line, "OPTIONS * HTTP/1.1");
}

#[test]
fn nothing_is_tunnelled_by_connect() {
    let (front, upstream) = proxied();
    let mut client = front.send("CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: 127.0.0.1:22\r\n\r\n");
    assert_eq!(client.answer().status, 501);
    assert!(upstream.is_left_alone());
}

#[test]
fn the_host_is_the_clients_or_the_targets_own() {
    assert_eq!(
        passed_on("GET / HTTP/1.1\r\nHost: dash.example:8080\r\n\r\n").field("host"),
        Some("dash.example:8080")
    );
    let (front, upstream) = proxied_with(|mut setup| {
        setup.keeps_host = false;
        setup
    });
    let _client = front.get("/");
    assert_eq!(upstream.accept().head().field("host"), upstream.url().strip_prefix("http://"));
}

#[test]
fn a_client_without_a_host_names_the_target() {
    let (front, upstream) = proxied();
    let _client = front.send("GET / HTTP/1.0\r\n\r\n");
    let head = upstream.accept().head();
    assert_eq!(head.line, "GET / HTTP/1.1");
    assert_eq!(head.field("host"), upstream.url().strip_prefix("http://"));
}

#[test]
fn what_is_meant_for_one_connection_goes_no_further() {
    let head = passed_on(
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: close, X-Foo\r\nX-Foo: 1\r\nKeep-Alive: 1\r\nTE: trailers\r\n\
         Trailer: X\r\nProxy-Connection: x\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\nX-Bar: 2\r\n\r\n",
    );
    for name in ["connection", "x-foo", "keep-alive", "te", "trailer", "proxy-connection", "upgrade"] {
        assert!(!head.has(name), "{name}");
    }
    assert_eq!(head.field("x-bar"), Some("2"));

    let (front, upstream) = proxied();
    let mut client = front.get("/");
    let mut server = upstream.accept();
    server.head();
    server.send(
        "HTTP/1.1 200 OK\r\nConnection: close, X-Foo\r\nX-Foo: 1\r\nKeep-Alive: timeout=5\r\nUpgrade: h2c\r\n\
         Proxy-Authenticate: Basic\r\nX-Bar: 2\r\nSet-Cookie: a=1\r\nContent-Length: 0\r\n\r\n",
    );
    let answer = client.answer();
    for name in ["connection", "x-foo", "keep-alive", "upgrade", "proxy-authenticate"] {
        assert!(!answer.head.has(name), "{name}");
    }
    assert_eq!(answer.head.field("x-bar"), Some("2"));
    assert_eq!(answer.head.field("set-cookie"), Some("a=1"));
    // The client's connection is its own.
    client.send("GET /again HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(upstream.accept().head().line, "GET /again HTTP/1.1");
}

#[test]
fn what_is_expected_is_answered_here() {
    let (front, upstream) = proxied();
    let mut client =
        front.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
    let mut server = upstream.accept();
    assert!(!server.head().has("expect"));
    assert_eq!(client.head().line, "HTTP/1.1 100 Continue");
    client.send("abc");
    assert_eq!(server.receive(3), "abc");
    server.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(client.answer().status, 200);
}

#[test]
fn interim_answers_are_passed_over() {
    let (front, upstream) = proxied();
    let mut client = front.get("/");
    let mut server = upstream.accept();
    server.head();
    server.send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
    server.send("HTTP/1.1 404 Nowhere To Be Found\r\nContent-Length: 2\r\n\r\nno");
    let answer = client.answer();
    assert_eq!((answer.head.line.as_str(), answer.body.as_str()), ("HTTP/1.1 404 Nowhere To Be Found", "no"));
}

#[test]
fn an_old_upstream_is_answered_for_in_http_1_1() {
    let (front, upstream) = proxied();
    let mut client = front.get("/");
    let mut server = upstream.accept();
    server.head();
    server.send("HTTP/1.0 200 OK\r\nServer: SimpleHTTP\r\n\r\nuntil the end");
    drop(server);
    let head = client.head();
    assert_eq!(head.line, "HTTP/1.1 200 OK");
    assert_eq!(client.chunks(), "until the end");
}
