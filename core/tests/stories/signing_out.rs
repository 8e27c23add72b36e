//! Signing out takes a button, holds for good, and says so when it could not be done.

use std::time::Duration;

use authgate_core::{Sessions, Sharing, Step};

use crate::visitor::{FORM, HTMX, Visitor};
use crate::world::{BOTH, World, gate, sealed};

const OWN: (&str, &str) = ("sec-fetch-site", "same-origin");

fn signed_in(sessions: Sessions) -> Visitor {
    let mut ada = Visitor::new(sessions);
    ada.sign_in("ada", "right");
    ada.world.questions();
    ada
}

#[test]
fn t16_looking_shows_a_button_and_changes_nothing() {
    for sessions in BOTH {
        let mut ada = signed_in(sessions());
        for method in ["GET", "HEAD", "OPTIONS"] {
            let answer = ada.send(method, "/ops/logout", &[("sec-fetch-site", "cross-site")], b"");
            assert_eq!((answer.status, answer.reason, answer.header("set-cookie")), (200, "logout", ""));
            assert_eq!(answer.body.is_empty(), method == "HEAD");
            if method == "GET" {
                assert_eq!((&*answer.field("method"), &*answer.field("action")), ("post", "/ops/logout"));
                assert!(answer.body.contains("<button type=\"submit\" autofocus>Sign out</button>"));
            }
            assert_eq!(ada.world.questions().len(), 0);
        }
        assert_eq!(ada.who().as_deref(), Some("ada"));
    }
}

#[test]
fn t15_another_site_signs_nobody_out() {
    for sessions in BOTH {
        let mut ada = signed_in(sessions());
        let nobodys: [&[(&str, &str)]; 5] = [
            &[],
            &[("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "same-site")],
            &[("origin", "null")],
            &[("origin", "http://evil.example")],
        ];
        for fields in nobodys {
            for method in ["POST", "DELETE", "post"] {
                let answer = ada.send(method, "/ops/logout", fields, b"");
                assert_eq!((answer.status, answer.reason), (403, "cross-site"), "{fields:?}");
                assert_eq!(answer.header("set-cookie"), "");
            }
        }
        assert_eq!(ada.who().as_deref(), Some("ada"));
        let own = ada.send("POST", "/ops/logout", &[("origin", "http://dash.example")], b"");
        assert_eq!((own.status, own.reason), (303, "sign-out"));
    }
}

#[test]
fn other_methods_are_told_which_ones_there_are() {
    for sessions in BOTH {
        let mut ada = signed_in(sessions());
        for path in ["/ops/logout", "/ops/login"] {
            for method in ["PUT", "DELETE", "PATCH", "post", "X"] {
                let answer = ada.send(method, path, &FORM, b"");
                assert_eq!((answer.status, answer.reason), (405, "method"), "{method} {path}");
                assert_eq!(answer.header("allow"), "GET, HEAD, OPTIONS, POST");
            }
        }
        assert_eq!(ada.world.questions().len(), 0);
        assert_eq!(ada.who().as_deref(), Some("ada"));
    }
}

#[test]
fn htmx_is_told_to_load_the_login() {
    for sessions in BOTH {
        let mut ada = signed_in(sessions()).with(HTMX);
        let answer = ada.send("POST", "/ops/logout", &[OWN], b"");
        assert_eq!((answer.status, answer.header("hx-redirect")), (204, "/ops/login"));
        assert_eq!((answer.location(), answer.reason), ("", "sign-out"));
        assert!(answer.removes_cookie());
    }
}

#[test]
fn without_a_session_there_is_nothing_to_end() {
    for sessions in BOTH {
        let mut nobody = Visitor::new(sessions());
        let answer = nobody.post("/ops/logout", &[]);
        assert_eq!((answer.status, answer.location(), answer.reason), (303, "/ops/login", "logout"));
        assert_eq!((answer.header("set-cookie"), answer.user.as_deref()), ("", None));
        assert_eq!((answer.header("vary"), answer.header("cache-control")), ("Cookie", "no-store"));
        for bad in ["authgate=x".to_owned(), format!("authgate={}", "A".repeat(43))] {
            nobody.cookie = Some(bad);
            let answer = nobody.post("/ops/logout", &[]);
            assert_eq!((answer.status, answer.location(), answer.reason), (303, "/ops/login", "logout"));
            assert!(answer.removes_cookie() && answer.user.is_none());
        }
    }
}

/// Whoever could not be signed out is told so, keeps the cookie, and can try again.
#[test]
fn t32_a_sign_out_that_the_store_did_not_hear_of_can_be_tried_again() {
    for down in ["load", "drop"] {
        let mut ada = signed_in(Sessions::records());
        let stream = ada.get("/ops/events").lease.unwrap();
        ada.world.only_down(&[down]);
        let answer = ada.post("/ops/logout", &[]);
        assert_eq!((answer.status, answer.reason), (503, "unavailable"));
        assert_eq!((answer.detail, answer.headers.get("set-cookie")), (format!("{down} is down"), None));
        ada.world.only_down(&[]);
        // Once it is known whose session it is, it has ended here, whatever becomes of the store's answer.
        assert_eq!(stream.holds(ada.clock.now()), down == "load");
        assert_eq!(ada.post("/ops/logout", &[]).status, 303);
        assert!(!stream.holds(ada.clock.now()) && ada.world.store.lock().unwrap().is_empty());
    }
}

/// Sign-outs are remembered as long as they matter, whatever else happens meanwhile.
#[test]
fn t23_an_old_cookie_is_worthless_for_as_long_as_it_could_have_lived() {
    let day = Duration::from_hours(24);
    for (sessions, reason) in [(Sessions::records(), "session-unknown"), (sealed(), "session-signed-out")] {
        let mut ada = signed_in(sessions.idle(day).lifetime(day));
        let thief = ada.twin();
        ada.post("/ops/logout", &[]);
        for hours in [0, 1, 12, 10] {
            ada.clock.pass(Duration::from_hours(hours));
            assert_eq!(thief.twin().get("/ops/queues").reason, reason);
            let mut bob = ada.world.visitor();
            bob.sign_in("bob", "b0bs");
            bob.post("/ops/logout", &[]);
        }
    }
}

#[test]
fn t23_signing_out_everywhere_ends_all_of_a_users_sessions_and_nobody_elses() {
    for sessions in BOTH {
        let world = World::new(gate(sessions()));
        let (mut desk, mut phone, mut bob) = (world.visitor(), world.visitor(), world.visitor());
        desk.sign_in("ada", "right");
        world.clock.pass(Duration::from_mins(3));
        phone.sign_in("ada", "right");
        bob.sign_in("bob", "b0bs");
        world.gate.sign_out_everywhere("ada", world.clock.now());
        for device in [&mut desk, &mut phone] {
            let answer = device.get("/ops/queues");
            assert_eq!((answer.status, answer.reason), (303, "session-signed-out"));
            assert!(answer.removes_cookie());
        }
        assert_eq!(bob.who().as_deref(), Some("bob"));
        desk.sign_in("ada", "right");
        assert_eq!(desk.who().as_deref(), Some("ada"), "at the same instant she may come back");
    }
}

#[test]
fn t23_signing_out_everywhere_again_at_the_same_instant_ends_what_began_in_between() {
    for sessions in BOTH {
        let mut ada = signed_in(sessions());
        for _ in 0..3 {
            ada.world.gate.sign_out_everywhere("ada", ada.clock.now());
            assert_eq!(ada.who(), None);
            ada.sign_in("ada", "right");
            assert_eq!(ada.who().as_deref(), Some("ada"));
        }
    }
}

/// A restart forgets the sign-outs of sealed sessions, as their documentation says; a record stays gone.
#[test]
fn a_sign_out_of_a_record_survives_a_restart() {
    for (sessions, comes_back) in [(Sessions::records as fn() -> Sessions, false), (sealed, true)] {
        let mut ada = signed_in(sessions());
        let mut thief = ada.twin();
        ada.post("/ops/logout", &[]);
        thief.world = ada.world.behind(gate(sessions()));
        assert_eq!(thief.who().is_some(), comes_back);
    }
}

#[test]
fn t23_whoever_signs_out_while_the_session_is_being_renewed_is_out_and_the_store_is_told_once() {
    for (sessions, is_shared) in BOTH.into_iter().flat_map(|sessions| [(sessions, false), (sessions, true)]) {
        let gate = gate(sessions());
        let world = World::new(if is_shared { gate.sharing(Sharing::default()) } else { gate });
        let mut ada = world.visitor();
        ada.sign_in("ada", "right");
        world.clock.pass(Duration::from_mins(2));
        let (mut other, mut step) = (ada.twin(), ada.begin("GET", "/ops/queues", &[]));
        while !matches!(step, Step::LookUpUser(..)) {
            step = world.advance(step, b"");
        }
        other.post("/ops/logout", &[]);
        world.questions();
        let decision = world.drive(step, b"");
        assert!(ada.receive(decision).admitted.is_none());
        let asked = world.questions();
        assert!(!asked.iter().any(|question| question == "DropSession"), "shared: {is_shared}; {asked:?}");
    }
}
