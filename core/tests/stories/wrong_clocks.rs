//! Clocks that jump, settings that shrink, and stores that answer wrongly let nobody in.

use std::time::Duration;

use authgate_core::{Gate, PasswordBackend, Session, Sessions, Step};

use crate::visitor::{Answer, Visitor};
use crate::world::{BOTH, gate, sealed};

const HOUR: Duration = Duration::from_hours(1);

#[test]
fn t24_a_session_lives_no_longer_than_todays_settings_allow() {
    let mut ada = Visitor::new(sealed().lifetime(7 * 24 * HOUR).idle(24 * HOUR));
    ada.sign_in("ada", "right");
    let mut shorter = ada.world.behind(gate(sealed().lifetime(4 * HOUR).idle(HOUR))).visitor();
    shorter.cookie.clone_from(&ada.cookie);
    assert_eq!(shorter.who().as_deref(), Some("ada"));
    ada.clock.pass(HOUR);
    shorter.cookie.clone_from(&ada.cookie);
    assert_eq!(shorter.get("/ops/queues").reason, "session-idle");
    for _ in 0..3 {
        ada.clock.pass(Duration::from_mins(59));
        assert_eq!(ada.who().as_deref(), Some("ada"));
    }
    ada.clock.pass(Duration::from_mins(3));
    shorter.cookie.clone_from(&ada.cookie);
    assert_eq!(shorter.get("/ops/queues").reason, "session-ended");
}

#[test]
fn t23_a_clock_that_ran_ahead_and_was_set_right_revives_nobody() {
    for sessions in BOTH {
        let mut ada = Visitor::new(sessions());
        ada.sign_in("ada", "right");
        let old = ada.twin();
        ada.post("/ops/logout", &[]);
        ada.clock.pass(13 * HOUR);
        let mut bob = ada.world.visitor();
        bob.sign_in("bob", "b0bs");
        bob.post("/ops/logout", &[]);
        ada.clock.set_back(13 * HOUR);
        assert_eq!(old.twin().get("/ops/queues").status, 303);
        bob.sign_in("bob", "b0bs");
        assert_eq!(bob.who().as_deref(), Some("bob"), "and new sessions hold");
    }
}

#[test]
fn t23_a_clock_that_was_set_back_keeps_no_disabled_user_in() {
    for sessions in BOTH {
        let mut ada = Visitor::new(sessions());
        ada.sign_in("ada", "right");
        ada.clock.set_back(HOUR);
        let twin = ada.twin();
        ada.world.users.lock().unwrap().remove("ada");
        assert_eq!(ada.get("/ops/queues").reason, "session-user-changed", "the past is looked at at once");
        assert_eq!(twin.twin().get("/ops/queues").status, 303);
    }
    for sessions in BOTH {
        let mut ada = Visitor::new(sessions());
        ada.sign_in("ada", "right");
        ada.clock.set_back(HOUR);
        ada.world.gate.sign_out_everywhere("ada", ada.clock.now());
        assert_eq!(ada.get("/ops/queues").reason, "session-signed-out");
    }
}

/// What comes of a page if the store gives `answer` for the session that it is asked for.
fn told(ada: &mut Visitor, answer: impl FnOnce(Session) -> Session) -> Answer {
    let Step::LoadSession(id, then) = ada.begin("GET", "/ops/queues", &[]) else { panic!("a record") };
    let now = ada.clock.now();
    let kept = ada.world.store.lock().unwrap().load(&id, now).unwrap();
    let decision = ada.world.drive(then.resume(Ok(Some(answer(kept))), now), b"");
    ada.receive(decision)
}

#[test]
fn t32_a_store_that_mixes_its_answers_up_lets_nobody_in_as_somebody_else() {
    let mut ada = Visitor::new(Sessions::records());
    ada.sign_in("ada", "right");
    let mut bob = ada.world.visitor();
    bob.sign_in("bob", "b0bs");
    let mut bobs = None;
    assert_eq!(told(&mut bob, |session| bobs.insert(session).clone()).user.as_deref(), Some("bob"));
    let mixed = told(&mut ada, |_| bobs.unwrap());
    assert_eq!((mixed.status, mixed.reason), (503, "unavailable"));
    assert!(mixed.detail.contains("another session") && !mixed.removes_cookie());
    assert_eq!(ada.who().as_deref(), Some("ada"));
}

#[test]
fn t24_a_session_from_a_far_future_is_none() {
    let mut ada = Visitor::new(Sessions::records());
    ada.sign_in("ada", "right");
    let answer = told(&mut ada, |session| {
        let mut json = serde_json::to_value(session).unwrap();
        for field in ["issued", "renewed", "until", "ends"] {
            json[field] = i64::MAX.into();
        }
        serde_json::from_value(json).unwrap()
    });
    assert_eq!((answer.status, answer.reason), (303, "session-cookie"));
}

#[test]
fn one_realms_session_is_no_others() {
    let mut ada = Visitor::new(sealed());
    ada.sign_in("ada", "right");
    let other = Gate::builder(PasswordBackend::new()).mount("/ops").sessions(sealed()).realm("another");
    let mut there = ada.world.behind(other).visitor();
    there.cookie.clone_from(&ada.cookie);
    assert_eq!(there.get("/ops/queues").reason, "session-cookie");
    let same = Gate::builder(PasswordBackend::new()).mount("/elsewhere").sessions(sealed());
    let mut here = ada.world.behind(same).visitor();
    here.cookie = ada.cookie;
    assert_eq!(here.get("/elsewhere/queues").status, 200, "one sign-in for one realm");
}
