//! t13: a stream outlives the moment at which it was let through, and must not outlive the reason.

use std::time::Duration;

use authgate_core::{Lease, Sharing};

use crate::visitor::Visitor;
use crate::world::{BOTH, Tokens, World, gate, sealed};

fn open(visitor: &mut Visitor) -> Lease {
    visitor.get("/ops/events").lease.unwrap()
}

#[test]
fn t13_a_stream_ends_when_its_session_is_unused_for_too_long() {
    for sessions in BOTH {
        let mut ada = Visitor::new(sessions());
        ada.sign_in("ada", "right");
        let (lease, end) = (open(&mut ada), ada.clock.now().after(Duration::from_mins(30)));
        assert_eq!((lease.until(), lease.is_revocable()), (Some(end), true));
        assert!(lease.holds(end.before(Duration::from_millis(1))));
        assert!(!lease.holds(end) && !lease.holds(end.after(Duration::from_hours(1))));
    }
}

#[test]
fn t13_a_stream_ends_at_once_when_its_user_signs_out_in_another_tab() {
    for sessions in BOTH {
        let world = World::new(gate(sessions()));
        let (mut ada, mut bob) = (world.visitor(), world.visitor());
        ada.sign_in("ada", "right");
        bob.sign_in("bob", "b0bs");
        let (stream, others) = (open(&mut ada), open(&mut bob));
        let now = world.clock.now();
        assert!(stream.holds(now));
        assert_eq!(ada.twin().post("/ops/logout", &[]).reason, "sign-out");
        assert!(!stream.holds(now) && others.holds(now));
    }
}

#[test]
fn t13_a_stream_ends_at_once_when_its_user_is_signed_out_everywhere() {
    for sessions in BOTH {
        let world = World::new(gate(sessions()));
        let (mut ada, mut bob) = (world.visitor(), world.visitor());
        ada.sign_in("ada", "right");
        bob.sign_in("bob", "b0bs");
        let (stream, others) = (open(&mut ada), open(&mut bob));
        let now = world.clock.now();
        world.gate.sign_out_everywhere("ada", now);
        assert!(!stream.holds(now) && others.holds(now));
        ada.sign_in("ada", "right");
        assert!(open(&mut ada).holds(now) && !stream.holds(now), "the old stream stays ended");
    }
}

#[test]
fn t13_a_stream_ends_when_somebody_else_signs_in_with_the_same_browser() {
    for sessions in BOTH {
        let mut browser = Visitor::new(sessions());
        browser.sign_in("ada", "right");
        let stream = open(&mut browser);
        assert!(stream.holds(browser.clock.now()));
        browser.sign_in("bob", "b0bs");
        assert!(!stream.holds(browser.clock.now()), "Ada's session is gone (t25)");
        assert!(open(&mut browser).holds(browser.clock.now()));
    }
}

#[test]
fn t13_a_stream_ends_once_it_is_found_that_its_user_has_changed() {
    for sessions in BOTH {
        let mut ada = Visitor::new(sessions());
        ada.sign_in("ada", "right");
        let stream = open(&mut ada);
        ada.world.users.lock().unwrap().remove("ada");
        ada.clock.pass(Duration::from_mins(1));
        assert!(stream.holds(ada.clock.now()), "nobody has looked yet");
        assert_eq!(ada.get("/ops/queues").reason, "session-user-changed");
        assert!(!stream.holds(ada.clock.now()));
    }
}

#[test]
fn what_no_session_let_through_cannot_be_revoked() {
    let mut robot = World::new(gate(sealed()).backend(Tokens)).visitor();
    let forever = robot.clock.now().after(Duration::from_hours(24 * 366));
    let public = robot.get("/ops/static/a.css").lease.unwrap();
    let mut robot = robot.with(("authorization", "Bearer good"));
    let token = open(&mut robot);
    for lease in [public, token] {
        assert_eq!((lease.until(), lease.is_revocable(), lease.holds(forever)), (None, false, true));
    }
}

#[test]
fn only_where_gates_share_a_store_must_a_stream_ask_what_has_ended_elsewhere() {
    for sessions in BOTH {
        for shared in [false, true] {
            let gate = gate(sessions());
            let world = World::new(if shared { gate.sharing(Sharing::default()) } else { gate });
            let mut ada = world.visitor();
            ada.sign_in("ada", "right");
            let lease = open(&mut ada);
            assert_eq!(lease.is_shared(), shared);
            let later = world.clock.now().after(Duration::from_mins(1));
            assert_eq!(lease.asks(later).is_some(), shared);
            assert!(format!("{lease:?}").starts_with("Lease { until: Some("), "{lease:?}");
        }
    }
}
