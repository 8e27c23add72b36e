//! A session begins at a sign-in and at nothing else, and what was there before is gone (t25).

use std::time::Duration;

use authgate_core::{Sessions, Step};

use crate::visitor::Visitor;
use crate::world::{BOTH, World, gate, sealed};

/// Whom this cookie lets in, whoever brings it.
fn whose(world: &World, cookie: Option<&String>) -> Option<String> {
    let mut somebody = world.visitor().at([198, 51, 100, 7]);
    somebody.cookie = cookie.cloned();
    somebody.who()
}

#[test]
fn t25_every_sign_in_makes_a_new_session_and_ends_the_old_one() {
    for sessions in BOTH {
        let world = World::new(gate(sessions()));
        let mut browser = world.visitor();
        let mut old = Vec::new();
        for (username, password) in [("ada", "right"), ("ada", "right"), ("bob", "b0bs"), ("ada", "right")] {
            browser.sign_in(username, password);
            assert_eq!(whose(&world, browser.cookie.as_ref()).as_deref(), Some(username));
            assert!(!old.contains(&browser.cookie), "never the same again");
            for cookie in &old {
                assert_eq!(whose(&world, cookie.as_ref()), None);
            }
            old.push(browser.cookie.clone());
        }
    }
    let mut ada = Visitor::new(Sessions::records());
    ada.sign_in("ada", "right");
    ada.sign_in("ada", "right");
    assert_eq!(ada.world.store.lock().unwrap().len(), 1, "the old record is dropped");
}

#[test]
fn t25_a_cookie_that_somebody_planted_is_not_adopted() {
    for sessions in BOTH {
        let world = World::new(gate(sessions()));
        let mut eve = world.visitor().at([198, 51, 100, 7]);
        eve.sign_in("bob", "b0bs");
        let unknown = format!("authgate={}", "A".repeat(43));
        for planted in [eve.cookie.clone(), Some(unknown), Some("authgate=x".to_owned())] {
            let mut ada = world.visitor();
            ada.cookie.clone_from(&planted);
            ada.sign_in("ada", "right");
            assert_ne!(ada.cookie, planted);
            assert_eq!(ada.who().as_deref(), Some("ada"));
            assert_eq!(whose(&world, planted.as_ref()), None);
        }
    }
}

#[test]
fn t25_a_sign_in_that_fails_leaves_the_old_session_alone() {
    for sessions in BOTH {
        let mut ada = Visitor::new(sessions());
        ada.sign_in("ada", "right");
        for (down, password, status) in [("", "wrong", 401), ("check", "b0bs", 503), ("draw", "b0bs", 503)] {
            ada.world.only_down(&[down]);
            let answer = ada.try_to_sign_in("bob", password);
            assert_eq!((answer.status, answer.header("set-cookie")), (status, ""));
            ada.world.only_down(&[]);
            assert_eq!(ada.who().as_deref(), Some("ada"));
        }
    }
}

#[test]
fn t25_an_id_that_exists_is_nobody_elses() {
    let world = World::new(gate(Sessions::records()));
    let (mut ada, mut bob) = (world.visitor(), world.visitor());
    bob.sign_in("bob", "b0bs");
    *world.drawn.lock().unwrap() -= 1;
    let answer = ada.try_to_sign_in("ada", "right");
    assert_eq!((answer.status, answer.reason), (503, "unavailable"));
    assert_eq!(answer.detail, "the store has a session of this id already");
    assert_eq!((answer.header("set-cookie"), ada.who()), ("", None));
    assert_eq!(bob.who().as_deref(), Some("bob"), "his session is as it was");
    ada.sign_in("ada", "right");
    assert_eq!((ada.who().as_deref(), bob.who().as_deref()), (Some("ada"), Some("bob")));
}

/// A request that is due for renewal, held at the last question before it is renewed.
fn held(ada: &mut Visitor, last: &str) -> Step {
    ada.sign_in("ada", "right");
    ada.clock.pass(Duration::from_mins(1));
    let mut step = ada.begin("GET", "/ops/queues", &[]);
    while !format!("{step:?}").starts_with(last) {
        assert!(!matches!(step, Step::Done(_)), "{step:?}");
        step = ada.world.advance(step, b"");
    }
    step
}

#[test]
fn t23_a_sign_out_during_a_renewal_is_not_undone() {
    for (sessions, last, reason) in [
        (Sessions::records(), "RenewSession", "session-unknown"),
        (sealed(), "DrawBytes", "session-signed-out"),
    ] {
        let mut ada = Visitor::new(sessions);
        let step = held(&mut ada, last);
        let mut tab = ada.twin();
        assert_eq!(tab.post("/ops/logout", &[]).reason, "sign-out");

        let answer = ada.receive(ada.world.drive(step, b""));
        assert_eq!((answer.status, answer.reason), (303, reason));
        assert!(answer.removes_cookie(), "nothing that outlives the sign-out");
        assert!(ada.world.store.lock().unwrap().is_empty());
    }
}

#[test]
fn t23_who_is_signed_out_everywhere_during_a_renewal_is_out() {
    for (sessions, last) in [(Sessions::records(), "RenewSession"), (sealed(), "DrawBytes")] {
        let mut ada = Visitor::new(sessions);
        let step = held(&mut ada, last);
        ada.world.gate.sign_out_everywhere("ada", ada.clock.now());
        let answer = ada.receive(ada.world.drive(step, b""));
        assert_eq!((answer.status, answer.reason), (303, "session-signed-out"));
        assert!(answer.removes_cookie());
    }
}

#[test]
fn t24_a_session_that_ends_while_others_are_asked_is_not_renewed() {
    for (sessions, last) in [(Sessions::records(), "RenewSession"), (sealed(), "DrawBytes")] {
        let mut ada = Visitor::new(sessions.idle(Duration::from_mins(2)).lifetime(Duration::from_mins(3)));
        let step = held(&mut ada, last);
        ada.clock.pass(Duration::from_mins(2));
        let answer = ada.receive(ada.world.drive(step, b""));
        assert_eq!((answer.status, ada.cookie.as_ref()), (303, None), "{answer:?}");
    }
}
