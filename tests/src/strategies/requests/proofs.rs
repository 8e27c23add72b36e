use authgate_core::Scheme;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::tokens::{TokenPlan, tokens};
use crate::case::{Backend, Config, Request, Sealed, secret};
use crate::forge;
use crate::strategies::one_of;
use crate::strategies::sessions::{KeptPlan, kept};

/// Something that may prove who sends a request, and is still to be written for a gate.
#[derive(Debug, Clone)]
pub(super) enum ProofPlan {
    /// For one of the gate's backends: a token, a session, or a badge.
    Fitting(Index, TokenPlan, KeptPlan, String),
    /// A token, and what stands before it; `{scheme}` is the gate's.
    Token(TokenPlan, &'static str),
    Session(KeptPlan, Seal),
    Badge(u8, String),
    Field(String, String),
}

/// How a session is sealed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Seal {
    Well,
    WithAnotherKey,
    ForAnotherRealm,
    Cut,
}

/// Any proof.
pub(super) fn proof() -> BoxedStrategy<ProofPlan> {
    let before =
        ["{scheme} ", "{scheme} ", "{scheme} ", "bEARER ", "{scheme}  ", "Token ", "{scheme}\t", "Bearer"];
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
    let authorizations = one_of(&["Bearer x.y.z", "Bearer ", "Basic YTpi", "Bearer é"]);
    let cookies = ["authgate=", "authgate=x; authgate=y", "__Host-authgate=x", "a=1; b=2", ";;=", "authgate"];
    prop_oneof![
        14 => fitting(badges.clone()),
        3 => (tokens(), select(before.to_vec())).prop_map(|(token, before)| ProofPlan::Token(token, before)),
        3 => (kept(), seal).prop_map(|(kept, seal)| ProofPlan::Session(kept, seal)),
        2 => (1..3_u8, badges).prop_map(|(number, badge)| ProofPlan::Badge(number, badge)),
        1 => authorizations.prop_map(|value| ProofPlan::Field("authorization".to_owned(), value)),
        1 => one_of(&cookies).prop_map(|value| ProofPlan::Field("cookie".to_owned(), value)),
    ]
    .boxed()
}

/// A proof for one of the gate's backends, and the right field for it; badges are some of these.
pub(super) fn fitting(badges: BoxedStrategy<String>) -> BoxedStrategy<ProofPlan> {
    (any::<Index>(), tokens(), kept(), badges)
        .prop_map(|(which, token, kept, badge)| ProofPlan::Fitting(which, token, kept, badge))
        .boxed()
}

impl ProofPlan {
    pub(super) fn write(self, request: Request, config: &Config) -> Request {
        match self {
            Self::Fitting(which, token, kept, badge) => {
                let fitting = match &config.backends[which.index(config.backends.len())] {
                    Backend::People => Self::Session(kept, Seal::Well),
                    Backend::Tokens(_) => Self::Token(token, "{scheme} "),
                    Backend::Directory(directory) => Self::Badge(directory.number, badge),
                };
                fitting.write(request, config)
            }
            Self::Token(token, before) => {
                let (header, scheme) =
                    config.trust().map_or(("authorization", "Bearer"), |trust| (trust.header, trust.scheme));
                let before = before.replace("{scheme}", scheme);
                request.with(header, format!("{before}{}", token.write(config.trust())))
            }
            Self::Session(plan, seal) => write_session(plan, seal, request, config),
            Self::Badge(number, badge) => request.with(&format!("x-badge-{number}"), badge),
            Self::Field(name, value) => request.with(&name, value),
        }
    }
}

fn write_session(plan: KeptPlan, seal: Seal, request: Request, config: &Config) -> Request {
    // As it is without proxies; where one says otherwise, the cookie has the wrong name.
    let name = config.cookie(request.scheme == Scheme::Https);
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
        Seal::WithAnotherKey | Seal::ForAnotherRealm => request.with("cookie", format!("{name}={value}")),
    }
}
