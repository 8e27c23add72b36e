//! Whoever does not like our pages brings other words, or other pages.

use std::time::Duration;

use authgate_core::{Decision, LoginError, Reply, Sessions, Texts};
use http::HeaderValue;

use crate::visitor::{API, FORM, Visitor, encode};
use crate::world::{World, gate};

/// The answer itself, as a host gets it.
fn reply(visitor: &Visitor, method: &str, target: &str, form: &[(&str, &str)]) -> Reply {
    let step = visitor.begin(method, target, &FORM);
    match visitor.world.drive(step, encode(form).as_bytes()) {
        Decision::Respond(reply) => reply,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_host_gets_the_form_as_data() {
    let ada = Visitor::new(Sessions::records());
    let empty = reply(&ada, "GET", "/ops/login?next=/ops/q%3Fa%3D1", &[]);
    let form = empty.login_form().unwrap();
    assert_eq!((form.action.as_str(), form.username.as_str(), form.error), ("/ops/login", "", None));
    assert_eq!(form.next.as_ref().unwrap().as_str(), "/ops/q?a=1");

    let typed = [("username", "ada"), ("password", "x"), ("next", "/ops/q?a=1")];
    for (down, tries, error) in [
        ("", 0, LoginError::Wrong),
        ("check", 0, LoginError::CannotCheck),
        ("", 8, LoginError::Throttled { wait: Duration::from_secs(1) }),
    ] {
        for _ in 0..tries {
            reply(&ada, "POST", "/ops/login", &typed);
        }
        ada.world.only_down(&[down]);
        let again = reply(&ada, "POST", "/ops/login", &typed);
        let form = again.login_form().unwrap();
        assert_eq!((form.username.as_str(), form.error), ("ada", Some(error)));
        assert_eq!(
            (form.action.as_str(), form.next.as_ref().unwrap().as_str()),
            ("/ops/login", "/ops/q?a=1")
        );
        ada.world.only_down(&[]);
    }
}

#[test]
fn what_shows_no_form_has_none() {
    let ada = Visitor::new(Sessions::records());
    for (method, target) in [("GET", "/ops/queues"), ("GET", "/ops/logout"), ("PUT", "/ops/login")] {
        assert!(reply(&ada, method, target, &[]).login_form().is_none(), "{method} {target}");
    }
    let program = Visitor::new(Sessions::records()).with(API);
    assert!(reply(&program, "POST", "/ops/login", &[("username", "ada")]).login_form().is_none());
}

#[test]
fn a_host_puts_its_own_page_in_the_place_of_ours() {
    let ada = Visitor::new(Sessions::records());
    let policy = HeaderValue::from_static("default-src 'self'");
    for (method, body) in [("GET", "<h1>Ours</h1>"), ("HEAD", "")] {
        let ours = reply(&ada, method, "/ops/login", &[]).with_own_page("<h1>Ours</h1>", policy.clone());
        let response = http::Response::from(ours);
        assert_eq!((response.status().as_u16(), &response.body()[..]), (200, body.as_bytes()));
        let policies: Vec<_> = response.headers().get_all("content-security-policy").iter().collect();
        assert_eq!(policies, [&policy]);
        assert_eq!(response.headers()["content-type"], "text/html; charset=utf-8");
        assert_eq!(response.headers()["x-frame-options"], "DENY");
        assert_eq!(response.headers()["cache-control"], "no-store");
    }
    // What the answer means does not change with its looks.
    let wrong = reply(&ada, "POST", "/ops/login", &[("username", "ada"), ("password", "x")]);
    let wrong = http::Response::from(wrong.with_own_page("<h1>No</h1>", policy));
    assert_eq!((wrong.status().as_u16(), &wrong.body()[..]), (401, &b"<h1>No</h1>"[..]));
    assert!(wrong.headers().contains_key("www-authenticate") && wrong.headers()["vary"] == "Cookie");
}

#[test]
fn every_text_of_the_form_can_be_replaced() {
    let texts = Texts {
        lang: "de".into(),
        sign_in: "Anmelden".into(),
        username: "Name <hier>".into(),
        password: "Passwort".into(),
        wrong: "Stimmt nicht.".into(),
        throttled: "Noch {wait} warten.".into(),
        cannot_check: "Gerade nicht.".into(),
        sign_out: "Abmelden".into(),
        sign_out_advice: "Bis bald.".into(),
        back: "Zurück: {title}".into(),
        ..Texts::default()
    };
    let world = World::new(gate(Sessions::records()).texts(texts).title("Schlange & Co").logo("<Logo>"));
    let mut ada = world.visitor();
    let page = ada.get("/ops/login").body;
    for part in [
        "<html lang=\"de\">",
        "<title>Anmelden · Schlange &amp; Co</title>",
        "<p class=\"brand\">&lt;Logo&gt;</p>",
        "<h1>Anmelden</h1>",
        "<label for=\"username\">Name &lt;hier&gt;</label>",
        "<label for=\"password\">Passwort</label>",
        "<button type=\"submit\">Anmelden</button>",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(ada.try_to_sign_in("ada", "x").body.contains(">Stimmt nicht.</p>"));
    world.only_down(&["check"]);
    assert!(ada.try_to_sign_in("ada", "x").body.contains(">Gerade nicht.</p>"));
    for _ in 0..8 {
        ada.try_to_sign_in("ada", "x");
    }
    assert!(ada.try_to_sign_in("ada", "x").body.contains(">Noch 1 s warten.</p>"));
    let logout = ada.get("/ops/logout").body;
    for part in ["<h1>Abmelden</h1>", "<p>Bis bald.</p>", ">Zurück: Schlange &amp; Co</a>"] {
        assert!(logout.contains(part), "{part}: {logout}");
    }
    for english in ["Sign in", "Username", "Password", "Sign out", "Back to"] {
        assert!(!page.contains(english) && !logout.contains(english), "{english}");
    }
}

#[test]
fn head_is_answered_like_get_without_the_body() {
    let mut ada = Visitor::new(Sessions::records());
    for target in ["/ops/login", "/ops/logout", "/ops/queues", "/elsewhere"] {
        let get = ada.get(target);
        let head = ada.send("HEAD", target, &[], b"");
        assert_eq!((head.status, head.body.as_str()), (get.status, ""), "{target}");
        assert_eq!(head.headers, get.headers, "{target}");
        assert_eq!(get.body.is_empty(), get.status == 303, "{target}");
    }
}
