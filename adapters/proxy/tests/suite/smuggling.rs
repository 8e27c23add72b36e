//! Whatever a client writes, the upstream never gets two requests for one decision.

use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use crate::harness::{Front, Peer, Setup};

const SMUGGLED: &str = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";

/// An upstream that answers everything, and tells each request as one word, with its body.
fn recording() -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            let tell = tell.clone();
            thread::spawn(move || answer_all(stream, &tell));
        }
    });
    (url, told)
}

fn answer_all(stream: TcpStream, tell: &Sender<String>) {
    let mut peer = Peer::new(stream);
    while let Some(head) = peer.next_head() {
        // No two readers may find two ends of it.
        let framing = (head.field("content-length").map(str::to_owned), head.field("transfer-encoding"));
        let body = match framing {
            (None, None) => String::new(),
            (Some(length), None) => peer.receive(length.parse().unwrap()),
            (None, Some("chunked")) => peer.chunks(),
            other => panic!("framed twice: {other:?}"),
        };
        let _ =
            tell.send(format!("{} {body}", head.line.strip_suffix(" HTTP/1.1").unwrap()).trim().to_owned());
        peer.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    }
}

/// What reaches the upstream of a client that sends `bytes`, and what that client is answered.
fn play(bytes: &str) -> (Vec<String>, Vec<u16>) {
    let (url, told) = recording();
    let (exchanges, decided) = mpsc::channel();
    let mut setup = Setup::towards(&url);
    setup.exchanges = Some(exchanges);
    let front = Front::start(setup);
    let mut client = front.send(bytes);
    client.finish_sending();
    let mut statuses = Vec::new();
    while let Some(head) = client.next_head() {
        statuses.push(head.status());
        if !bytes.starts_with("HEAD") {
            client.receive(head.field("content-length").map_or(0, |length| length.parse().unwrap()));
        }
    }
    let requests: Vec<_> = told.try_iter().collect();
    assert!(requests.len() <= decided.try_iter().count(), "{bytes:?}: {requests:?}");
    (requests, statuses)
}

fn post(fields: &str, body: &str) -> (Vec<String>, Vec<u16>) {
    play(&format!("POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\n{body}{SMUGGLED}"))
}

fn is_refused(fields: &str, body: &str) {
    let (requests, statuses) = post(fields, body);
    assert_eq!((requests, statuses), (vec![], vec![400]), "{fields:?}");
}

#[test]
fn honest_requests_follow_each_other() {
    let (requests, statuses) = post("Content-Length: 3\r\n", "abc");
    assert_eq!((requests, statuses), (vec!["POST / abc".into(), "GET /smuggled".into()], vec![200, 200]));
    let (requests, _) = post("Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\n\r\n");
    assert_eq!(requests, ["POST / abc", "GET /smuggled"]);
}

#[test]
fn a_length_beside_chunks_is_one_request_and_the_last() {
    for fields in [
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n",
        "transfer-encoding: CHUNKED\r\ncontent-length: 500\r\n",
    ] {
        let (requests, statuses) = post(fields, "3\r\nabc\r\n0\r\n\r\n");
        assert_eq!((requests, statuses), (vec!["POST / abc".to_owned()], vec![200]), "{fields:?}");
    }
}

#[test]
fn another_coding_is_refused_and_nothing_follows() {
    for fields in [
        "Transfer-Encoding: gzip, chunked\r\n",
        "Content-Length: 0\r\nTransfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n",
    ] {
        let (requests, statuses) = post(fields, "3\r\nabc\r\n0\r\n\r\n");
        assert_eq!((requests, statuses), (Vec::new(), vec![501]), "{fields:?}");
    }
}

#[test]
fn a_length_that_says_two_things_is_refused() {
    for fields in [
        "Content-Length: 3\r\nContent-Length: 4\r\n",
        "Content-Length: 3, 4\r\n",
        "Content-Length: +3\r\n",
        "Content-Length: -3\r\n",
        "Content-Length: 0x3\r\n",
        "Content-Length: 3 3\r\n",
        "Content-Length: 99999999999999999999\r\n",
        "Content-Length : 3\r\n",
        "Content-Length: \r\n",
    ] {
        is_refused(fields, "abc");
    }
}

#[test]
fn a_length_said_twice_is_said_once() {
    let (requests, _) = post("Content-Length: 3\r\nContent-Length: 3\r\n", "abc");
    assert_eq!(requests.first().map(String::as_str), Some("POST / abc"));
}

#[test]
fn chunks_that_are_not_the_last_coding_are_refused() {
    for fields in [
        "Transfer-Encoding: chunked, gzip\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: \"chunked\"\r\n",
        "Transfer-Encoding : chunked\r\n",
        "Transfer-Encoding\t: chunked\r\n",
        " Transfer-Encoding: chunked\r\n",
        "X: a\r\n Transfer-Encoding: chunked\r\n",
        "Transfer-Encoding:\r\n chunked\r\n",
        "X: a\rTransfer-Encoding: chunked\r\n",
        "X: a\0\r\nTransfer-Encoding: chunked\r\n",
    ] {
        is_refused(fields, "3\r\nabc\r\n0\r\n\r\n");
    }
}

#[test]
fn chunk_extensions_are_not_passed_on() {
    for extension in ["; x=y", ";x=\"a\"", " ; x"] {
        let (requests, _) =
            post("Transfer-Encoding: chunked\r\n", &format!("3{extension}\r\nabc\r\n0{extension}\r\n\r\n"));
        assert_eq!(requests.first().map(String::as_str), Some("POST / abc"), "{extension:?}");
    }
}

#[test]
fn broken_chunks_never_make_a_whole_request() {
    for body in [
        "0x3\r\nabc\r\n0\r\n\r\n",
        "-3\r\nabc\r\n0\r\n\r\n",
        "3\r\nabcd\r\n0\r\n\r\n",
        "fffffffffffffffff\r\nabc\r\n0\r\n\r\n",
        "\r\nabc\r\n0\r\n\r\n",
        "3;\nabc\r\n0\r\n\r\n",
        "3;a\nb\r\nabc\r\n0\r\n\r\n",
        "3\nabc\n0\n\n",
        "3\rXabc\r\n0\r\n\r\n",
        "g\r\nabc\r\n0\r\n\r\n",
        "3\r\nabc0\r\n\r\n",
    ] {
        let (requests, statuses) = post("Transfer-Encoding: chunked\r\n", body);
        assert!(requests.is_empty(), "{body:?}: {requests:?}");
        assert!(statuses.len() <= 1 && !statuses.contains(&200), "{body:?}: {statuses:?}");
    }
}

#[test]
fn bare_line_feeds_make_the_same_request() {
    let (requests, _) = play("POST / HTTP/1.1\nHost: a\nContent-Length: 3\n\nabc");
    assert_eq!(requests, ["POST / abc"]);
    // A field that one reader sees and another does not is written so that both do.
    let (requests, _) = post("X: a\nTransfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\n\r\n");
    assert_eq!(requests.first().map(String::as_str), Some("POST / abc"));
}

#[test]
fn odd_targets_name_no_other_request() {
    for (target, passed) in [
        ("http://other.example/a", "GET /a"),
        ("https://other.example/a?b", "GET /a?b"),
        ("http://127.0.0.1:22/a", "GET /a"),
        ("//other.example/a", "GET //other.example/a"),
    ] {
        let (requests, statuses) = play(&format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n"));
        assert_eq!((requests, statuses), (vec![passed.to_owned()], vec![200]), "{target}");
    }
    for line in [
        "CONNECT other.example:80 HTTP/1.1",
        "GET other.example:80 HTTP/1.1",
        "GET /a HTTP/1.1 HTTP/1.1",
        "GET /a b HTTP/1.1",
        "GET /\u{1}a HTTP/1.1",
        "GET /a HTTP/2.0",
        "GET /a",
        "GE\tT /a HTTP/1.1",
    ] {
        let (requests, statuses) = play(&format!("{line}\r\nHost: a\r\n\r\n"));
        assert!(requests.is_empty(), "{line}: {requests:?}");
        assert!(statuses.iter().all(|status| *status >= 400), "{line}: {statuses:?}");
    }
}

#[test]
fn a_field_cannot_be_taken_away_that_frames() {
    let (requests, _) = post("Connection: close, Content-Length\r\nContent-Length: 3\r\n", "abc");
    assert_eq!(requests, ["POST / abc"]);
    let (requests, _) = post(
        "Connection: close, Transfer-Encoding, X-Foo\r\nX-Foo: 1\r\nTransfer-Encoding: chunked\r\n",
        "3\r\nabc\r\n0\r\n\r\n",
    );
    assert_eq!(requests, ["POST / abc"]);
}

#[test]
fn a_body_where_none_is_usual_stays_one() {
    for method in ["GET", "HEAD", "DELETE", "OPTIONS", "TRACE"] {
        for framed in [
            format!("Content-Length: {}\r\n\r\n{SMUGGLED}", SMUGGLED.len()),
            format!("Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{SMUGGLED}\r\n0\r\n\r\n", SMUGGLED.len()),
        ] {
            let (requests, _) =
                play(&format!("{method} / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{framed}"));
            assert_eq!(requests.len(), 1, "{method} {framed:?}: {requests:?}");
            assert!(requests[0].starts_with(&format!("{method} / GET /smuggled")), "{requests:?}");
        }
    }
}
