//! What becomes of a user counts for their sessions, too: from the next renewal on.

use std::time::Duration;

use authgate_core::{Access, Sessions};

use crate::visitor::Visitor;
use crate::world::{BOTH, World, gate};

const MINUTE: Duration = Duration::from_mins(1);

fn signed_in(sessions: Sessions) -> Visitor {
    let mut ada = Visitor::new(sessions);
    ada.sign_in("ada", "right");
    ada
}

fn change_password(world: &World) {
    world.change("ada", |ada| ada.password = "n3w");
}

fn disable(world: &World) {
    world.users.lock().unwrap().remove("ada");
}

fn swap(world: &World) {
    world.change("ada", |ada| ada.id = "eve");
}

/// Another password, no such user any more, and a store that answers with somebody else.
#[test]
fn a_session_ends_when_its_user_is_not_the_same_any_more() {
    for sessions in BOTH {
        for change in [change_password, disable, swap] {
            let mut ada = signed_in(sessions());
            let mut bob = ada.world.visitor();
            bob.sign_in("bob", "b0bs");
            let old = ada.twin();
            change(&ada.world);
            ada.clock.pass(Duration::from_secs(59));
            assert_eq!(ada.who().as_deref(), Some("ada"), "nobody has looked yet");
            ada.clock.pass(Duration::from_secs(1));
            let answer = ada.get("/ops/queues");
            assert_eq!((answer.status, answer.reason), (303, "session-user-changed"));
            assert!(answer.removes_cookie());
            assert_eq!((old.twin().who(), bob.who().as_deref()), (None, Some("bob")));
            assert!(ada.world.store.lock().unwrap().len() <= 1, "her record is dropped, Bob's is not");
        }
    }
}

#[test]
fn a_session_ends_in_its_last_half_hour_and_when_idleness_ends_none_as_well() {
    for sessions in BOTH {
        // It cannot be used for longer, and its user is looked at all the same.
        let mut ada = signed_in(sessions().lifetime(Duration::from_hours(1)));
        for _ in 0..55 {
            ada.clock.pass(MINUTE);
            assert_eq!(ada.who().as_deref(), Some("ada"));
        }
        change_password(&ada.world);
        ada.clock.pass(MINUTE);
        assert_eq!(ada.get("/ops/queues").reason, "session-user-changed");

        let day = Duration::from_hours(24);
        let mut ada = signed_in(sessions().idle(day).lifetime(day));
        disable(&ada.world);
        ada.clock.pass(MINUTE);
        assert_eq!(ada.get("/ops/queues").reason, "session-user-changed");
    }
}

#[test]
fn new_roles_count_from_the_next_renewal() {
    for sessions in BOTH {
        let mut ada = signed_in(sessions());
        let user = ada.get("/ops/queues").admitted.unwrap();
        assert_eq!((user.id.as_str(), user.roles.join(","), user.is_admin), ("ada", "ops".to_owned(), false));
        assert_eq!(user.claims, None, "no session keeps claims");
        ada.world.change("ada", |ada| (ada.roles, ada.is_admin) = (vec!["db".into(), "web".into()], true));
        let user = ada.get("/ops/queues").admitted.unwrap();
        assert_eq!((user.roles.join(","), user.is_admin), ("ops".to_owned(), false));
        for _ in 0..3 {
            ada.clock.pass(MINUTE);
            let user = ada.get("/ops/queues").admitted.unwrap();
            assert_eq!((user.roles.join(","), user.is_admin), ("db,web".to_owned(), true));
            assert_eq!(user.claims, None);
        }
        // What was renewed stays so between renewals.
        let user = ada.get("/ops/queues").admitted.unwrap();
        assert_eq!((user.roles.join(","), user.is_admin), ("db,web".to_owned(), true));
    }
}

#[test]
fn who_loses_the_role_is_signed_in_and_not_allowed() {
    for sessions in BOTH {
        let mut ada = World::new(gate(sessions()).access(Access::any_role(["ops"]).unwrap())).visitor();
        ada.sign_in("ada", "right");
        assert_eq!(ada.get("/ops/queues").status, 200);
        ada.world.change("ada", |ada| ada.roles.clear());
        ada.clock.pass(MINUTE);
        let answer = ada.get("/ops/queues");
        assert_eq!((answer.status, answer.reason, answer.user.as_deref()), (403, "not-allowed", Some("ada")));
        assert_eq!((answer.lease.is_none(), answer.removes_cookie()), (true, false));
        assert!(answer.body.contains("href=\"/ops/logout\""), "she may be somebody else, too");
        ada.world.change("ada", |ada| ada.roles.push("ops".into()));
        ada.clock.pass(MINUTE);
        assert_eq!(ada.get("/ops/queues").status, 200);
    }
}

#[test]
fn a_store_that_cannot_tell_keeps_the_session_as_it_is() {
    for sessions in BOTH {
        let mut ada = signed_in(sessions());
        ada.world.change("ada", |ada| (ada.tells, ada.password, ada.is_admin) = (false, "n3w", true));
        for _ in 0..40 {
            ada.clock.pass(MINUTE);
            let user = ada.get("/ops/queues").admitted.expect("she is in");
            assert_eq!(
                (user.id.as_str(), user.roles.join(","), user.is_admin),
                ("ada", "ops".to_owned(), false)
            );
        }
        // Once it tells, the old credential is still compared.
        ada.world.change("ada", |ada| ada.tells = true);
        ada.clock.pass(MINUTE);
        assert_eq!(ada.get("/ops/queues").reason, "session-user-changed");
    }
}

#[test]
fn t32_a_store_that_is_down_at_a_renewal_ends_no_session() {
    for (sessions, all) in [(BOTH[0], &["load", "look_up", "renew"][..]), (BOTH[1], &["look_up", "draw"])] {
        let mut ada = signed_in(sessions());
        for &down in all {
            ada.clock.pass(MINUTE);
            ada.world.only_down(&[down]);
            let answer = ada.get("/ops/queues");
            assert_eq!((answer.status, answer.reason), (503, "unavailable"));
            assert_eq!((answer.detail, answer.headers.get("set-cookie")), (format!("{down} is down"), None));
            ada.world.only_down(&[]);
            assert_eq!(ada.who().as_deref(), Some("ada"), "{down}");
        }
    }
}

#[test]
fn t32_a_record_that_cannot_be_dropped_lets_nobody_in() {
    let mut ada = signed_in(Sessions::records());
    disable(&ada.world);
    ada.clock.pass(MINUTE);
    ada.world.only_down(&["drop"]);
    for _ in 0..2 {
        let mut thief = ada.twin();
        assert_eq!(thief.who(), None);
    }
    ada.world.only_down(&[]);
    assert_eq!(ada.get("/ops/queues").status, 303);
    assert_eq!(ada.cookie, None);
}
