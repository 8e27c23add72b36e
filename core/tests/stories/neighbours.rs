//! Cookies that a neighbour domain added under our name lock nobody out, and keep nobody in.

use crate::visitor::Visitor;
use crate::world::BOTH;

#[test]
fn a_neighbours_cookie_that_is_none_of_ours_changes_nothing() {
    for sessions in BOTH {
        let mut ada = Visitor::new(sessions());
        ada.sign_in("ada", "right");
        let own = ada.cookie.clone().unwrap();
        for cookie in [format!("{own}; authgate=x"), format!("authgate=x; a=1; {own}; authgate=\"")] {
            ada.cookie = Some(cookie);
            assert_eq!(ada.who().as_deref(), Some("ada"));
        }
        ada.cookie = Some("authgate=x; ".repeat(8) + &own);
        assert_eq!(ada.get("/ops/queues").reason, "session-cookie", "nobody has that many");
    }
}

#[test]
fn t23_signing_out_ends_every_session_that_the_browser_shows() {
    for sessions in BOTH {
        let mut ada = Visitor::new(sessions());
        ada.sign_in("ada", "right");
        let mut bob = ada.world.visitor();
        bob.sign_in("bob", "b0bs");
        let (one, other) = (ada.cookie.clone().unwrap(), bob.cookie.clone().unwrap());
        ada.cookie = Some(format!("{one}; authgate=x; {other}"));
        let out = ada.post("/ops/logout", &[]);
        assert_eq!((out.status, out.reason), (303, "sign-out"));
        for cookie in [one, other] {
            ada.cookie = Some(cookie);
            assert_eq!(ada.get("/ops/queues").status, 303);
        }
    }
}

#[test]
fn t25_signing_in_ends_every_session_that_the_browser_shows() {
    for sessions in BOTH {
        let mut ada = Visitor::new(sessions());
        ada.sign_in("ada", "right");
        let first = ada.cookie.take().unwrap();
        ada.sign_in("ada", "right");
        let second = ada.cookie.take().unwrap();
        ada.cookie = Some(format!("{first}; {second}; authgate=x"));
        ada.sign_in("bob", "b0bs");
        assert_eq!(ada.who().as_deref(), Some("bob"));
        for cookie in [first, second] {
            ada.cookie = Some(cookie);
            assert_eq!(ada.get("/ops/queues").status, 303);
        }
    }
}
