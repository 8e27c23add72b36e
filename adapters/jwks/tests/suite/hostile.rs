//! Providers that are down, slow, lying or broken: each is a failure with a reason, and the last good set serves.

use std::time::Duration;

use crate::harness::{INTERVAL, Provider, Signer, World, answer, set};

const OK: &str = "HTTP/1.1 200 OK\r\n";
const WHOLE: Duration = Duration::from_secs(5);

/// A provider that has once been good, and what became of a fetch during which `bad` plays it.
fn fails(bad: impl FnOnce(&World)) -> String {
    let good = Signer::ed("a");
    let world = World::with(Provider::start(), &[&good]);
    let asked = world.ask();
    bad(&world);
    let why = asked.outcome().unwrap_err().to_string();
    assert!(world.admits(&good), "the last good set serves");
    assert!(world.ask().outcome().is_err() && world.provider.is_left_alone(), "it is too early for another");
    assert!(world.next_fetch() <= INTERVAL);
    world.clock.advance(INTERVAL);
    world.provider.serve(answer(&set(&[&good])));
    world.is_idle();
    why
}

fn fails_with(bytes: impl AsRef<[u8]>) -> String {
    fails(|world| world.provider.serve(bytes))
}

/// A provider that goes on and on with `bytes`, until nobody takes them any more.
fn fails_after_endless(start: &str, bytes: &str) -> String {
    fails(|world| {
        let mut peer = world.provider.accept();
        peer.head();
        peer.send(start);
        while peer.try_send(bytes).is_ok() {}
    })
}

/// A provider that sends `bytes`, and then nothing.
fn fails_after_stall(bytes: &str) -> String {
    fails(|world| {
        let mut peer = world.provider.accept();
        peer.head();
        peer.send(bytes);
        world.clock.advance(WHOLE.saturating_sub(Duration::from_millis(1)));
        world.clock.advance(Duration::from_millis(1));
        assert!(peer.is_closed());
    })
}

#[track_caller]
fn says(why: &str, what: &str) {
    assert!(why.contains(what), "{why:?} says nothing of {what:?}");
}

#[test]
fn a_dead_one() {
    let world = World::of(Provider::start());
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    world.provider.serve(answer(&set(&[&Signer::ed("a")])));
    let world = World::at(&format!("http://127.0.0.1:{port}/certs"), Provider::start());
    world.has_failed();
    let why = world.ask().outcome().unwrap_err();
    says(&why.to_string(), "may be asked again in");
}

#[test]
fn one_that_closes_without_a_word() {
    says(&fails(|world| drop(world.provider.accept())), "gave no answer");
    says(&fails_with(""), "gave no answer");
}

#[cfg(unix)]
#[test]
fn one_that_resets() {
    let why = fails(|world| {
        let mut peer = world.provider.accept();
        peer.head();
        peer.reset();
    });
    says(&why, "gave no answer");
    let why = fails(|world| {
        let mut peer = world.provider.accept();
        peer.head();
        peer.send(format!("{OK}Content-Length: 10\r\n\r\n{{"));
        peer.reset();
    });
    // What came before may be lost with the connection.
    assert!(why.contains("broke off") || why.contains("gave no answer"), "{why}");
}

#[test]
fn one_that_stalls() {
    for bytes in [
        "",
        "HTTP/1.1 2",
        "HTTP/1.1 200 OK\r\nContent-",
        "HTTP/1.1 103 Early Hints\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"key",
        "HTTP/1.1 200 OK\r\n\r\n{\"keys\":[]}",
    ] {
        says(&fails_after_stall(bytes), "gave no whole answer within 5 s");
    }
}

#[test]
fn one_that_speaks_something_else() {
    says(&fails_with([0x16, 3, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), "gave no answer");
    says(&fails_with("SSH-2.0-OpenSSH_10.0\r\n\r\n"), "gave no answer");
    says(
        &fails_with("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}"),
        "gave no answer",
    );
}

#[test]
fn one_that_sends_too_much() {
    let large = " ".repeat(2 * 1024 * 1024);
    for framing in [format!("Content-Length: {}\r\n", large.len()), String::new()] {
        says(&fails_with(format!("{OK}{framing}\r\n{large}")), "longer than 1024 KiB");
    }
    // Before any of it comes.
    let why = fails(|world| {
        let mut peer = world.provider.accept();
        peer.head();
        peer.send(format!("{OK}Content-Length: 1048577\r\n\r\n"));
        assert!(peer.is_closed());
    });
    says(&why, "longer than 1024 KiB");
    let chunk = format!("1000\r\n{}\r\n", " ".repeat(0x1000));
    let chunked = format!("{OK}Transfer-Encoding: chunked\r\n\r\n");
    says(&fails_after_endless(&chunked, &chunk), "longer than 1024 KiB");
    says(&fails_after_endless(OK, "X-More: and more and more and more\r\n"), "gave no answer");
    let fields = "X: y\r\n".repeat(101);
    says(&fails_with(format!("{OK}{fields}Content-Length: 2\r\n\r\n{{}}")), "gave no answer");
}

#[test]
fn as_much_as_is_allowed_is_none_too_much() {
    let signer = Signer::ed("a");
    let document = set(&[&signer]);
    let most = format!("{document}{}", " ".repeat(1024 * 1024 - document.len()));
    let world = World::of(Provider::start());
    world.provider.serve(answer(&most));
    world.is_idle();
    assert!(world.admits(&signer));
    says(&fails_with(answer(&format!("{most} "))), "longer");
    // Of which the head says nothing.
    says(&fails_with(format!("{OK}\r\n{most} ")), "longer");
}

#[test]
fn one_that_redirects_is_not_followed() {
    let other = Provider::start();
    let place = other.url();
    for status in ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"] {
        let redirect =
            format!("HTTP/1.1 {status}\r\nLocation: {place}?code=secret\r\nContent-Length: 0\r\n\r\n");
        let why = fails_with(redirect);
        says(&why, "a redirect");
        says(&why, &place);
        assert!(!why.contains("secret"), "{why}");
    }
    assert!(other.is_left_alone());
}

#[test]
fn one_that_answers_another_status() {
    let good = answer(&set(&[&Signer::ed("b")]));
    for status in ["201", "206", "404", "500"] {
        says(&fails_with(good.replace("200", status)), &format!("answered {status}, not 200"));
    }
    says(&fails_with("HTTP/1.1 204 No Content\r\n\r\n"), "answered 204");
    says(&fails_with("HTTP/1.1 101 Switching Protocols\r\n\r\n"), "101");
}

#[test]
fn one_that_codes_its_answer() {
    let good = answer(&set(&[&Signer::ed("b")]));
    for coding in ["gzip", "br", "identity, gzip"] {
        let coded = good.replace("Content-Length", &format!("Content-Encoding: {coding}\r\nContent-Length"));
        says(&fails_with(coded), "coding");
    }
}

#[test]
fn one_whose_answer_is_cut() {
    let good = answer(&set(&[&Signer::ed("b")]));
    says(&fails_with(&good[..good.len() - 1]), "broke off");
    says(&fails_with(format!("{OK}Transfer-Encoding: chunked\r\n\r\n5\r\n{{\"key\r\n")), "broke off");
}

#[test]
fn one_whose_answer_is_no_set_of_usable_keys() {
    says(&fails_with([OK.as_bytes(), b"Content-Length: 2\r\n\r\n\xff\xfe"].concat()), "UTF-8");
    for (document, what) in [
        ("<!doctype html>", "no JWK Set"),
        ("{}", "no JWK Set"),
        ("{\"keys\":[]}", "no key"),
        ("{\"keys\":[{\"kty\":\"oct\",\"k\":\"c2VjcmV0\",\"kid\":\"a\"}]}", "no key"),
        (&"[".repeat(100_000), "no JWK Set"),
    ] {
        says(&fails_with(answer(document)), what);
    }
}
