//! A session ends when it is not used, and at last however much it is used.

use std::time::Duration;

use authgate_core::{Sessions, Step};

use crate::visitor::Visitor;
use crate::world::{BOTH, sealed};

const MINUTE: Duration = Duration::from_mins(1);
const SECOND: Duration = Duration::from_secs(1);

#[test]
fn t24_a_session_ends_when_it_is_unused_for_half_an_hour() {
    for (sessions, reason) in [(Sessions::records(), "session-unknown"), (sealed(), "session-idle")] {
        let mut ada = Visitor::new(sessions);
        ada.sign_in("ada", "right");
        for _ in 0..3 {
            ada.clock.pass(Duration::from_secs(30 * 60 - 1));
            assert_eq!(ada.who().as_deref(), Some("ada"), "every use starts the time anew");
        }
        ada.clock.pass(30 * MINUTE + SECOND);
        let answer = ada.get("/ops/queues");
        assert_eq!((answer.status, answer.reason), (303, reason));
        assert!(answer.removes_cookie());
    }
}

#[test]
fn t24_the_last_moment_is_the_one_before_the_end() {
    for sessions in BOTH {
        for (unused, enters) in [(Duration::from_millis(1_799_999), true), (30 * MINUTE, false)] {
            let mut ada = Visitor::new(sessions());
            ada.sign_in("ada", "right");
            ada.clock.pass(unused);
            assert_eq!(ada.who().is_some(), enters, "{unused:?}");
        }
    }
}

#[test]
fn t24_a_session_ends_after_twelve_hours_however_much_it_is_used() {
    for (sessions, reason) in [(Sessions::records(), "session-unknown"), (sealed(), "session-ended")] {
        let mut ada = Visitor::new(sessions);
        let end = ada.clock.now().after(Duration::from_hours(12));
        ada.sign_in("ada", "right");
        for _ in 1..12 * 60 {
            ada.clock.pass(MINUTE);
            let lease = ada.get("/ops/queues").lease.expect("she is in");
            let idle_end = ada.clock.now().after(30 * MINUTE);
            assert_eq!(lease.until(), Some(idle_end.min(end)), "renewed, and never beyond the end");
        }
        ada.clock.pass(59 * SECOND);
        assert_eq!(ada.who().as_deref(), Some("ada"));
        ada.clock.pass(SECOND);
        let answer = ada.get("/ops/queues");
        assert_eq!((answer.status, answer.reason), (303, reason));
        assert!(answer.removes_cookie());
    }
}

/// A store that gives back what has ended lets nobody in.
#[test]
fn t24_a_store_that_forgets_late_is_not_believed() {
    for (late, reason) in [(30 * MINUTE, "session-idle"), (Duration::from_hours(12), "session-ended")] {
        let mut ada = Visitor::new(Sessions::records());
        ada.sign_in("ada", "right");
        let Step::LoadSession(id, then) = ada.begin("GET", "/ops/queues", &[]) else { panic!("a record") };
        let session = ada.world.store.lock().unwrap().load(&id, ada.clock.now());
        assert!(session.is_some());
        ada.clock.pass(late);
        let step = then.resume(Ok(session), ada.clock.now());
        let answer = ada.receive(ada.world.drive(step, b""));
        assert_eq!((answer.status, answer.reason), (303, reason));
        assert!(answer.removes_cookie());
    }
}

#[test]
fn a_session_is_renewed_at_most_once_a_minute() {
    let records = (Sessions::records(), &["LoadSession"][..], ["LoadSession", "LookUpUser", "RenewSession"]);
    for (sessions, used, renewed) in
        [(records.0, records.1, &records.2[..]), (sealed(), &[], &["LookUpUser", "DrawBytes"])]
    {
        let is_sealed = used.is_empty();
        let mut ada = Visitor::new(sessions);
        ada.sign_in("ada", "right");
        ada.world.questions();
        for _ in 0..3 {
            ada.clock.pass(59 * SECOND);
            let answer = ada.get("/ops/queues");
            assert_eq!((answer.status, answer.header("set-cookie")), (200, ""));
            assert_eq!(ada.world.questions(), used);
            ada.clock.pass(SECOND);
            let answer = ada.get("/ops/queues");
            assert_eq!((answer.status, answer.headers.contains_key("set-cookie")), (200, is_sealed));
            assert_eq!(ada.world.questions(), renewed);
            assert_eq!(ada.get("/ops/queues").status, 200);
            assert_eq!(ada.world.questions(), used, "once is enough");
        }
    }
}

#[test]
fn t24_the_spans_are_what_they_were_set_to() {
    for sessions in BOTH {
        let short = || sessions().idle(10 * SECOND).lifetime(MINUTE).renew_every(4 * SECOND);
        let mut ada = Visitor::new(short());
        ada.sign_in("ada", "right");
        ada.clock.pass(3 * SECOND);
        assert_eq!(ada.who().as_deref(), Some("ada"));
        ada.clock.pass(7 * SECOND);
        assert_eq!(ada.who(), None, "a use before the renewal is due keeps nothing alive");

        let mut ada = Visitor::new(short());
        ada.sign_in("ada", "right");
        for _ in 0..11 {
            ada.clock.pass(5 * SECOND);
            assert_eq!(ada.who().as_deref(), Some("ada"));
        }
        ada.clock.pass(5 * SECOND);
        assert_eq!(ada.who(), None, "a minute is over");
    }
}

#[test]
fn a_short_idle_time_is_renewed_every_quarter_of_it() {
    let mut ada = Visitor::new(Sessions::records().idle(2 * MINUTE));
    ada.sign_in("ada", "right");
    for (pass, renews) in [(29, false), (1, true), (29, false), (1, true)] {
        ada.clock.pass(pass * SECOND);
        ada.world.questions();
        assert!(ada.who().is_some());
        assert_eq!(ada.world.questions().contains(&"RenewSession".to_owned()), renews);
    }
}

/// Another site's request must not keep a session alive that its user has left.
#[test]
fn a_foreign_request_renews_nothing() {
    for sessions in BOTH {
        let mut ada = Visitor::new(sessions());
        ada.sign_in("ada", "right");
        ada.clock.pass(2 * MINUTE);
        ada.world.questions();
        let foreign = ada.send("POST", "/ops/queues", &[("sec-fetch-site", "cross-site")], b"");
        assert_eq!(
            (foreign.status, foreign.reason, foreign.user.as_deref()),
            (403, "cross-site", Some("ada"))
        );
        assert_eq!(foreign.header("set-cookie"), "");
        assert!(!ada.world.questions().contains(&"LookUpUser".to_owned()));
        assert_eq!(ada.who().as_deref(), Some("ada"));
    }
}
