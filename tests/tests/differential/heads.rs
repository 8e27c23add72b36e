//! Heads against hyper's server, over a connection in memory: what is taken for a request, and what stands in it.

use std::convert::Infallible;
use std::future::ready;
use std::net::Ipv6Addr;
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

use crate::list::Reason::{Has, Without};
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

fn ask(runtime: &Runtime, raw: &str) -> Both {
    let (our, their) = (ours(raw.as_bytes()), theirs(runtime, raw.as_bytes()));
    let both = Both { ours: our.is_some(), theirs: their.is_some() };
    if both.ours && both.theirs {
        assert_eq!(our, their, "{raw:?}");
    }
    both
}

fn target(raw: &str) -> &str {
    raw.split(' ').nth(1).unwrap_or_default()
}

/// The scheme and the authority of an absolute target.
fn absolute(raw: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = target(raw).split_once("://")?;
    let is_scheme = !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphabetic());
    is_scheme.then(|| (scheme, rest.split(['/', '?', '#']).next().unwrap()))
}

/// Whether an absolute target has a scheme that the gate serves: another one is another protocol's.
fn is_http(scheme: &str) -> bool {
    ["http", "https", "ws", "wss"].iter().any(|name| scheme.eq_ignore_ascii_case(name))
}

/// A name and a port, as RFC 9110 §7.2 has them: in lower case, over plain HTTP.
fn host(text: &str) -> Option<(String, u16)> {
    let (name, port) = match text.rfind(':').filter(|at| !text[*at..].contains(']')) {
        Some(at) => (&text[..at], &text[at + 1..]),
        None => (text, ""),
    };
    let port = if port.is_empty() { 80 } else { port.parse().ok().filter(|_| !port.starts_with('+'))? };
    let is_name =
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
    let address = || name.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok();
    (is_name || address().is_some()).then(|| (name.to_ascii_lowercase(), port))
}

fn fields(raw: &str) -> impl Iterator<Item = (&str, &str)> {
    raw.trim_start().lines().skip(1).filter_map(|line| line.split_once(':'))
}

fn values<'a>(raw: &'a str, name: &str) -> Vec<&'a str> {
    let ours = fields(raw).filter(|(field, _)| field.eq_ignore_ascii_case(name));
    ours.map(|(_, value)| value.trim_matches([' ', '\t'])).collect()
}

/// The same head without the fields of this name.
fn without(raw: &str, name: &str) -> String {
    let is_other = |line: &&str| !line.split(':').next().unwrap().eq_ignore_ascii_case(name);
    raw.split_inclusive('\n').filter(is_other).collect()
}

/// The version that the first line ends in.
fn is_old(raw: &str) -> bool {
    raw.trim_start().lines().next().is_some_and(|line| line.ends_with("HTTP/1.0"))
}

/// What hyper refuses of what no URI has: the last but one in a path, the last in a query, the others in either.
const NO_URI_HAS: [char; 4] = ['<', '>', '`', '"'];

const REASONS: &[Reason<String>] = &[
    Has("several `Host` fields", |raw| values(raw, "host").len() > 1),
    Has("a `Host` that is no host", |raw| values(raw, "host").iter().any(|text| host(text).is_none())),
    Has("an absolute target for another host than `Host`", |raw| {
        let Some((scheme, authority)) = absolute(raw) else { return false };
        let (told, [field]) = (host(authority), &values(raw, "host")[..]) else { return false };
        is_http(scheme) && told.is_some() && host(field).is_some_and(|field| Some(field) != told)
    }),
    Has("an absolute target with a user, or for what is no host", |raw| {
        absolute(raw).is_some_and(|(scheme, authority)| is_http(scheme) && host(authority).is_none())
    }),
    Has("an absolute target of another protocol", |raw| {
        absolute(raw).is_some_and(|(scheme, _)| !is_http(scheme))
    }),
    Has("a target that is no path", |raw| !target(raw).starts_with('/') && absolute(raw).is_none()),
    Has("a fragment in the target", |raw| target(raw).contains('#')),
    Has("a target with a DEL, or beyond ASCII", |raw| {
        target(raw).contains(|c: char| c == '\u{7f}' || !c.is_ascii())
    }),
    Has("`Content-Length` beside `Transfer-Encoding`", |raw| {
        !values(raw, "content-length").is_empty() && !values(raw, "transfer-encoding").is_empty()
    }),
    Without("a sign in the target that no URI has", |raw| {
        let mut parts: Vec<_> = raw.splitn(3, ' ').map(str::to_owned).collect();
        let target = parts.get_mut(1)?;
        let plain = target.replace(NO_URI_HAS, "x");
        let is_there = plain != *target;
        *target = plain;
        is_there.then(|| parts.join(" "))
    }),
    Without("a `Content-Length` that is no number, or two that differ", |raw| {
        let lengths = values(raw, "content-length");
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let is_odd = lengths.iter().any(|length| !is_number(length) || *length != lengths[0]);
        is_odd.then(|| without(raw, "content-length"))
    }),
    Without("a `Transfer-Encoding` that does not end in chunked, or in HTTP/1.0", |raw| {
        let codings = values(raw, "transfer-encoding");
        let last = codings.last()?.rsplit(',').next()?.trim();
        (is_old(raw) || !last.eq_ignore_ascii_case("chunked")).then(|| without(raw, "transfer-encoding"))
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
        let both = ask(&runtime, &raw);
        let is_alike = both.ours == both.theirs;
        prop_assert!(is_alike || is_listed(REASONS, &raw, both, |raw| ask(&runtime, raw)), "{:?}", both);
        taken.set(taken.get() + usize::from(both.ours && both.theirs));
        Ok(())
    });
    judged.unwrap_or_else(|error| panic!("{error}"));
    assert!(taken.get() > 300, "only {} heads were read by both", taken.get());
}

/// A sign too many would excuse more than is said.
#[test]
fn each_sign_that_no_uri_has_is_refused_by_hyper_and_taken_here() {
    let runtime = runtime();
    for sign in NO_URI_HAS {
        let differs = |target: &str| {
            let both = ask(&runtime, &format!("GET {target}{sign} HTTP/1.1\r\nHost: dash.example\r\n\r\n"));
            both == Both { ours: true, theirs: false }
        };
        assert!(differs("/ops/") || differs("/ops/?"), "{sign}");
    }
}

#[test]
fn every_listed_difference_with_hyper_is_there() {
    let runtime = runtime();
    let read = |witness: &toml::Table| {
        witness["head"].as_str().unwrap().trim_end().replace('\n', "\r\n") + "\r\n\r\n"
    };
    check("hyper", REASONS, read, |raw| ask(&runtime, raw));
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}
