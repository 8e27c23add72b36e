//! Who gets which answer.

use std::time::Duration;

use authgate_core::Kind;

use crate::visitor::{API, Answer, HTMX, Visitor};
use crate::world::{BOTH, Tokens, World, gate};

const PAGE: (&str, &str) = ("accept", "text/html,*/*;q=0.8");
pub(crate) const HTML: &str = "text/html; charset=utf-8";
pub(crate) const TEXT: &str = "text/plain; charset=utf-8";

/// What every refusal keeps to, whoever asked.
pub(crate) fn plain(answer: &Answer) {
    let header = |name| answer.header(name);
    assert_eq!((header("cache-control"), header("x-content-type-options")), ("no-store", "nosniff"));
    assert_eq!(answer.status == 401, answer.headers.contains_key("www-authenticate"), "{answer:?}");
    assert_eq!(answer.status == 303, answer.headers.contains_key("location"), "{answer:?}");
    assert!(answer.status == 401 || !answer.headers.contains_key("hx-redirect"), "{answer:?}");
    assert!(answer.status != 429 || answer.headers.contains_key("retry-after"), "{answer:?}");
    assert_eq!((header("vary"), header("set-cookie")), ("Cookie", ""), "t27: {answer:?}");
    assert!(answer.admitted.is_none());
}

pub(crate) fn visitors(world: &World) -> [Visitor; 3] {
    [PAGE, HTMX, API].map(|kind| world.visitor().with(kind))
}

#[test]
fn who_is_not_signed_in_is_sent_to_the_login_as_they_can_read_it() {
    for sessions in BOTH {
        let world = World::new(gate(sessions()).backend(Tokens));
        let login = "/ops/login?next=%2Fops%2Fqueues";
        let challenges = ["Session realm=\"dashboard\"", "Bearer realm=\"dashboard\""];
        let socket = world.visitor().with(("connection", "Upgrade")).with(("upgrade", "websocket"));
        let htmx = world.visitor().with(HTMX).with(("hx-current-url", "http://dash.example/ops/queues"));
        for (mut visitor, status, location, hx_redirect) in [
            (world.visitor().with(PAGE), 303, login, ""),
            (htmx, 401, "", login),
            (world.visitor().with(API), 401, "", ""),
            (socket, 401, "", ""),
        ] {
            let answer = visitor.get("/ops/queues");
            plain(&answer);
            assert_eq!((answer.status, answer.reason), (status, "not-signed-in"));
            assert_eq!((answer.location(), answer.header("hx-redirect")), (location, hx_redirect));
            let asked: Vec<_> = answer.headers.get_all("www-authenticate").iter().collect();
            assert_eq!(asked, challenges[..if status == 401 { 2 } else { 0 }]);
        }
    }
}

#[test]
fn t07_a_wrong_password_is_answered_as_it_was_asked() {
    for sessions in BOTH {
        for mut visitor in visitors(&World::new(gate(sessions()))) {
            let answer =
                visitor.post("/ops/login", &[("username", "ada"), ("password", "x"), ("next", "/ops/q")]);
            plain(&answer);
            assert_eq!((answer.status, answer.reason), (401, "wrong-password"));
            assert_eq!(answer.header("hx-redirect"), "", "the form stays where it is");
            if answer.kind == Kind::Api {
                assert_eq!((answer.header("content-type"), answer.form.is_some()), (TEXT, false));
                assert_eq!(answer.body, "Wrong username or password");
                continue;
            }
            assert_eq!(answer.header("content-type"), HTML);
            assert_eq!((&*answer.field("username"), &*answer.field("next")), ("ada", "/ops/q"));
            assert!(answer.body.contains("role=\"alert\"") && answer.body.contains("<form"));
            assert_eq!(answer.body.contains("<html"), answer.kind == Kind::Page, "HTMX gets the form alone");
            assert!(answer.form.is_some());
        }
    }
}

#[test]
fn a_sign_in_leads_on_as_it_was_asked() {
    for sessions in BOTH {
        for mut visitor in visitors(&World::new(gate(sessions()))) {
            let answer =
                visitor.post("/ops/login", &[("username", "ada"), ("password", "right"), ("next", "/ops/q")]);
            let expected = if answer.kind == Kind::Htmx { (204, "", "/ops/q") } else { (303, "/ops/q", "") };
            assert_eq!((answer.status, answer.location(), answer.header("hx-redirect")), expected);
            assert_eq!((answer.header("vary"), answer.header("cache-control")), ("Cookie", "no-store"));
            assert!(answer.header("set-cookie").starts_with("authgate="));
        }
    }
}

/// A websocket's handshake is a GET, and yet nothing that another site may open.
#[test]
fn a_websocket_is_refused_before_it_is_accepted() {
    for (sessions, is_sealed) in [(BOTH[0], false), (BOTH[1], true)] {
        let socket = [("connection", "Upgrade"), ("upgrade", "websocket")];
        let own = [socket[0], socket[1], ("origin", "http://dash.example")];
        let other = [socket[0], socket[1], ("origin", "http://evil.example")];
        let mut ada = Visitor::new(sessions());
        ada.sign_in("ada", "right");
        for (fields, status, reason) in
            [(&own[..], 200, "signed-in"), (&other, 403, "cross-site"), (&socket, 403, "cross-site")]
        {
            let answer = ada.send("GET", "/ops/ws", fields, b"");
            assert_eq!((answer.status, answer.reason, answer.kind), (status, reason, Kind::WebSocket));
            assert_eq!(answer.user.as_deref(), Some("ada"));
        }
        ada.clock.pass(Duration::from_mins(2));
        ada.world.only_down(&[if is_sealed { "look_up" } else { "load" }]);
        let answer = ada.send("GET", "/ops/ws", &own, b"");
        plain(&answer);
        assert_eq!((answer.status, &*answer.body), (503, "Temporarily unavailable"));
    }
}

#[test]
fn t27_what_no_session_touched_is_as_cacheable_as_ever() {
    for sessions in BOTH {
        let mut robot = World::new(gate(sessions()).backend(Tokens)).visitor();
        robot.headers.push(("authorization", "Bearer good".to_owned()));
        let answer = robot.get("/ops/queues");
        assert_eq!((answer.status, answer.user.as_deref()), (200, Some("robot")));
        assert_eq!((answer.header("cache-control"), answer.headers.len()), ("public", 1));
        let mut ada = Visitor::new(sessions());
        ada.sign_in("ada", "right");
        let answer = ada.get("/ops/queues");
        assert_eq!((answer.header("cache-control"), answer.header("vary")), ("no-store", "Cookie"));
    }
}
