//! A dashboard that has a login page of its own, or sessions of its own, and a gate in front of it all the same.

use authgate_core::{
    Access, AuthBackend, Claims, CrossSite, ForwardedFields, Gate, GateBuilder, Head, LoginAnswer,
    LogoutAnswer, PasswordBackend, Peer, Proof, Sessions, Timestamp, User,
};

use crate::visitor::{FORM, HTMX, Visitor};
use crate::world::{BOTH, World, gate};

/// The dashboard signs its people in; a cookie says who they are.
struct Dashboard(&'static str);

impl AuthBackend for Dashboard {
    fn name(&self) -> &'static str {
        "dashboard"
    }
    fn authenticate(&self, head: &Head<'_>, _: Timestamp) -> Proof {
        if head.headers().text(&http::header::COOKIE) == Some("who=ada") {
            Proof::Proven(User { roles: vec![self.0.into()], ..User::new("ada") }.into())
        } else {
            Proof::Absent
        }
    }
    fn login(&self) -> LoginAnswer {
        LoginAnswer::Forward
    }
    fn logout(&self) -> LogoutAnswer {
        LogoutAnswer::Forward
    }
}

fn behind(settings: impl FnOnce(GateBuilder) -> GateBuilder) -> Visitor {
    World::new(settings(Gate::builder(Dashboard("ops")).mount("/ops").login_path("/enter"))).visitor()
}

const OTHER_SITE: (&str, &str) = ("sec-fetch-site", "cross-site");

#[test]
fn t14_a_dashboard_s_own_login_page_is_open_whatever_it_is_called() {
    let mut ada = behind(|gate| gate);
    let page = ada.get("/ops/enter?next=/ops/");
    assert_eq!((page.status, page.reason, page.admitted), (200, "login", None));
    assert_eq!(ada.get("/ops/login").headers["location"], "/ops/enter?next=%2Fops%2Flogin");
    assert_eq!(ada.post("/ops/enter", &[]).reason, "login");
}

#[test]
fn a_dashboard_s_own_logout_is_as_public_as_it_is_listed() {
    let mut closed = behind(|gate| gate);
    assert_eq!((closed.get("/ops/logout").status, closed.get("/ops/logout").reason), (303, "not-signed-in"));
    let mut open = behind(|gate| gate.public_prefix("/logout"));
    assert_eq!((open.get("/ops/logout").status, open.get("/ops/logout").reason), (200, "public"));
    closed.cookie = Some("who=ada".to_owned());
    assert_eq!(closed.get("/ops/logout").admitted.unwrap().id, "ada");
}

/// What becomes of a post to the login page and of one to a queue, by who says what about where it comes from.
#[test]
fn t15_who_may_post_is_one_setting() {
    let ours: &[(&str, &str)] = &[("origin", "http://dash.example")];
    let theirs: &[(&str, &str)] = &[("origin", "http://evil.example")];
    let table = [
        (CrossSite::Refused, ours, 200, 200),
        (CrossSite::Refused, theirs, 403, 403),
        (CrossSite::Refused, &[OTHER_SITE], 403, 403),
        (CrossSite::Refused, &[], 403, 403),
        (CrossSite::SilentSignIn, ours, 200, 200),
        (CrossSite::SilentSignIn, theirs, 403, 403),
        (CrossSite::SilentSignIn, &[OTHER_SITE], 403, 403),
        (CrossSite::SilentSignIn, &[("origin", "null")], 403, 403),
        (CrossSite::SilentSignIn, &[], 200, 403),
        (CrossSite::Allowed, theirs, 200, 200),
        (CrossSite::Allowed, &[], 200, 200),
    ];
    for (setting, fields, login, queue) in table {
        let mut ada = behind(|gate| gate.cross_site(setting).public_path("/logout"));
        ada.cookie = Some("who=ada".to_owned());
        for (path, expected) in [("/ops/enter", login), ("/ops/logout", login), ("/ops/queues", queue)] {
            let answer = ada.send("POST", path, fields, b"");
            assert_eq!(answer.status, expected, "{setting:?} {fields:?} {path}: {}", answer.reason);
        }
    }
}

#[test]
fn a_role_can_make_an_administrator() {
    for (role, admitted) in [("admin", true), ("asyncmq:admin", true), ("ops", false)] {
        let access = Access::admins_or(["admin", "asyncmq:admin"]).unwrap();
        let mut ada = World::new(Gate::builder(Dashboard(role)).access(access)).visitor();
        ada.cookie = Some("who=ada".to_owned());
        assert_eq!(ada.get("/queues").admitted.is_some(), admitted, "{role}");
    }
    assert!(Access::admins_or([""]).is_err());
    for roles in [&[][..], &[""], &["ops", ""]] {
        assert_eq!(Access::any_role(roles.iter().copied()).unwrap_err().field(), "access", "{roles:?}");
    }
    // Beside it, another role may be asked for.
    let access = Access::admins_or(["admin"]).unwrap().and_any_role(["ops"]).unwrap();
    let user = |roles: &[&str]| User {
        roles: roles.iter().map(|role| (*role).into()).collect(),
        ..User::new("ada")
    };
    assert!(access.allows(&user(&["admin", "ops"])));
    assert!(!access.allows(&user(&["admin"])) && !access.allows(&user(&["ops"])));
}

#[test]
fn a_proxy_s_port_counts_with_its_host_if_the_host_names_none() {
    for (host, port, origin, status) in [
        ("dash.example", "8443", "https://dash.example:8443", 200),
        ("dash.example", "8443", "https://dash.example", 403),
        ("dash.example:9000", "8443", "https://dash.example:9000", 200),
        ("dash.example", "443", "https://dash.example", 200),
        ("dash.example", "nonsense", "https://dash.example", 200),
    ] {
        let mut ada = behind(|gate| {
            gate.trusted_proxies(["192.0.2.1"]).forwarded_fields(ForwardedFields::XForwardedHost)
        });
        ada.cookie = Some("who=ada".to_owned());
        let fields = [
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", host),
            ("x-forwarded-port", port),
            ("origin", origin),
        ];
        assert_eq!(ada.send("POST", "/ops/queues", &fields, b"").status, status, "{host} {port} {origin}");
        // From anybody else it is hearsay.
        ada.address = Peer::from(std::net::IpAddr::from([192, 0, 2, 9]));
        assert_eq!(ada.send("POST", "/ops/queues", &fields, b"").status, 403);
    }
}

#[test]
fn a_host_with_sessions_of_its_own_learns_who_signed_in_and_gets_no_cookie_from_us() {
    let mut ada = World::new(Gate::builder(PasswordBackend::for_host()).mount("/ops")).visitor();
    let form = [("username", "ada"), ("password", "right"), ("next", "/ops/queues?page=2")];
    let answer = ada.post("/ops/login", &form);
    assert_eq!((answer.status, answer.reason, answer.user.as_deref()), (303, "sign-in", Some("ada")));
    assert_eq!(answer.headers["location"], "/ops/queues?page=2");
    assert!(!answer.headers.contains_key("set-cookie"));

    // Everything before that is as ever: the form, the throttle, other sites.
    assert_eq!(ada.try_to_sign_in("ada", "wrong").status, 401);
    assert_eq!(ada.send("POST", "/ops/login", &[FORM[0], OTHER_SITE], b"").status, 403);
    for _ in 0..9 {
        assert_eq!(ada.try_to_sign_in("ada", "wrong").status, 401);
    }
    assert_eq!(ada.try_to_sign_in("ada", "right").status, 429);

    // What signs out is the host's doing; the gate leads on, whatever the method.
    for method in ["GET", "POST"] {
        let answer = ada.send(method, "/ops/logout", &FORM[1..], b"");
        assert_eq!((answer.status, &answer.headers["location"]), (303, &"/ops/login".parse().unwrap()));
    }
    let answer = ada.send("POST", "/ops/logout", &[FORM[1], HTMX], b"");
    assert_eq!((answer.status, &answer.headers["hx-redirect"]), (204, &"/ops/login".parse().unwrap()));
}

#[test]
fn t10_a_root_path_is_cut_off_at_a_segment_boundary_if_it_is_there_at_all() {
    use authgate_core::HeaderView::Pairs;
    for (target, root, path) in [
        ("/ops/queues", "/ops", "/queues"),
        ("/ops/queues", "/ops/", "/queues"),
        ("/ops", "/ops", "/"),
        ("/queues", "/ops", "/queues"),
        ("/opslogin", "/ops", "/opslogin"),
        ("/queues", "", "/queues"),
    ] {
        let head = Head::new("GET", target, Pairs(&[])).rooted(root);
        assert_eq!((head.path(), head.prefix()), (path, root.trim_end_matches('/')), "{target} {root}");
    }
    // Links carry it.
    let gate = Gate::builder(Dashboard("ops")).build().unwrap();
    let world = World::new(Gate::builder(Dashboard("ops")));
    let step = gate.begin(&Head::new("GET", "/ops/queues", Pairs(&[])).rooted("/ops"), world.clock.now());
    let answer = world.visitor().receive(world.drive(step, b""));
    assert_eq!(answer.headers["location"], "/ops/login?next=%2Fops%2Fqueues");
}

#[test]
fn a_session_keeps_what_the_host_notes_about_its_user_and_no_claims() {
    for sessions in BOTH {
        let mut ada = World::new(gate(sessions())).visitor();
        ada.world.note("{\"mail\":\"ada@dash.example\"}");
        ada.sign_in("ada", "right");
        let user = ada.get("/ops/queues").admitted.unwrap();
        let mail = user.extra.as_ref().and_then(|extra| extra.get::<String>("mail"));
        assert_eq!((mail.as_deref(), user.claims.as_ref()), (Some("ada@dash.example"), None));
    }
    assert!(serde_json::from_str::<Claims>("\"[1]\"").is_err(), "an object, and nothing else");
    // A sealed session must fit into a cookie: nobody is signed in with half of it.
    let mut ada = World::new(gate(crate::world::sealed())).visitor();
    ada.world.note(&format!("{{\"x\":\"{}\"}}", "x".repeat(4096)));
    let answer = ada.try_to_sign_in("ada", "right");
    assert_eq!((answer.status, answer.reason, ada.cookie.clone()), (503, "unavailable", None));
    let mut ada = World::new(gate(Sessions::records())).visitor();
    ada.world.note(&format!("{{\"x\":\"{}\"}}", "x".repeat(4096)));
    ada.sign_in("ada", "right");
}

#[test]
fn who_may_not_enter_finds_the_way_to_sign_in_as_somebody_else() {
    let mut ada = behind(|gate| gate.access(Access::admins()));
    ada.cookie = Some("who=ada".to_owned());
    let answer = ada.get("/ops/queues");
    assert_eq!((answer.status, answer.reason), (403, "not-allowed"));
    assert!(answer.body.contains("href=\"/ops/logout\""), "{}", answer.body);
}
