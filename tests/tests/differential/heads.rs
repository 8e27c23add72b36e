//! Heads against hyper's server, over a connection in memory: what is taken for a request, and what stands in it.

use std::convert::Infallible;
use std::future::ready;
use std::sync::{Arc, Mutex};

use authgate_core::{Denial, Gate, Head, HeadLimits, Reason as Why, Step};
use authgate_tests::strategies::{cases, one_of};
use authgate_tests::world::{NOW, jwt};
use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response};
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use tokio::io::AsyncWriteExt as _;
use tokio::runtime::Runtime;

use crate::list::{Both, Reason, check, is_listed};

/// What matters in a head, as text.
#[derive(Debug, PartialEq, Eq)]
struct Read {
    method: String,
    path: String,
    query: Option<String>,
    fields: Vec<(String, Vec<u8>)>,
}

/// As the gate reads the bytes, if it takes them for a request.
fn ours(raw: &[u8]) -> Option<Read> {
    let mut slots = [httparse::EMPTY_HEADER; 100];
    let (head, _) = Head::parse(raw, &mut slots, &HeadLimits::default()).ok()??;
    let gate = Gate::builder(jwt()).build().unwrap();
    if let Step::Done(decision) = gate.begin(&head, NOW)
        && let Why::Denied(Denial::Head(_)) = decision.event().reason
    {
        return None;
    }
    let mut again = [httparse::EMPTY_HEADER; 100];
    let mut request = httparse::Request::new(&mut again);
    request.parse(raw).unwrap();
    let fields = request.headers.iter().map(|field| (field.name.to_ascii_lowercase(), field.value.to_vec()));
    Some(read(&head, fields.collect()))
}

/// As hyper reads them, and as the gate reads what hyper has read.
fn theirs(runtime: &Runtime, raw: &[u8]) -> Option<Read> {
    let parts = runtime.block_on(serve(raw))?;
    let fields = parts.headers.iter().map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()));
    Some(read(&Head::from(&parts), fields.collect()))
}

async fn serve(raw: &[u8]) -> Option<Parts> {
    let (mut client, server) = tokio::io::duplex(256 * 1024);
    client.write_all(raw).await.unwrap();
    client.shutdown().await.unwrap();
    let seen = Arc::new(Mutex::new(None));
    let kept = seen.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        kept.lock().unwrap().get_or_insert(request.into_parts().0);
        ready(Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new())))
    });
    let connection = http1::Builder::new()
        .half_close(true)
        .keep_alive(false)
        .serve_connection(TokioIo::new(server), service);
    // How it ends is hyper's affair; what it has passed on is what counts.
    let _ = connection.await;
    let mut seen = seen.lock().unwrap();
    seen.take()
}

fn read(head: &Head<'_>, mut fields: Vec<(String, Vec<u8>)>) -> Read {
    // hyper drops what says the same twice, or what another field overrules.
    fields.retain(|(name, _)| name != "content-length");
    fields.sort();
    Read {
        method: head.method().to_owned(),
        path: head.path().to_owned(),
        query: head.query().map(str::to_owned),
        fields,
    }
}

fn target(raw: &str) -> &str {
    raw.split(' ').nth(1).unwrap_or_default()
}

fn values<'a>(raw: &'a str, name: &str) -> Vec<&'a str> {
    let lines = raw.lines().skip(1).filter_map(|line| line.split_once(':'));
    lines
        .filter(|(field, _)| field.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim_matches([' ', '\t']))
        .collect()
}

const REASONS: &[Reason<String>] = &[
    ("several `Host` fields", |raw| values(raw, "host").len() > 1),
    ("a `Host` that is no host", |raw| {
        let is_host = |host: &&str| {
            let name = host.split(':').next().unwrap_or_default();
            !name.is_empty()
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
                && host.matches(':').count() <= 1
        };
        values(raw, "host").iter().any(|host| {
            !is_host(host)
                || host.split(':').nth(1).is_some_and(|port| !port.is_empty() && port.parse::<u16>().is_err())
        })
    }),
    ("an absolute target for another host than `Host`", |raw| target(raw).contains("://")),
    ("a target that is no path", |raw| !target(raw).starts_with('/') && !target(raw).contains("://")),
    ("a fragment in the target", |raw| target(raw).contains('#')),
    ("a target beyond ASCII", |raw| !target(raw).is_ascii() || target(raw).contains('\u{7f}')),
    ("`Content-Length` beside `Transfer-Encoding`", |raw| {
        !values(raw, "content-length").is_empty() && !values(raw, "transfer-encoding").is_empty()
    }),
    ("a sign in the target that no URI has", |raw| {
        target(raw).contains(['<', '>', '"', '`', '^', '|', '{', '}', '\\'])
    }),
    ("a `Content-Length` that is no number, or two that differ", |raw| {
        let lengths = values(raw, "content-length");
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        lengths.iter().any(|length| !is_number(length) || *length != lengths[0])
    }),
    ("a `Transfer-Encoding` that does not end in chunked, or in HTTP/1.0", |raw| {
        let codings = values(raw, "transfer-encoding");
        !codings.is_empty()
            && (raw.contains("HTTP/1.0") || codings.last().is_some_and(|coding| *coding != "chunked"))
    }),
];

fn heads() -> impl Strategy<Value = String> {
    let method = prop_oneof![6 => one_of(&["GET", "POST", "HEAD", "OPTIONS", "BREW", "get"]),
        1 => one_of(&["", "G T", "G(T", "CONNECT", "PRI", "GÉT"])];
    let pieces = [
        "/", "/ops", "/queues", "//", "/..", "/%2e", "%", "?a=1", "?", "&", "#x", "é", "<", "`", "|", "\"",
        "{", "\\", ";", ":", "@", "\u{7f}", "\t",
    ];
    let path = vec(one_of(&pieces), 0..4).prop_map(|pieces| pieces.concat());
    let target = prop_oneof![
        8 => path.prop_map(|path| format!("/ops{path}")),
        2 => vec(one_of(&pieces), 0..4).prop_map(|pieces| pieces.concat()),
        1 => one_of(&["*", "dash.example:80", "http://dash.example/ops?x", "http://dash.example",
            "https://other.example/ops", "HTTP://dash.example/", "ftp://dash.example/",
            "http://a@dash.example/", "http:///ops"]),
    ];
    let version = prop_oneof![12 => Just("HTTP/1.1"), 2 => Just("HTTP/1.0"), 1 => Just("HTTP/2.0"),
        1 => Just("http/1.1"), 1 => Just("HTTP/1.1 ")];
    let name = prop_oneof![
        8 => one_of(&["host", "Host", "cookie", "accept", "x-a", "content-length", "transfer-encoding",
            "connection", "expect", "X_a"]),
        1 => one_of(&["", " x", "x ", "x y", "é", "x(", "\tx", "x\u{0}"]),
    ];
    let value = prop_oneof![
        8 => one_of(&["dash.example", "dash.example:80", "a=1", "0", "5", "chunked", "gzip, chunked",
            "gzip", "close", "x", "", "é"]),
        1 => one_of(&["a/b", "a@b", "-1", "5, 5", "+5", "\u{0}", "x\ry", "x\ny", "x\r\n y", "\u{7f}",
            "dash.example:", "[::1]"]),
    ];
    let space = prop_oneof![8 => Just(" "), 1 => Just(""), 1 => Just("\t ")];
    let end = || prop_oneof![24 => Just("\r\n"), 1 => Just("\n"), 1 => Just("\r")];
    let field = (name, space, value, end())
        .prop_map(|(name, space, value, end)| format!("{name}:{space}{value}{end}"));
    let fields = (prop::bool::weighted(0.8), vec(field, 0..4)).prop_map(|(host, fields)| {
        (if host { "Host: dash.example\r\n" } else { "" }).to_owned() + &fields.concat()
    });
    (
        prop_oneof![30 => Just(""), 1 => Just("\r\n"), 1 => Just(" ")],
        method,
        target,
        version,
        end(),
        fields,
        end(),
    )
        .prop_map(|(before, method, target, version, end, fields, last)| {
            format!("{before}{method} {target} {version}{end}{fields}{last}")
        })
}

#[test]
fn heads_are_read_as_hyper_reads_them_but_for_the_list() {
    let runtime = runtime();
    let taken = std::cell::Cell::new(0);
    let judged = TestRunner::new(cases(3000)).run(&heads(), |raw| {
        let (our, their) = (ours(raw.as_bytes()), theirs(&runtime, raw.as_bytes()));
        let both = Both { ours: our.is_some(), theirs: their.is_some() };
        let is_alike = both.ours == both.theirs;
        prop_assert!(is_alike || is_listed("hyper", REASONS, &raw, both), "{:?}", both);
        if let (Some(our), Some(their)) = (our, their) {
            prop_assert_eq!(our, their);
            taken.set(taken.get() + 1);
        }
        Ok(())
    });
    judged.unwrap_or_else(|error| panic!("{error}"));
    assert!(taken.get() > 300, "only {} heads were read by both", taken.get());
}

#[test]
fn every_listed_difference_with_hyper_is_there() {
    let runtime = runtime();
    let read = |witness: &toml::Table| {
        witness["head"].as_str().unwrap().trim_end().replace('\n', "\r\n") + "\r\n\r\n"
    };
    check("hyper", REASONS, read, |raw| Both {
        ours: ours(raw.as_bytes()).is_some(),
        theirs: theirs(&runtime, raw.as_bytes()).is_some(),
    });
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}
