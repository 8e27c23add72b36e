//! Who is let in is who should be, by the model.

use std::cell::RefCell;
use std::collections::BTreeMap;

use authgate_core::{Decision, Reply, Timestamp};
use authgate_tests::case::{Config, Person, Request, run};
use authgate_tests::model::{Entry, is_identity, who_enters};
use authgate_tests::strategies::{
    Visit, cases, visits, visits_by_proxies, visits_with_rights, visits_with_sessions, visits_with_tokens,
};
use http::{HeaderName, StatusCode};
use proptest::prelude::*;
use proptest::test_runner::{TestCaseError, TestRunner};

/// Reasons and questions that must be among what is drawn, or the property says little: all ways in, and most ways out.
const SEEN: [&str; 39] = [
    "signed-in",
    "public",
    "network",
    "login",
    "logout",
    "sign-in",
    "sign-out",
    "not-signed-in",
    "not-allowed",
    "cross-site",
    "bad-request",
    "outside-mount",
    "foreign-network",
    "plain-http",
    "unavailable",
    "bad-proof",
    "bad-form",
    "wrong-password",
    "session-cookie",
    "session-unknown",
    "session-ended",
    "session-idle",
    "session-signed-out",
    "session-user-changed",
    "token-expired",
    "token-not-yet-valid",
    "token-signature",
    "ReadBody",
    "AskBackend",
    "FetchKeys",
    "CheckPassword",
    "LookUpUser",
    "DrawBytes",
    "LoadSession",
    "CreateSession",
    "DropSession",
    "HearEndings",
    "LoadCounts",
    "SwapCounts",
];

/// Whom the gate has let in, or has told a proxy to let in.
fn entered(decision: &Decision) -> Entry {
    match decision {
        Decision::Forward(admission) => {
            admission.user.as_deref().map_or(Entry::Anybody, |user| Entry::Somebody(Person::from(user)))
        }
        Decision::Respond(reply) if is_told_to_let_in(reply) => {
            let values = |name: &str| {
                let fields = reply.headers().iter().filter(|(field, _)| field == name);
                let values = fields.flat_map(|(_, value)| value.to_str().unwrap().split(','));
                values.map(str::to_owned).collect::<Vec<_>>()
            };
            let roles = values("x-auth-roles");
            let somebody = |id| Entry::Somebody(Person { id, is_admin: false, roles });
            values("x-auth-user").pop().map_or(Entry::Anybody, somebody)
        }
        Decision::Respond(_) | Decision::Delegate(_) => Entry::Nobody,
    }
}

fn is_told_to_let_in(reply: &Reply) -> bool {
    reply.event().about.is_some() && reply.status() == StatusCode::NO_CONTENT
}

/// Whom it should let in; a proxy is not told who is an administrator.
fn should_enter(visit: &Visit, decision: &Decision) -> Entry {
    match (who_enters(&visit.config, &visit.request, &visit.answers), decision) {
        (Entry::Somebody(person), Decision::Respond(_)) => {
            Entry::Somebody(Person { is_admin: false, ..person })
        }
        (entry, _) => entry,
    }
}

/// The fields that the dashboard never sees are those that it could read an identity from.
fn strips(decision: &Decision, config: &Config, request: &Request) -> Result<(), TestCaseError> {
    let Decision::Forward(admission) = decision else { return Ok(()) };
    for (name, _) in &request.fields {
        let is_stripped = admission.strips_bytes(name.as_bytes());
        prop_assert_eq!(is_stripped, is_identity(config, name), "{}", name);
        if let Ok(name) = name.parse::<HeaderName>() {
            prop_assert_eq!(admission.strips(&name), is_stripped);
        }
    }
    Ok(())
}

fn judge(visits: &BoxedStrategy<Visit>, usual: u32, must_be_seen: &[&str]) {
    let seen = RefCell::new(BTreeMap::<&str, usize>::new());
    let judged = TestRunner::new(cases(usual)).run(visits, |visit| {
        let Visit { config, request, answers } = &visit;
        let built = config.build(Timestamp::from_millis(answers.begin));
        let run = run(&built, request, answers);
        let should = should_enter(&visit, &run.decision);
        prop_assert_eq!(entered(&run.decision), should, "asked {:?}", run.asked);
        strips(&run.decision, config, request)?;
        let reason = run.decision.event().reason.slug();
        for name in run.asked.into_iter().chain([reason]) {
            *seen.borrow_mut().entry(name).or_default() += 1;
        }
        Ok(())
    });
    judged.unwrap_or_else(|error| panic!("{error}"));
    let seen = seen.into_inner();
    let unseen: Vec<_> = must_be_seen.iter().filter(|name| !seen.contains_key(*name)).collect();
    assert!(unseen.is_empty(), "never drawn: {unseen:?}; drawn: {seen:?}");
}

#[test]
fn t32_whoever_should_be_let_in_is_and_nobody_else() {
    judge(&visits(), 2500, &SEEN);
}

/// The same where little else stands in the way: sessions have most to be said about them.
#[test]
fn t24_whoever_has_a_session_that_holds_is_let_in_and_nobody_else() {
    let seen = [
        "signed-in",
        "session-ended",
        "session-idle",
        "session-signed-out",
        "session-user-changed",
        "session-unknown",
        "RenewSession",
    ];
    judge(&visits_with_sessions(), 2000, &seen);
}

/// And where all depends on what somebody may do.
#[test]
fn t31_whoever_has_the_right_is_let_in_and_nobody_else() {
    judge(
        &visits_with_rights(),
        1500,
        &["signed-in", "not-allowed", "network", "not-signed-in", "AskBackend", "FetchKeys"],
    );
}

/// And where a token is all that there is.
#[test]
fn t38_whoever_has_a_token_that_holds_is_let_in_and_nobody_else() {
    let seen = [
        "signed-in",
        "not-signed-in",
        "token-signature",
        "token-unknown-key",
        "token-algorithm",
        "token-audience",
        "token-issuer",
        "token-claim",
        "token-claim-missing",
        "token-expired",
        "token-not-yet-valid",
        "token-no-user",
        "unavailable",
        "FetchKeys",
    ];
    judge(&visits_with_tokens(), 3000, &seen);
}

/// And where proxies ask.
#[test]
fn t32_whoever_a_proxy_may_let_in_is_let_in_and_nobody_else() {
    let seen = [
        "signed-in",
        "public",
        "network",
        "not-signed-in",
        "not-allowed",
        "cross-site",
        "bad-request",
        "outside-mount",
        "untrusted-proxy",
        "sign-in",
    ];
    judge(&visits_by_proxies(), 2500, &seen);
}
