//! A person opens the dashboard, is asked to sign in, does, works, signs out, and is out: through the core alone, with a
//! clock that moves when it is told to.

use std::time::Duration;

use authgate_core::Sessions;

use crate::visitor::Visitor;
use crate::world::sealed;

const LINK: &str = "/ops/queues/a%26b?page=2&sort=age";
const LOGIN: &str = "/ops/login?next=%2Fops%2Fqueues%2Fa%2526b%3Fpage%3D2%26sort%3Dage";

/// The whole story, with records and with sealed cookies.
#[test]
fn a_person_signs_in_works_and_signs_out() {
    for sessions in [Sessions::records(), sealed()] {
        let mut ada = Visitor::new(sessions);

        // A deep link leads to the login, and says where it led.
        let answer = ada.get(LINK);
        assert_eq!((answer.status, answer.location()), (303, LOGIN));
        let page = ada.get(LOGIN);
        assert_eq!((page.status, page.reason), (200, "login"));
        assert_eq!(page.field("action"), "/ops/login");
        assert_eq!(page.field("next"), LINK);

        // t07: a wrong password shows the form again, with the name and the way back, and never the password.
        let wrong = ada.post("/ops/login", &[("username", "ada"), ("password", "wr0ng"), ("next", LINK)]);
        assert_eq!((wrong.status, wrong.reason, wrong.user.as_deref()), (401, "wrong-password", Some("ada")));
        assert_eq!((&*wrong.field("username"), &*wrong.field("next")), ("ada", LINK));
        assert!(wrong.body.contains("role=\"alert\"") && !wrong.body.contains("wr0ng"));
        assert_eq!(wrong.header("set-cookie"), "");

        // The right one leads exactly there.
        let right = ada.post("/ops/login", &[("username", "ada"), ("password", "right"), ("next", LINK)]);
        assert_eq!((right.status, right.location()), (303, LINK));
        assert_eq!((right.reason, right.user.as_deref()), ("sign-in", Some("ada")));
        assert!(
            right.header("set-cookie").starts_with("authgate=")
                && !right.header("set-cookie").contains("Max-Age")
        );

        // She works for an hour, and is renewed while she does.
        for _ in 0..12 {
            let page = ada.get(LINK);
            assert_eq!((page.status, page.user.as_deref()), (200, Some("ada")));
            assert_eq!((page.header("cache-control"), page.header("vary")), ("no-store", "Cookie"));
            ada.clock.pass(Duration::from_mins(5));
        }

        // t16: looking at the logout changes nothing; its button ends the session.
        let button = ada.get("/ops/logout");
        assert_eq!((button.status, &*button.field("action")), (200, "/ops/logout"));
        assert_eq!(ada.get(LINK).status, 200);
        let stolen = ada.cookie.clone();
        let out = ada.post("/ops/logout", &[]);
        assert_eq!((out.status, out.location()), (303, "/ops/login"));
        assert_eq!((out.reason, out.user.as_deref()), ("sign-out", Some("ada")));
        assert!(out.header("set-cookie").contains("Max-Age=0") && ada.cookie.is_none());
        let cookies: Vec<_> = out.headers.get_all("set-cookie").iter().collect();
        assert_eq!(cookies[1], "authgate-left=1; HttpOnly; SameSite=Lax; Path=/; Max-Age=1");

        // t23: and she is out, whoever comes with her old cookie.
        assert_eq!(ada.get(LINK).status, 303);
        ada.cookie = stolen;
        assert_eq!(ada.get(LINK).status, 303);
        assert!(ada.cookie.is_none(), "a cookie that opens nothing is removed");
    }
}
