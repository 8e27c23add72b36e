use std::net::IpAddr;

use authgate_core::{Peer, Scheme};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::one_of;
use super::sessions::{KeptPlan, kept};
use crate::case::{Backend, Config, Request, Sealed, secret, tokens};
use crate::forge;

/// A request that is still to be written for a gate.
#[derive(Debug, Clone)]
pub struct RequestPlan {
    method: String,
    prefix: String,
    path: String,
    query: String,
    is_absolute: bool,
    hosts: Vec<String>,
    peer: Peer,
    scheme: Scheme,
    websocket: bool,
    site: Vec<(String, String)>,
    proofs: Vec<ProofPlan>,
    others: Vec<(String, String)>,
    is_form: bool,
    body: String,
}

#[derive(Debug, Clone)]
enum ProofPlan {
    /// For one of the gate's backends: a token, a session, or a badge.
    Fitting(Index, Index, KeptPlan, String),
    Token(Index, &'static str),
    Session(KeptPlan, Seal),
    Badge(u8, String),
    Field(String, String),
}

/// How a session is sealed.
#[derive(Debug, Clone, Copy)]
enum Seal {
    Well,
    WithAnotherKey,
    ForAnotherRealm,
    Cut,
}

/// Any request; some are posts that sign in or out, and nothing is wrong with how those are sent.
pub fn requests() -> BoxedStrategy<RequestPlan> {
    let sign_in_or_out =
        (any_requests(), one_of(&["{mount}{login}", "{mount}{login}", "{mount}{logout}"]), bodies());
    let htmx =
        prop_oneof![3 => Just(Vec::new()), 1 => Just(vec![("hx-request".to_owned(), "true".to_owned())])];
    let sign_in_or_out = (sign_in_or_out, htmx).prop_map(|((request, path, body), others)| RequestPlan {
        method: "POST".to_owned(),
        prefix: String::new(),
        path,
        others,
        hosts: vec!["dash.example".to_owned()],
        site: vec![("sec-fetch-site".to_owned(), "same-origin".to_owned())],
        is_form: true,
        body,
        ..request
    });
    prop_oneof![5 => any_requests(), 1 => sign_in_or_out].boxed()
}

/// Any request that shows a session, and is one that a browser may well send.
pub fn requests_with_sessions() -> BoxedStrategy<RequestPlan> {
    let method = prop_oneof![4 => Just("GET"), 1 => Just("POST")];
    let seal = prop_oneof![12 => Just(Seal::Well), 1 => Just(Seal::WithAnotherKey)];
    let session = (kept(), seal).prop_map(|(kept, seal)| ProofPlan::Session(kept, seal));
    let proofs = (session, prop_oneof![3 => Just(Vec::new()), 1 => vec(proof(), 1..2)]);
    (any_requests(), method, proofs)
        .prop_map(|(request, method, (session, mut proofs))| {
            proofs.push(session);
            RequestPlan {
                method: method.to_owned(),
                prefix: String::new(),
                path: "{mount}/queues".to_owned(),
                hosts: vec!["dash.example".to_owned()],
                proofs,
                others: Vec::new(),
                ..request
            }
        })
        .boxed()
}

/// Any request with a proof for one of the gate's backends, and nothing wrong with it.
pub fn requests_that_fit() -> BoxedStrategy<RequestPlan> {
    let method = one_of(&["GET", "GET", "POST", "HEAD", "PUT", "BREW", "WEBSOCKET"]);
    let path = one_of(&[
        "/queues",
        "/queues/secret",
        "/Queues",
        "/audit/x",
        "/a%20b",
        "/",
        "/%61udit",
        "/queues;x/y",
        "/%C3%A9",
    ]);
    let badge =
        one_of(&["ada's, by the browser", "bob's, by the browser", "eve's program", "to be asked about"]);
    let proof = (any::<Index>(), any::<Index>(), kept(), badge)
        .prop_map(|(which, token, kept, badge)| ProofPlan::Fitting(which, token, kept, badge));
    (any_requests(), method, path, option::weighted(0.9, proof), prop::bool::weighted(0.2))
        .prop_map(|(request, method, path, proof, is_handshake)| RequestPlan {
            method,
            prefix: String::new(),
            path: format!("{{mount}}{path}"),
            hosts: vec!["dash.example".to_owned()],
            site: vec![("sec-fetch-site".to_owned(), "same-origin".to_owned())],
            websocket: is_handshake,
            proofs: proof.into_iter().collect(),
            others: Vec::new(),
            ..request
        })
        .boxed()
}

fn any_requests() -> BoxedStrategy<RequestPlan> {
    let method = prop_oneof![
        8 => Just("GET".to_owned()),
        4 => Just("POST".to_owned()),
        2 => one_of(&["HEAD", "OPTIONS", "DELETE", "get", "BREW", "WEBSOCKET", "PUT", "DELETE", "BREW", "",
            "G T"]),
    ];
    let prefix = prop_oneof![30 => Just(String::new()), 3 => Just("/outer".to_owned()),
        1 => one_of(&["/outer", "/outer/", "//evil.example", "/a/../b", "x", "/out^er", "/{outer}"])];
    let head = (method, prefix, paths(), queries(), prop::bool::weighted(0.06), hosts());
    let end =
        (peers(), prop_oneof![3 => Just(Scheme::Http), 1 => Just(Scheme::Https)], prop::bool::weighted(0.05));
    let proofs = prop_oneof![1 => Just(Vec::new()), 4 => vec(proof(), 1..2), 2 => vec(proof(), 2..4)];
    let others = prop_oneof![2 => Just(Vec::new()), 1 => vec(fields(), 0..5)];
    (head, end, (sites(), proofs, others), (prop::bool::weighted(0.7), bodies()))
        .prop_map(
            |(
                (method, prefix, path, query, is_absolute, hosts),
                (peer, scheme, websocket),
                (site, proofs, others),
                (is_form, body),
            )| {
                RequestPlan {
                    method,
                    prefix,
                    path,
                    query,
                    is_absolute,
                    hosts,
                    peer,
                    scheme,
                    websocket,
                    site,
                    proofs,
                    others,
                    is_form,
                    body,
                }
            },
        )
        .boxed()
}

/// A path; `{mount}`, `{login}` and `{logout}` are the gate's.
pub fn paths() -> BoxedStrategy<String> {
    let usual = [
        "/queues",
        "/queues",
        "/queues/secret",
        "/Queues",
        "/audit",
        "/static/a.css",
        "/healthz",
        "/",
        "/a%20b",
    ];
    let pieces = [
        "/queues",
        "/secret",
        "/Queues",
        "/open",
        "/static",
        "/assets",
        "/healthz",
        "/audit",
        "/one",
        "/a;b",
        "/",
        "/",
        "//",
        "/.",
        "/..",
        "/%2e%2e",
        "/%252e",
        "/..;",
        "/..%20",
        "/.%3b",
        "%2f",
        "%5c",
        "%00",
        "%0d%0a",
        "/%41",
        "/%61udit",
        "/a%20b",
        "/caf%C3%A9",
        "/%C3%A9",
        "/%ff",
        "%u002e",
        ";",
        ";x=1",
        ".",
        "a",
        "//evil.example",
        "/logout",
        "%2561",
        "/%25",
    ];
    let odd = prop_oneof![one_of(&["\\", "#x", "é", " ", "\u{7f}", "\"", "<"]), "[ -~]{0,12}"];
    let below = prop_oneof![
        16 => one_of(&usual),
        5 => vec(one_of(&pieces), 1..5).prop_map(|pieces| pieces.concat()),
        1 => (vec(one_of(&pieces), 1..3), odd).prop_map(|(pieces, odd)| pieces.concat() + &odd),
    ]
    .boxed();
    prop_oneof![
        30 => below.clone().prop_map(|path| format!("{{mount}}{path}")),
        1 => Just("{mount}".to_owned()),
        1 => below,
        3 => Just("{mount}{login}".to_owned()),
        2 => Just("{mount}{logout}".to_owned()),
        1 => one_of(&["{mount}/callback-1", "{mount}/callback-2"]),
    ]
    .boxed()
}

fn queries() -> BoxedStrategy<String> {
    prop_oneof![
        6 => Just(String::new()),
        2 => one_of(&["?page=2", "?", "?next=%2Fops%2Fqueues%3Fa%3D1%26b", "?next=//evil.example",
            "?next=%2Fops%2F%2Fevil.example", "?next=%2F%5Cevil.example"]),
        1 => "\\?next=[/.%25efcops2F5C\\\\?#&a]{0,20}",
        1 => "\\?[ -~]{0,20}",
    ]
    .boxed()
}

fn hosts() -> BoxedStrategy<Vec<String>> {
    let good = one_of(&[
        "DASH.example:80",
        "dash.example:",
        "dash.example:8443",
        "ops.example:8443",
        "[2001:db8::1]",
        "[2001:DB8:0::1]:443",
        "dash.example.",
    ]);
    let bad = one_of(&["evil.example", "a/b", "a@b", "", "é", "dash.example:99999", "[::1"]);
    prop_oneof![
        40 => Just(vec!["dash.example".to_owned()]),
        6 => vec(good, 1..2),
        1 => vec(bad, 1..2),
        1 => Just(Vec::new()),
        1 => Just(vec!["dash.example".to_owned(); 2]),
    ]
    .boxed()
}

fn peers() -> BoxedStrategy<Peer> {
    let addresses = ["192.0.2.1", "10.0.0.1", "127.0.0.1", "203.0.113.9", "2001:db8::7", "::ffff:10.0.0.9"];
    let address = select(addresses.to_vec()).prop_map(|text| Peer::from(text.parse::<IpAddr>().unwrap()));
    prop_oneof![8 => address, 1 => Just(Peer::Unix), 1 => Just(Peer::Unknown)].boxed()
}

/// What a browser says about where a request comes from.
fn sites() -> BoxedStrategy<Vec<(String, String)>> {
    let site = one_of(&["same-origin", "same-origin", "none", "same-site", "cross-site", "x"]);
    let origin = one_of(&[
        "http://dash.example",
        "https://dash.example",
        "HTTP://Dash.Example:80",
        "http://dash.example:8443",
        "https://[2001:db8::1]",
        "http://evil.example",
        "null",
        "http://dash.example/",
        "ftp://dash.example",
        "https://dash.example:443",
        "ws://dash.example",
    ]);
    let said = |name: &'static str| move |value| (name.to_owned(), value);
    prop_oneof![
        6 => site.clone().prop_map(said("sec-fetch-site")).prop_map(|one| vec![one]),
        4 => origin.clone().prop_map(said("origin")).prop_map(|one| vec![one]),
        1 => (site.prop_map(said("sec-fetch-site")), origin.prop_map(said("origin"))).prop_map(|(one,
            two)| vec![one, two]),
        4 => Just(Vec::new()),
    ]
    .boxed()
}

fn proof() -> BoxedStrategy<ProofPlan> {
    let schemes =
        select(vec!["Bearer ", "Bearer ", "Bearer ", "bearer ", "Bearer  ", "Token ", "Bearer\t", "Bearer"]);
    let seal = prop_oneof![
        12 => Just(Seal::Well),
        1 => Just(Seal::WithAnotherKey),
        1 => Just(Seal::ForAnotherRealm),
        1 => Just(Seal::Cut),
    ];
    let badges = one_of(&[
        "ada's, by the browser",
        "bob's, by the browser",
        "eve's program",
        "for a minute",
        "nobody's",
        "to be asked about",
        "to be asked about",
        "of a directory that is down",
        "forged",
    ]);
    prop_oneof![
        14 => (any::<Index>(), any::<Index>(), kept(), badges.clone())
            .prop_map(|(which, token, kept, badge)| ProofPlan::Fitting(which, token, kept, badge)),
        3 => (any::<Index>(), schemes).prop_map(|(token, scheme)| ProofPlan::Token(token, scheme)),
        3 => (kept(), seal).prop_map(|(kept, seal)| ProofPlan::Session(kept, seal)),
        2 => (1..3_u8, badges).prop_map(|(number, badge)| ProofPlan::Badge(number, badge)),
        1 => one_of(&["Bearer x.y.z", "Bearer ", "Basic YTpi",
            "Bearer é"]).prop_map(|value| ProofPlan::Field("authorization".to_owned(), value)),
        1 => one_of(&["authgate=", "authgate=x; authgate=y", "__Host-authgate=x", "a=1; b=2", ";;=",
            "authgate"])
            .prop_map(|value| ProofPlan::Field("cookie".to_owned(), value)),
    ]
    .boxed()
}

/// Any field, such as clients send, and such as none would.
pub fn fields() -> BoxedStrategy<(String, String)> {
    let proxied = [
        "x-forwarded-for",
        "X-Forwarded-For",
        "x-forwarded-host",
        "x-forwarded-proto",
        "x-forwarded-port",
        "forwarded",
        "via",
    ];
    let by_proxies = [
        "https",
        "http",
        "gopher",
        "203.0.113.9",
        "10.0.0.2, 203.0.113.9",
        "203.0.113.9, 10.0.0.2:80",
        "[2001:db8::9]:1",
        "garbage, 10.0.0.2",
        "127.0.0.1",
        "dash.example",
        "8443",
        "for=203.0.113.9;proto=https;host=dash.example",
        "for=10.0.0.3, for=10.0.0.2;proto=https",
        "for=\"[2001:db8::9]\";host=\"a\\\"b\"",
        "for=203.0.113.9;host=\"x",
        "proto=https",
    ];
    let said = [
        "accept",
        "hx-request",
        "hx-current-url",
        "referer",
        "sec-fetch-mode",
        "sec-websocket-key",
        "upgrade",
        "connection",
        "x-auth-user",
        "content-length",
        "user-agent",
        "x-original-url",
        "x-http-method-override",
    ];
    let by_clients = [
        "true",
        "*/*",
        "text/html",
        "application/json",
        "text/event-stream",
        "http://dash.example/ops/queues",
        "navigate",
        "cors",
        "http://dash.example//evil.example/ops/",
        "https://dash.example/ops/?a=%0d%0a",
        "javascript:alert(1)",
        "websocket",
        "upgrade",
        "keep-alive, Upgrade",
        "application/x-www-form-urlencoded",
        "12",
        "99999999",
        "eve",
        "/ops/a",
    ];
    let odd = [
        "host",
        "authorization",
        "cookie",
        "origin",
        "sec-fetch-site",
        "content-type",
        "transfer-encoding",
        "content-length",
        "x-badge-1",
    ];
    prop_oneof![
        6 => (one_of(&proxied), one_of(&by_proxies)),
        9 => (one_of(&said), one_of(&by_clients)),
        1 => (one_of(&odd), one_of(&by_clients)),
        1 => (one_of(&said), "[ -~]{0,40}"),
        1 => (one_of(&said), "\\PC{0,8}"),
    ]
    .boxed()
}

/// What is posted.
pub fn bodies() -> BoxedStrategy<String> {
    prop_oneof![
        4 => Just("username=ada&password=s3cret&next=%2Fops%2Fqueues".to_owned()),
        2 => "username=[a-e<>\"&+%]{0,8}&password=s3cret&next=[/.%25efcops2F5C\\\\?#a]{0,20}",
        2 => one_of(&["username=ada&password=s3cret&next=%2F%2Fevil.example", "username=&password=",
            "username=ada&password=x&password=y", "%ff=%ff"]),
        1 => "[ -~]{0,60}",
    ]
    .boxed()
}

impl RequestPlan {
    /// The request to a gate.
    pub fn write(self, config: &Config) -> Request {
        let mount = config.mount.trim_end_matches('/');
        let path = self.path.replace("{mount}", mount).replace("{login}", &config.login_path);
        let path = path.replace("{logout}", &config.logout_path);
        let host = self.hosts.first().map_or("dash.example", String::as_str);
        let origin =
            if self.is_absolute { format!("{}://{host}", self.scheme.as_str()) } else { String::new() };
        let hosts = self.hosts.iter().map(|host| ("host".to_owned(), host.clone()));
        let mut request = Request {
            target: format!("{origin}{path}{}", self.query),
            fields: hosts.chain(self.site).collect(),
            method: self.method,
            prefix: self.prefix,
            body: self.body,
            peer: self.peer,
            scheme: self.scheme,
            websocket: self.websocket,
            sealed: Vec::new(),
        };
        if self.is_form && request.method == "POST" {
            request = request.with("content-type", "application/x-www-form-urlencoded");
        }
        for proof in self.proofs {
            request = proof.write(request, config);
        }
        request.fields.extend(self.others);
        request
    }
}

impl ProofPlan {
    fn write(self, request: Request, config: &Config) -> Request {
        // As it is without proxies; where one says otherwise, the cookie has the wrong name.
        let name = config.cookie(request.scheme == Scheme::Https);
        match self {
            Self::Fitting(which, token, kept, badge) => {
                let fitting = match config.backends[which.index(config.backends.len())] {
                    Backend::People => Self::Session(kept, Seal::Well),
                    Backend::Tokens(_) => Self::Token(token, "Bearer "),
                    Backend::Directory(directory) => Self::Badge(directory.number, badge),
                };
                fitting.write(request, config)
            }
            Self::Token(index, scheme) => {
                let trusted: Vec<_> = config.trusted_tokens();
                request.with("authorization", format!("{scheme}{}", trusted[index.index(trusted.len())].text))
            }
            Self::Session(plan, seal) => {
                let kept = plan.write(config);
                if !config.sealed {
                    return request.with("cookie", format!("{name}={}", secret(kept.number)));
                }
                let value = match seal {
                    Seal::Well | Seal::Cut => kept.seal(forge::SECRET, "authgate", "dashboard"),
                    Seal::WithAnotherKey => kept.seal(&"another".repeat(9), "authgate", "dashboard"),
                    Seal::ForAnotherRealm => kept.seal(forge::SECRET, "authgate", "another"),
                };
                match seal {
                    Seal::Well => {
                        let mut request = request.with("cookie", format!("a=1; {name}={value}"));
                        request.sealed.push(Sealed { value, kept });
                        request
                    }
                    Seal::Cut => request.with("cookie", format!("{name}={}", &value[..value.len() - 4])),
                    Seal::WithAnotherKey | Seal::ForAnotherRealm => {
                        request.with("cookie", format!("{name}={value}"))
                    }
                }
            }
            Self::Badge(number, badge) => request.with(&format!("x-badge-{number}"), badge),
            Self::Field(name, value) => request.with(&name, value),
        }
    }
}

impl Config {
    /// Tokens that this gate may well believe, and some others.
    fn trusted_tokens(&self) -> Vec<&'static tokens::Issued> {
        let trusts = self.backends.iter().find_map(|backend| match backend {
            Backend::Tokens(trust) => Some(trust.algorithms()),
            _ => None,
        });
        let book = tokens::book().iter().enumerate();
        let fits = |algorithm| trusts.is_none_or(|trusts| trusts.contains(&algorithm));
        book.filter(|(number, issued)| number % 16 == 0 || fits(issued.algorithm))
            .map(|(_, issued)| issued)
            .collect()
    }
}
