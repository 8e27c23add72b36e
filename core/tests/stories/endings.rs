//! All sessions of a user end at once: those that are being made as well, and what is left of them in the store.

use std::time::Duration;

use authgate_core::Step;

use crate::visitor::{FORM, Visitor, encode};
use crate::world::BOTH;

#[test]
fn t23_a_sign_in_that_was_under_way_is_overtaken() {
    for sessions in BOTH {
        for last in ["CheckPassword", "DrawBytes"] {
            let mut ada = Visitor::new(sessions());
            let body = encode(&[("username", "ada"), ("password", "right")]);
            let mut step = ada.begin("POST", "/ops/login", &FORM);
            while !format!("{step:?}").starts_with(last) {
                assert!(!matches!(step, Step::Done(_)), "{last} was to be asked");
                step = ada.world.advance(step, body.as_bytes());
            }
            ada.clock.pass(Duration::from_secs(1));
            ada.world.gate.sign_out_everywhere("ada", ada.clock.now());
            ada.clock.pass(Duration::from_secs(1));
            let answer = ada.receive(ada.world.drive(step, body.as_bytes()));
            assert_eq!((answer.status, answer.reason, answer.header("set-cookie")), (503, "unavailable", ""));
            ada.sign_in("ada", "right");
            assert_eq!(ada.who().as_deref(), Some("ada"));
        }
    }
}

#[test]
fn t23_a_sign_in_of_somebody_else_goes_on() {
    for sessions in BOTH {
        let mut bob = Visitor::new(sessions());
        let body = encode(&[("username", "bob"), ("password", "b0bs")]);
        let step = bob.begin("POST", "/ops/login", &FORM);
        let step = bob.world.advance(step, body.as_bytes());
        bob.world.gate.sign_out_everywhere("ada", bob.clock.now());
        let answer = bob.receive(bob.world.drive(step, body.as_bytes()));
        assert_eq!((answer.status, answer.reason), (303, "sign-in"));
    }
}

#[test]
fn t23_a_record_that_was_ended_leaves_the_store_when_it_is_shown() {
    let mut ada = Visitor::new(authgate_core::Sessions::records());
    ada.sign_in("ada", "right");
    let old = ada.twin();
    ada.world.gate.sign_out_everywhere("ada", ada.clock.now());
    let answer = ada.get("/ops/queues");
    assert_eq!(
        (answer.status, answer.reason, answer.user.as_deref()),
        (303, "session-signed-out", Some("ada"))
    );
    assert!(answer.removes_cookie());
    assert!(ada.world.store.lock().unwrap().is_empty(), "another process could let it in");
    assert_eq!(old.twin().get("/ops/queues").reason, "session-unknown");
}

#[test]
fn t33_the_log_knows_whose_session_it_was() {
    for sessions in BOTH {
        let mut ada = Visitor::new(sessions());
        ada.sign_in("ada", "right");
        ada.clock.pass(Duration::from_mins(2));
        ada.world.only_down(&["look_up"]);
        let answer = ada.get("/ops/queues");
        assert_eq!((answer.status, answer.user.as_deref()), (503, Some("ada")));
        ada.world.only_down(&[]);
        let old = ada.twin();
        ada.post("/ops/logout", &[]);
        let again = old.twin().post("/ops/logout", &[]);
        assert_eq!(
            (again.status, again.reason, again.user),
            (303, "logout", None),
            "nobody signed out twice"
        );
    }
    let mut ada = Visitor::new(crate::world::sealed());
    ada.sign_in("ada", "right");
    ada.clock.pass(Duration::from_hours(1));
    let answer = ada.get("/ops/queues");
    assert_eq!((answer.reason, answer.user.as_deref()), ("session-idle", Some("ada")));
}
