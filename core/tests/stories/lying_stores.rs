//! A store that answers what it was not asked, or without end.

use std::time::Duration;

use authgate_core::{EndingsNews, Sessions, Sharing, Step};

use crate::visitor::{FORM, Visitor};
use crate::world::{BOTH, World, gate};

#[test]
fn t32_a_store_that_has_no_end_of_endings_to_tell_is_503_after_two_hundred_answers() {
    for sessions in BOTH {
        let world = World::new(gate(sessions()).sharing(Sharing::default()));
        let mut ada = world.visitor();
        ada.sign_in("ada", "right");
        world.clock.pass(Duration::from_mins(1));
        let (mut step, mut answers) = (ada.begin("GET", "/ops/queues", &[]), 0);
        let decision = loop {
            step = match step {
                Step::Done(decision) => break decision,
                Step::HearEndings(since, then) => {
                    answers += 1;
                    let news = EndingsNews { more: true, ..world.shared.endings(&since) };
                    then.resume(Ok(news), world.clock.now())
                }
                other => panic!("nothing is asked before all is heard: {other:?}"),
            };
        };
        assert_eq!((answers, ada.receive(decision).status), (200, 503));
        assert_eq!(ada.who().as_deref(), Some("ada"), "nobody was thrown out");
    }
}

#[test]
fn t23_whoever_signs_out_ends_no_session_of_another_that_the_store_tells_by_mistake() {
    let mut ada = Visitor::new(Sessions::records());
    ada.sign_in("ada", "right");
    let mut bob = ada.twin();
    bob.cookie = None;
    bob.sign_in("bob", "b0bs");
    let Step::LoadSession(id, then) = bob.begin("GET", "/ops/queues", &[]) else {
        panic!("a record is loaded")
    };
    let bobs = bob.world.store.lock().unwrap().load(&id, bob.clock.now());
    drop(then);
    let Step::LoadSession(_, then) = ada.begin("POST", "/ops/logout", &FORM) else {
        panic!("a record is loaded")
    };
    let decision = ada.world.drive(then.resume(Ok(bobs), ada.clock.now()), b"");
    let answer = ada.receive(decision);
    assert_eq!((answer.status, answer.reason, answer.user), (303, "logout", None));
    assert_eq!(bob.who().as_deref(), Some("bob"));
    assert_eq!(ada.who(), None);
}
