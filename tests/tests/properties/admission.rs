//! Who is let in is who should be, by the model.

use std::cell::RefCell;
use std::collections::BTreeMap;

use authgate_core::{Decision, Timestamp};
use authgate_tests::case::{Person, run};
use authgate_tests::model::{Entry, who_enters};
use authgate_tests::strategies::{Visit, cases, visits, visits_with_rights, visits_with_sessions};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

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

/// Whom the gate has let in.
fn entered(decision: &Decision) -> Entry {
    match decision {
        Decision::Forward(admission) => {
            admission.user.as_ref().map_or(Entry::Anybody, |user| Entry::Somebody(Person::from(user)))
        }
        Decision::Respond(_) | Decision::Delegate(_) => Entry::Nobody,
    }
}

fn judge(visits: &BoxedStrategy<Visit>, usual: u32, must_be_seen: &[&str]) {
    let seen = RefCell::new(BTreeMap::<&str, usize>::new());
    let judged = TestRunner::new(cases(usual)).run(visits, |visit| {
        let Visit { config, request, answers } = &visit;
        let built = config.build(Timestamp::from_millis(answers.begin));
        let run = run(&built, request, answers);
        prop_assert_eq!(
            entered(&run.decision),
            who_enters(config, request, answers),
            "asked {:?}",
            run.asked
        );
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
