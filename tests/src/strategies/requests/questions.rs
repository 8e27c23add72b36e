use authgate_core::Peer;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::case::{Config, Request};
use crate::strategies::one_of;

/// A proxy's question about a request, which is still to be written for a gate.
#[derive(Debug, Clone)]
pub(super) struct QuestionPlan {
    /// Where it is asked.
    path: String,
    /// Which of the trusted proxies asks; none if it is whoever sent the request.
    proxy: Option<Index>,
    flaw: Flaw,
    /// What proxies also say about a request: a field and its value; `{target}` and `{method}` are the request's.
    repeated: Option<(String, String)>,
}

/// What is wrong with a question.
#[derive(Debug, Clone, Copy)]
enum Flaw {
    Nothing,
    NoMethod,
    TwoMethods,
    NoTarget,
    AnotherHost,
}

/// Any question; most are right.
pub(super) fn questions() -> BoxedStrategy<QuestionPlan> {
    let path = prop_oneof![
        12 => one_of(&["/authgate/auth-request", "/authgate/forward-auth"]),
        1 => one_of(&["/authgate", "/authgate/forward-auth/", "/authgate/Forward-Auth"]),
    ];
    let flaw = prop_oneof![
        20 => Just(Flaw::Nothing),
        1 => Just(Flaw::NoMethod),
        1 => Just(Flaw::TwoMethods),
        1 => Just(Flaw::NoTarget),
        1 => Just(Flaw::AnotherHost),
    ];
    let right = [
        ("x-original-url", "{target}"),
        ("x-original-url", "https://dash.example{target}"),
        ("x-original-uri", "{target}"),
        ("x-original-method", "{method}"),
    ];
    let wrong = [
        ("x-original-url", "{target}?"),
        ("x-original-uri", "https://dash.example/ops/open"),
        ("x-original-method", "BREW"),
        ("X_Original_Method", "BREW"),
        ("X_Forwarded_Method", "GET"),
        ("x-forwarded-user", "eve"),
        ("team.name", "eve"),
    ];
    let one = |pairs: &[(&'static str, &'static str)]| {
        proptest::sample::select(pairs.to_vec()).prop_map(|(name, value)| (name.to_owned(), value.to_owned()))
    };
    let repeated =
        prop_oneof![10 => Just(None), 2 => one(&right).prop_map(Some), 1 => one(&wrong).prop_map(Some)];
    let proxy = proptest::option::weighted(0.95, any::<Index>());
    (path, proxy, flaw, repeated)
        .prop_map(|(path, proxy, flaw, repeated)| QuestionPlan { path, proxy, flaw, repeated })
        .boxed()
}

impl QuestionPlan {
    /// The question about `request`.
    pub(super) fn write(self, mut request: Request, config: &Config) -> Request {
        let Request { method, target, .. } = request.clone();
        if let Some((name, value)) = self.repeated {
            request = request.with(&name, value.replace("{target}", &target).replace("{method}", &method));
        }
        if !matches!(self.flaw, Flaw::NoMethod) {
            request = request.with("x-forwarded-method", &*method);
        }
        match self.flaw {
            Flaw::TwoMethods => request = request.with("X-Forwarded-Method", "GET"),
            Flaw::AnotherHost => request = request.with("x-forwarded-host", "evil.example"),
            _ => {}
        }
        if !matches!(self.flaw, Flaw::NoTarget) {
            request = request.with("x-forwarded-uri", target);
        }
        let peer = self.proxy.map(|which| which.get(&config.trusted_proxies)).map(|proxy| address(proxy));
        Request {
            method: "GET".to_owned(),
            target: format!("{}{}", config.mount.trim_end_matches('/'), self.path),
            peer: peer.unwrap_or(request.peer),
            ..request
        }
    }
}

/// The first that is called so.
fn address(proxy: &str) -> Peer {
    let network = proxy.split('/').next().unwrap();
    if proxy == "unix" { Peer::Unix } else { Peer::Ip(network.parse().unwrap()) }
}
