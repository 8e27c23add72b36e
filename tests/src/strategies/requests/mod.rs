//! Requests, drawn as plans that a gate's settings complete.

mod fields;
mod origins;
mod proofs;
mod questions;
mod targets;
mod tokens;

use authgate_core::{Peer, Scheme};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

pub use self::fields::{bodies, fields};
use self::origins::{hosts, peers, sites};
use self::proofs::{ProofPlan, Seal, fitting, proof};
use self::questions::{QuestionPlan, questions};
pub use self::targets::paths;
use self::targets::queries;
use super::one_of;
use super::sessions::kept;
use crate::case::{Config, Request};

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
    /// How a proxy asks about it, where proxies ask.
    question: Option<QuestionPlan>,
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
        question: request.question.filter(|_| request.is_form),
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
    (any_requests(), method, path, option::weighted(0.9, fitting(badge)), prop::bool::weighted(0.2))
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
    let question = option::weighted(0.85, questions());
    (head, end, (sites(), proofs, others, question), (prop::bool::weighted(0.7), bodies()))
        .prop_map(
            |(
                (method, prefix, path, query, is_absolute, hosts),
                (peer, scheme, websocket),
                (site, proofs, others, question),
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
                    question,
                }
            },
        )
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
        match self.question {
            Some(question) if config.forward_auth => question.write(request, config),
            _ => request,
        }
    }
}
