//! t32: whatever cannot be asked, nobody enters because of it.

use std::time::Duration;

use authgate_core::{Decision, Kind, Sessions, Step, Unavailable};

use crate::answers::{HTML, TEXT, plain, visitors};
use crate::visitor::{Answer, FORM, Visitor, encode};
use crate::world::{BOTH, World, gate};

#[test]
fn t32_a_store_that_is_down_is_503_for_everybody() {
    for (sessions, all) in
        [(BOTH[0], &["load", "check", "draw", "create"][..]), (BOTH[1], &["check", "draw"])]
    {
        for &down in all {
            let world = World::new(gate(sessions()));
            for mut visitor in visitors(&world) {
                world.only_down(&[]);
                let answer = if down == "load" {
                    visitor.sign_in_quietly();
                    world.only_down(&[down]);
                    visitor.get("/ops/queues")
                } else {
                    world.only_down(&[down]);
                    visitor.try_to_sign_in("ada", "right")
                };
                plain(&answer);
                assert_eq!((answer.status, answer.reason), (503, "unavailable"));
                assert_eq!(answer.detail, format!("{down} is down"));
                assert!(!answer.body.contains(&answer.detail), "the page does not say why");
                if answer.kind == Kind::Page {
                    assert_eq!(answer.header("content-type"), HTML);
                    assert!(answer.body.contains("could not be checked"));
                    assert_eq!(answer.form.is_some(), down != "load");
                } else {
                    assert_eq!(
                        (answer.header("content-type"), &*answer.body),
                        (TEXT, "Temporarily unavailable")
                    );
                }
            }
        }
    }
}

impl Visitor {
    /// Signs in as a page, whatever the visitor is otherwise.
    fn sign_in_quietly(&mut self) {
        let mut page = self.world.visitor();
        page.sign_in("ada", "right");
        self.cookie = page.cookie;
    }
}

#[test]
fn t30_a_user_without_an_id_does_not_enter() {
    for sessions in BOTH {
        let mut ada = Visitor::new(sessions());
        ada.world.change("ada", |ada| ada.id = "");
        let answer = ada.try_to_sign_in("ada", "right");
        plain(&answer);
        assert_eq!((answer.status, answer.reason), (503, "unavailable"));
        assert_eq!(answer.detail, "the user whose password it is has no id");
        assert_eq!(ada.who(), None);
    }
}

/// Drives a request and answers its question number `at` with "could not ask".
fn fails_at(visitor: &mut Visitor, at: usize, mut step: Step, body: &[u8]) -> (Answer, Vec<String>) {
    visitor.world.questions();
    for _ in 0..at {
        step = visitor.world.advance(step, body);
    }
    assert!(!matches!(step, Step::Done(_)), "there is a question number {at}: {step:?}");
    let step = step.unavailable(Unavailable::new("no answer"), visitor.clock.now());
    let Step::Done(decision) = step else { panic!("nothing more is asked: {step:?}") };
    assert!(matches!(decision, Decision::Respond(_)));
    let before = visitor.world.questions();
    (visitor.receive(decision), before)
}

#[test]
fn t32_any_question_of_a_sign_in_that_stays_unanswered_lets_nobody_in() {
    let all = ["ReadBody", "CheckPassword", "DrawBytes", "LoadSession", "DropSession", "CreateSession"];
    for (sessions, questions) in [(BOTH[0], &all[..]), (BOTH[1], &all[..3])] {
        let mut ada = Visitor::new(sessions());
        ada.sign_in("bob", "b0bs");
        ada.world.questions();
        ada.sign_in("ada", "right");
        assert_eq!(ada.world.questions(), questions);
        for at in 0..questions.len() {
            let mut ada = Visitor::new(sessions());
            ada.sign_in("bob", "b0bs");
            let body = encode(&[("username", "ada"), ("password", "right")]);
            let step = ada.begin("POST", "/ops/login", &FORM);
            let (answer, before) = fails_at(&mut ada, at, step, body.as_bytes());
            // The body is the client's to send, and everything else the driver's to know.
            assert_eq!(answer.status, if at == 0 { 400 } else { 503 }, "{before:?}");
            plain(&answer);
            assert_ne!(ada.who().as_deref(), Some("ada"), "{before:?}");
        }
    }
}

#[test]
fn t32_any_question_of_an_admission_that_stays_unanswered_lets_nobody_in() {
    for (sessions, questions) in [(BOTH[0], 3), (BOTH[1], 2)] {
        for (disabled, questions) in [(false, questions), (true, if questions == 3 { 3 } else { 1 })] {
            for at in 0..questions {
                let mut ada = Visitor::new(sessions());
                ada.sign_in("ada", "right");
                if disabled {
                    ada.world.users.lock().unwrap().remove("ada");
                }
                ada.clock.pass(Duration::from_mins(2));
                let step = ada.begin("GET", "/ops/queues", &[]);
                let (answer, before) = fails_at(&mut ada, at, step, b"");
                assert_eq!((answer.status, answer.detail.as_str()), (503, "no answer"), "{before:?}");
                plain(&answer);
                assert_eq!(ada.who().is_some(), !disabled, "{before:?}");
            }
        }
    }
    for at in 0..2 {
        let mut ada = Visitor::new(Sessions::records());
        ada.sign_in("ada", "right");
        let step = ada.begin("POST", "/ops/logout", &FORM);
        let (answer, _) = fails_at(&mut ada, at, step, b"");
        assert_eq!(answer.status, 503);
        plain(&answer);
    }
}
