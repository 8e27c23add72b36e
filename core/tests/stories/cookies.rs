//! The session's cookie is as strict as the way it travels allows.

use authgate_core::{SameSite, Scheme, Sessions};

use crate::visitor::Visitor;
use crate::world::{BOTH, World, gate, sealed};

/// The attributes of the cookie that a sign-in sets.
fn sign_in(visitor: &mut Visitor) -> (String, String) {
    let field = visitor.try_to_sign_in("ada", "right").header("set-cookie").to_owned();
    let (pair, attributes) = field.split_once("; ").unwrap();
    (pair.split_once('=').unwrap().0.to_owned(), attributes.to_owned())
}

fn over_tls(sessions: Sessions) -> Visitor {
    Visitor { scheme: Scheme::Https, ..Visitor::new(sessions) }
}

#[test]
fn over_tls_the_cookie_is_secure_and_this_hosts_alone() {
    for sessions in BOTH {
        let mut ada = over_tls(sessions());
        let (name, attributes) = sign_in(&mut ada);
        assert_eq!((&*name, &*attributes), ("__Host-authgate", "HttpOnly; SameSite=Lax; Secure; Path=/"));
        assert_eq!(ada.who().as_deref(), Some("ada"));
        let out = ada.post("/ops/logout", &[]);
        let removal = "__Host-authgate=; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=0";
        assert_eq!((out.reason, out.header("set-cookie")), ("sign-out", removal));

        let (name, attributes) = sign_in(&mut Visitor::new(sessions()));
        assert_eq!((&*name, &*attributes), ("authgate", "HttpOnly; SameSite=Lax; Path=/"));
    }
}

#[test]
fn only_a_trusted_proxy_says_that_it_was_tls() {
    for sessions in BOTH {
        for (proxies, name) in [(&["192.0.2.1"][..], "__Host-authgate"), (&[], "authgate")] {
            let world = World::new(gate(sessions()).trusted_proxies(proxies.iter().copied()));
            let mut ada = world.visitor().with(("x-forwarded-proto", "https"));
            let (set, attributes) = sign_in(&mut ada);
            assert_eq!((&*set, attributes.contains("; Secure")), (name, !proxies.is_empty()));
            assert_eq!(ada.who().as_deref(), Some("ada"));
        }
    }
}

#[test]
fn a_cookie_that_was_set_in_the_clear_is_nothing_over_tls() {
    for sessions in BOTH {
        let mut ada = Visitor::new(sessions());
        ada.sign_in("ada", "right");
        ada.scheme = Scheme::Https;
        let answer = ada.get("/ops/queues");
        assert_eq!((answer.status, answer.reason), (303, "not-signed-in"));
        assert_eq!(answer.header("set-cookie"), "", "it is not even looked at");
        // The other way round, too: over plain HTTP, anybody could have sent the name.
        let mut ada = over_tls(sessions());
        ada.sign_in("ada", "right");
        ada.scheme = Scheme::Http;
        assert_eq!(ada.get("/ops/queues").reason, "not-signed-in");
    }
}

#[test]
fn the_cookie_is_what_it_was_set_to() {
    for sessions in BOTH {
        for (sessions, name, attributes) in [
            (sessions().cookie_name("ops.id"), "ops.id", "HttpOnly; SameSite=Lax; Path=/"),
            (sessions().cookie_path("/ops"), "authgate", "HttpOnly; SameSite=Lax; Path=/ops"),
            (
                sessions().cookie_domain("dash.example"),
                "authgate",
                "HttpOnly; SameSite=Lax; Path=/; Domain=dash.example",
            ),
            (sessions().same_site(SameSite::Strict), "authgate", "HttpOnly; SameSite=Strict; Path=/"),
            (sessions().always_secure(), "__Host-authgate", "HttpOnly; SameSite=Lax; Secure; Path=/"),
            (
                sessions().always_secure().cookie_path("/ops"),
                "__Secure-authgate",
                "HttpOnly; SameSite=Lax; Secure; Path=/ops",
            ),
        ] {
            let mut ada = Visitor::new(sessions);
            let set = sign_in(&mut ada);
            assert_eq!((&*set.0, &*set.1), (name, attributes));
            assert_eq!(ada.who().as_deref(), Some("ada"));
            // Removed with the same attributes, or browsers keep it.
            let removal = format!("{name}=; {attributes}").replace("; Domain=", "; Max-Age=0; Domain=");
            let out = ada.post("/ops/logout", &[]).header("set-cookie").to_owned();
            let sorted = |field: &str| {
                let mut all: Vec<_> =
                    field.split("; ").map(str::to_owned).filter(|a| a != "Max-Age=0").collect();
                all.sort();
                all
            };
            assert!(out.contains("; Max-Age=0"), "{out}");
            assert_eq!(sorted(&out), sorted(&removal));
        }
    }
}

/// A neighbour domain can add cookies, and choose which of them the browser sends first.
#[test]
fn t25_nobody_is_put_into_anothers_session_however_many_cookies_stand_between() {
    for sessions in BOTH {
        let world = World::new(gate(sessions()));
        let [mut ada, mut mallory] = [world.visitor(), world.visitor()];
        ada.sign_in("ada", "right");
        mallory.sign_in("bob", "b0bs");
        let [hers, his] = [&ada, &mallory].map(|visitor| visitor.cookie.clone().unwrap());
        for others in 0..12 {
            let rubbish = "; authgate=x".repeat(others);
            let mut both = world.visitor();
            both.cookie = Some(format!("{his}{rubbish}; {hers}"));
            assert_eq!(both.who(), None, "{others}");
            let mut alone = world.visitor();
            alone.cookie = Some(format!("{hers}{rubbish}"));
            assert_eq!(alone.who().is_some(), others < 8, "{others}");
        }
    }
}

#[test]
fn a_session_that_no_cookie_holds_is_an_outage_and_the_log_says_why() {
    let mut ada = Visitor::new(sealed());
    ada.sign_in("bob", "b0bs");
    ada.world.change("ada", |ada| ada.roles = (0..400).map(|number| format!("role {number}")).collect());
    let answer = ada.try_to_sign_in("ada", "right");
    assert_eq!((answer.status, answer.reason, answer.header("set-cookie")), (503, "unavailable", ""));
    assert_eq!(answer.user.as_deref(), Some("ada"));
    assert!(answer.detail.contains("the sealed session of user \"ada\" takes "), "{}", answer.detail);
    assert!(answer.detail.ends_with("shorten the user's name and roles, or keep sessions in a store"));
    assert!(!answer.body.contains("role 1") && !answer.body.contains("bytes"));
    assert_eq!(ada.who().as_deref(), Some("bob"), "the session before it is as it was");

    // A record holds any.
    let mut ada = Visitor::new(Sessions::records());
    ada.world.change("ada", |ada| ada.roles = (0..400).map(|number| format!("role {number}")).collect());
    ada.sign_in("ada", "right");
    assert_eq!(ada.get("/ops/queues").admitted.unwrap().roles.len(), 400);
}

/// However many roles: a cookie that is set is one that comes back, and opens.
#[test]
fn a_cookie_that_is_set_is_never_too_long_to_be_read() {
    let mut longest = 0;
    for roles in 100..200 {
        let mut ada = Visitor::new(sealed());
        let role = |number| format!("a role {number:>8}");
        ada.world.change("ada", |ada| ada.roles = (0..roles).map(role).collect());
        let status = ada.try_to_sign_in("ada", "right").status;
        assert_eq!(status == 303, ada.who().is_some(), "{roles}");
        longest = longest.max(ada.cookie.map_or(0, |cookie| cookie.len()));
    }
    assert!((4000..=4097).contains(&longest), "{longest} bytes, `=` included");
}
