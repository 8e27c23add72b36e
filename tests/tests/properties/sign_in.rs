//! Whoever signs in is whose the password is, and nobody else is given a session.

use std::cell::RefCell;
use std::collections::BTreeSet;

use authgate_core::{Decision, Denial, Reason, Timestamp};
use authgate_tests::case::{Answers, Person, run};
use authgate_tests::strategies::{Visit, cases, visits};
use proptest::prelude::*;
use proptest::test_runner::{TestCaseError, TestRunner};

#[test]
fn t32_a_session_is_given_to_whose_the_password_is_and_to_nobody_else() {
    let seen = RefCell::new(BTreeSet::new());
    let judged = TestRunner::new(cases(4000)).run(&visits(), |visit| {
        let Visit { config, request, answers } = &visit;
        let built = config.build(Timestamp::from_millis(answers.begin));
        let run = run(&built, request, answers);
        let Decision::Respond(reply) = &run.decision else { return Ok(()) };
        let event = reply.event();
        let given = reply.headers().iter().filter(|(name, _)| name == "set-cookie");
        let given: Vec<_> =
            given.map(|(_, value)| value.to_str().unwrap()).filter(|it| !is_taken(it)).collect();
        match event.reason {
            Reason::SignIn => {
                let whose = whose(answers);
                prop_assert!(whose.is_some(), "the password is nobody's");
                let whose = whose.unwrap_or_default();
                prop_assert_eq!(event.user, Some(&*whose.id));
                // Where a host keeps the sign-in, the session is its own.
                prop_assert_eq!(given.len(), usize::from(config.has_people()));
                for session in &run.kept {
                    prop_assert_eq!(&Person::from(session.user()), &whose);
                }
                let kind = match (config.has_people(), &run.kept[..]) {
                    (false, []) => "of the host's",
                    (true, []) => "sealed",
                    (true, [_]) => "a record",
                    _ => return Err(TestCaseError::fail(format!("{:?}", run.asked))),
                };
                seen.borrow_mut().insert(kind);
            }
            // Whoever is in may be refused what they ask for, and their session is renewed all the same.
            Reason::Denied(Denial::NotAllowed) => {}
            // And whoever a proxy is told to let in.
            Reason::SignedIn if event.about.is_some() => {}
            _ => prop_assert!(given.is_empty(), "{:?}: {given:?}", event.reason),
        }
        Ok(())
    });
    judged.unwrap_or_else(|error| panic!("{error}"));
    let seen = seen.into_inner();
    assert_eq!(seen.len(), 3, "{seen:?}");
}

/// Whose the password is that was typed.
fn whose(answers: &Answers) -> Option<Person> {
    let (person, _) = answers.password.answer.clone().ok()??;
    Some(person).filter(|person| !person.id.is_empty())
}

/// Whether a cookie is taken away; the one that says farewell proves nothing.
fn is_taken(cookie: &str) -> bool {
    let value = cookie.split(';').next().and_then(|pair| pair.split_once('=')).map(|(_, value)| value);
    value == Some("") && cookie.contains("Max-Age=0") || cookie.contains("-left=1;")
}
