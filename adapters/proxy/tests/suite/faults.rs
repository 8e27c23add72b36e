//! Upstreams that are down, slow or lying, and clients that are.

use std::fmt::Write as _;
use std::net::TcpListener;
use std::sync::mpsc;
use std::thread::sleep;
use std::time::Duration;

use authgate_core::Unanswered;
use authgate_proxy::Exchange;
use http::StatusCode;

use crate::harness::{Front, PATIENCE, SHORT, Setup, Upstream, proxied, proxied_with, token};
use crate::runtime;

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// The status for a client whose upstream answers `bytes` and closes the connection.
fn status_after(bytes: &str) -> u16 {
    let (front, upstream) = proxied();
    let mut client = front.get("/");
    let mut server = upstream.accept();
    server.head();
    // It may give up in the middle.
    let _ = server.try_send(bytes);
    drop(server);
    let status = client.answer().status;
    assert!(upstream.is_left_alone(), "asked once");
    status
}

#[test]
fn a_refused_connection_is_502() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let front = Front::start(Setup::towards(&format!("http://127.0.0.1:{port}")));
    assert_eq!(front.get("/").answer().status, 502);
}

#[test]
fn a_name_that_is_nobodys_is_502() {
    let mut setup = Setup::towards("http://nowhere.invalid:80");
    setup.limits.connect = PATIENCE;
    assert_eq!(Front::start(setup).get("/").answer().status, 502);
}

#[test]
fn every_address_of_a_name_is_tried() {
    // It listens on IPv4 alone, where most systems name IPv6 first.
    let upstream = Upstream::start();
    let front = Front::start(Setup::towards(&upstream.url().replace("127.0.0.1", "localhost")));
    let mut client = front.get("/");
    let mut server = upstream.accept();
    server.head();
    server.send(OK);
    assert_eq!(client.answer().body, "ok");
}

#[test]
fn connecting_too_slowly_is_504() {
    let (front, _upstream) = proxied_with(|mut setup| {
        setup.hangs = true;
        setup.limits.connect = SHORT;
        setup
    });
    assert_eq!(front.get("/").answer().status, 504);
}

#[test]
fn silence_is_504() {
    let (front, upstream) = proxied_with(Setup::impatient);
    let mut client = front.get("/");
    let mut server = upstream.accept();
    server.head();
    assert_eq!(client.answer().status, 504);
    assert!(server.is_closed());
}

#[test]
fn a_head_that_trickles_is_no_sign_of_life() {
    let (front, upstream) = proxied_with(Setup::impatient);
    let mut client = front.get("/");
    let mut server = upstream.accept();
    server.head();
    server.send("HTTP/1.1 200 OK\r\n");
    while server.try_send("X-Drip: drop\r\n").is_ok() {
        sleep(SHORT / 3);
    }
    assert_eq!(client.answer().status, 504);
}

#[test]
fn an_upload_is_a_sign_of_life() {
    let (front, upstream) = proxied_with(Setup::impatient);
    let mut client = front.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n");
    let mut server = upstream.accept();
    server.head();
    for byte in ["a", "b", "c", "d", "e"] {
        client.send(byte);
        assert_eq!(server.receive(1), byte);
        sleep(SHORT / 2);
    }
    server.send(OK);
    assert_eq!(client.answer().status, 200);
}

#[test]
fn an_upload_is_a_sign_of_life_even_after_the_head_of_its_answer() {
    let (front, upstream) = proxied_with(Setup::impatient);
    let mut client = front.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n");
    let mut server = upstream.accept();
    server.head();
    server.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n");
    client.head();
    for byte in ["a", "b", "c", "d", "e"] {
        client.send(byte);
        assert_eq!(server.receive(1), byte);
        sleep(SHORT / 2);
    }
    server.send("ok");
    assert_eq!(client.receive(2), "ok");
}

#[test]
fn a_client_that_stops_within_its_body_is_408() {
    for framing in ["Content-Length: 10\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"] {
        let (front, upstream) = proxied_with(Setup::impatient);
        let mut client = front.send(format!("POST / HTTP/1.1\r\nHost: a\r\n{framing}"));
        let mut server = upstream.accept();
        server.head();
        assert_eq!(client.answer().status, 408);
        drop(client);
        // The upstream must not take it for a whole request.
        assert!(server.closed_after() <= "3\r\nabc\r\n".len());
    }
}

#[test]
fn t13_a_body_ends_with_its_admission() {
    let (front, upstream) = proxied_with(Setup::gated);
    let token = token(&runtime::HOST, Duration::from_secs(2));
    let head = "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 6\r\n";
    let mut client = front.send(format!("{head}Authorization: Bearer {token}\r\n\r\nabc"));
    let mut server = upstream.accept();
    server.head();
    assert_eq!(server.receive(3), "abc");
    assert!(server.is_closed(), "and nothing of the rest arrives");
    assert!(client.is_closed());
}

#[test]
fn an_upstream_that_takes_no_upload_is_504() {
    let (front, upstream) = proxied_with(Setup::impatient);
    let mut client = front.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\n");
    let mut server = upstream.accept();
    server.head();
    client.room(1 << 30);
    assert_eq!(client.answer().status, 504);
}

#[test]
fn a_body_declared_too_long_is_413_before_anybody_is_asked() {
    let (front, upstream) = proxied_with(|mut setup| {
        setup.limits.body_bytes = Some(3);
        setup
    });
    let mut client = front.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n");
    assert_eq!(client.answer().status, 413);
    assert!(upstream.is_left_alone());
    let mut client = front.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
    let mut server = upstream.accept();
    server.head();
    assert_eq!(server.receive(3), "abc");
    server.send(OK);
    assert_eq!(client.answer().status, 200);
}

#[test]
fn a_body_that_turns_out_too_long_is_413() {
    let (front, upstream) = proxied_with(|mut setup| {
        setup.limits.body_bytes = Some(3);
        setup
    });
    let mut client =
        front.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    let mut server = upstream.accept();
    server.head();
    assert_eq!(server.chunk(), "abc");
    client.send("1\r\nd\r\n");
    assert_eq!(client.answer().status, 413);
    assert!(server.is_closed(), "without the chunk that ends a body");
}

#[test]
fn a_connection_closed_before_an_answer_is_502() {
    assert_eq!(status_after(""), 502);
    assert_eq!(status_after("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"), 502);
}

#[cfg(unix)]
#[test]
fn a_reset_before_an_answer_is_502() {
    let (front, upstream) = proxied();
    let mut client = front.get("/");
    let mut server = upstream.accept();
    server.head();
    server.reset();
    assert_eq!(client.answer().status, 502);
}

#[test]
fn what_is_no_answer_is_502() {
    for garbage in [
        "once upon a time\r\n\r\n",
        "\x16\x03\x01\x02\0\r\n\r\n",
        "HTTP/2 200\r\n\r\n",
        "HTTP/1.1 abc OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX Y: a\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nContent-Length: 2, 3\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n",
    ] {
        assert_eq!(status_after(garbage), 502, "{garbage:?}");
    }
}

#[test]
fn a_head_that_is_too_long_is_502() {
    let with = |value: usize| {
        let start = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Long: ";
        format!("{start}{}\r\n\r\n", "x".repeat(value - start.len() - 4))
    };
    assert_eq!(status_after(&with(64 * 1024)), 200);
    assert_eq!(status_after(&with(64 * 1024 + 1)), 502);
    assert_eq!(status_after(&with(1024 * 1024)), 502);
    let fields = |count: usize| {
        let mut head = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n".to_owned();
        for number in 1..count {
            write!(head, "X-{number}: a\r\n").unwrap();
        }
        head + "\r\n"
    };
    assert_eq!(status_after(&fields(98)), 200);
    assert_eq!(status_after(&fields(101)), 502);
}

#[test]
fn a_fault_harms_nobody_else() {
    let (front, upstream) = proxied();
    let mut first = front.get("/first");
    let mut good = upstream.accept();
    assert!(good.head().line.contains("/first"));
    good.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nha");
    let mut second = front.get("/second");
    let mut bad = upstream.accept();
    bad.head();
    bad.send("nonsense\r\n\r\n");
    assert_eq!(second.answer().status, 502);
    good.send("lf");
    assert_eq!(first.answer().body, "half");
}

#[test]
fn an_answer_that_breaks_off_is_cut() {
    for (framing, sent) in [
        ("Content-Length: 9", "half"),
        ("Transfer-Encoding: chunked", "4\r\nhalf\r\n"),
        ("Transfer-Encoding: chunked", "4\r\nhalf\r\nnonsense\r\n"),
    ] {
        let (front, upstream) = proxied();
        let mut client = front.get("/");
        let mut server = upstream.accept();
        server.head();
        server.send(format!("HTTP/1.1 200 OK\r\n{framing}\r\n\r\n{sent}"));
        let head = client.head();
        drop(server);
        if head.has("content-length") {
            assert_eq!(client.receive(4), "half");
        } else {
            assert_eq!(client.chunk(), "half");
        }
        assert!(client.is_closed(), "{framing}: no end that looks whole");
    }
}

#[test]
fn an_answer_that_stalls_is_cut() {
    let (front, upstream) = proxied_with(Setup::impatient);
    let mut client = front.get("/");
    let mut server = upstream.accept();
    server.head();
    server.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    client.head();
    for _ in 0..4 {
        sleep(SHORT / 2);
        server.send("4\r\nhalf\r\n");
        assert_eq!(client.chunk(), "half");
    }
    assert!(client.is_closed());
    assert!(server.is_closed());
}

#[test]
fn a_reader_that_is_slow_is_not_the_upstreams_fault() {
    const LARGE: usize = 32 << 20;
    let (front, upstream) = proxied_with(Setup::impatient);
    let mut client = front.get("/");
    let mut server = upstream.accept();
    server.head();
    server.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {LARGE}\r\n\r\n"));
    let sent = server.room(LARGE);
    assert!(sent < LARGE, "the reader holds it up");
    sleep(2 * SHORT);
    let rest = std::thread::spawn(move || {
        server.send("x".repeat(LARGE - sent));
        server
    });
    client.head();
    assert_eq!(client.receive(LARGE).len(), LARGE);
    rest.join().unwrap();
}

#[test]
fn the_page_about_a_fault_is_the_gates_and_opaque() {
    let (front, upstream) = proxied_with(Setup::gated);
    let token = token(&runtime::HOST, PATIENCE);
    let mut client = front.send(format!(
        "GET /secret?token=1 HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\nAuthorization: Bearer {token}\r\n\r\n"
    ));
    let mut server = upstream.accept();
    server.head();
    server.send("nonsense\r\n\r\n");
    let answer = client.answer();
    assert_eq!(answer.status, 502);
    assert!(answer.head.field("content-type").unwrap().starts_with("text/html"));
    assert!(answer.body.contains("The dashboard cannot be reached"), "{}", answer.body);
    assert!(!answer.body.contains("127.0.0.1") && !answer.body.contains("parse"));
}

#[test]
fn every_exchange_is_told_once() {
    let (exchanges, told) = mpsc::channel();
    let (front, upstream) = proxied_with(|mut setup| {
        setup.exchanges = Some(exchanges);
        setup
    });
    let outcome = |told: &mpsc::Receiver<Exchange>| told.recv_timeout(PATIENCE).unwrap().outcome;
    let mut client = front.get("/");
    let mut server = upstream.accept();
    server.head();
    server.send(OK);
    client.answer();
    assert_eq!(outcome(&told), Ok(StatusCode::OK));
    let mut client = front.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
    drop(upstream.accept());
    client.answer();
    assert_eq!(outcome(&told), Err(Unanswered::Broken));
    assert!(told.try_recv().is_err());
}
