//! What a server behind the gate is told of a request, and what it never sees.

use authgate_core::{
    Access, AuthBackend, Decision, Fallback, Gate, GateBuilder, Head, HeaderView, LoginAnswer, LogoutAnswer,
    PasswordBackend, Peer, Proof, Proven, Scheme, Sessions, Step, Timestamp, Unanswered, Upstream, User,
};
use http::request::Parts;
use http::{HeaderMap, Request, Response};

use crate::visitor::{API, HTMX, Visitor};
use crate::world::{BOTH, Tokens, World, gate, sealed};

/// Somebody at 192.0.2.1 who has signed in.
fn ada(settings: impl FnOnce(GateBuilder) -> GateBuilder) -> Visitor {
    let mut ada = World::new(settings(gate(Sessions::records())).upstream(Upstream::new())).visitor();
    ada.sign_in("ada", "right");
    ada
}

/// A request with these fields, and the session's cookie, as the server behind the gate gets it.
fn passed(visitor: &Visitor, target: &str, fields: &[(&'static str, &str)]) -> Parts {
    let mut request = Request::builder().uri(target);
    if !fields.iter().any(|(name, _)| *name == "host") {
        request = request.header("host", "dash.example");
    }
    if let Some(cookie) = &visitor.cookie {
        request = request.header("cookie", cookie);
    }
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    let (mut parts, ()) = request.body(()).unwrap().into_parts();
    parts.extensions.insert(visitor.address);
    let head = Head::from(&parts);
    let step = visitor.world.gate.begin(&head.over(visitor.scheme), visitor.clock.now());
    let decision = visitor.world.drive(step, b"");
    let Decision::Forward(admission) = decision else { panic!("{decision:?}") };
    admission.pass_on(&mut parts);
    parts
}

/// The fields, sorted, without those that no test here is about.
fn shown(headers: &HeaderMap) -> Vec<String> {
    let mut shown: Vec<_> =
        headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
    shown.sort();
    shown
}

#[test]
fn the_server_behind_learns_who_was_let_in_and_who_asked() {
    for sessions in BOTH {
        let mut ada = World::new(gate(sessions()).upstream(Upstream::new())).visitor();
        ada.sign_in("ada", "right");
        let parts = passed(&ada, "/ops/queues?page=2", &[("accept", "text/html"), ("cookie", "theme=dark")]);
        assert_eq!(parts.uri, "/ops/queues?page=2");
        assert_eq!(
            shown(&parts.headers),
            [
                "accept: text/html",
                "cookie: theme=dark",
                "forwarded: for=192.0.2.1;host=\"dash.example\";proto=http",
                "host: dash.example",
                "x-auth-roles: ops",
                "x-auth-user: ada",
                "x-forwarded-for: 192.0.2.1",
                "x-forwarded-host: dash.example",
                "x-forwarded-proto: http",
            ]
        );
    }
}

#[test]
fn t22_nothing_that_a_client_says_of_itself_arrives() {
    let ada = ada(|gate| gate);
    let honest = shown(&passed(&ada, "/ops/queues", &[]).headers);
    for (name, value) in [
        ("x-auth-user", "root"),
        ("x_auth_user", "root"),
        ("x.auth.roles", "admin"),
        ("remote_user", "root"),
        ("x-forwarded-user", "root"),
        ("x-forwarded-for", "127.0.0.1"),
        ("x_forwarded_for", "127.0.0.1"),
        ("x-forwarded-prefix", "//evil.example"),
        ("x-real-ip", "127.0.0.1"),
        ("forwarded", "for=127.0.0.1"),
        ("x-original-url", "/admin"),
        ("x-http-method-override", "DELETE"),
        ("authorization", "Basic cm9vdA=="),
        ("proxy", "http://evil.example"),
        ("connection", "x-auth-user, x-forwarded-for, cookie, host"),
        ("connection", "upgrade"),
        ("te", "trailers"),
        ("proxy-authorization", "Basic x"),
        ("upgrade", "h2c"),
    ] {
        let arrived = passed(&ada, "/ops/queues", &[(name, value), (name, value)]);
        assert_eq!(shown(&arrived.headers), honest, "{name}");
    }
    // On a public path nobody is known, whoever they say they are.
    let public = passed(&ada, "/ops/static/app.css", &[("x-auth-user", "root")]);
    assert!(!public.headers.contains_key("x-auth-user") && !public.headers.contains_key("cookie"));
}

/// A backend that knows whoever comes by an id that was chosen with care.
struct Odd;

const ODD: &str = "é, b%\r\nx-auth-roles: admin";

impl AuthBackend for Odd {
    fn name(&self) -> &'static str {
        "odd"
    }
    fn authenticate(&self, _: &Head<'_>, _: Timestamp) -> Proof {
        Proof::Proven(Proven { ambient: false, ..User::new(ODD).into() })
    }
    fn login(&self) -> LoginAnswer {
        LoginAnswer::Delegate
    }
    fn logout(&self) -> LogoutAnswer {
        LogoutAnswer::Delegate
    }
}

#[test]
fn t22_the_gate_alone_says_who_it_is_escaped_and_keeps_what_proves_it() {
    for (sessions, asked_for) in BOTH.into_iter().flat_map(|sessions| [(sessions, false), (sessions, true)]) {
        let upstream = if asked_for { Upstream::new().pass_authorization() } else { Upstream::new() };
        let gate = gate(sessions()).backend(Odd).upstream(upstream).identity_headers(["Team-Name"]);
        let mut ada = World::new(gate).visitor();
        let session = format!("theme=dark; authgate={}; __Host-authgate=x; tz=utc", "A".repeat(43));
        let told = [
            ("cookie", &*session),
            ("authorization", "Bearer good"),
            ("x-auth-user", "root"),
            ("x-auth-user", "toor"),
            ("x_auth_user", "root"),
            ("X.Auth-Roles", "admin"),
            ("team_name", "admins"),
            ("x-team-name", "not one of them"),
        ];
        ada.address = Peer::Unknown;
        let mut arrived = shown(&passed(&ada, "/ops/queues", &told).headers);
        let proof = "authorization: Bearer good";
        assert_eq!(arrived.iter().any(|field| field == proof), asked_for);
        arrived.retain(|field| field != proof);
        let wanted = [
            "cookie: theme=dark; tz=utc",
            "forwarded: for=unknown;host=\"dash.example\";proto=http",
            "host: dash.example",
            "x-auth-user: %C3%A9%2C%20b%25%0D%0Ax-auth-roles%3A%20admin",
            "x-forwarded-host: dash.example",
            "x-forwarded-proto: http",
            "x-team-name: not one of them",
        ];
        assert_eq!(arrived, wanted);
    }
}

#[test]
fn the_host_of_an_absolute_target_is_the_one_that_counts() {
    let ada = ada(|gate| gate);
    let parts = passed(&ada, "http://DASH.example:80/ops/queues?x=%2F", &[("host", "dash.example")]);
    assert_eq!(
        (parts.uri.to_string(), &parts.headers["host"]),
        ("/ops/queues?x=%2F".into(), &"DASH.example:80".parse().unwrap())
    );
    let root = World::new(Gate::builder(Tokens).upstream(Upstream::new())).visitor();
    let parts = passed(&root, "http://dash.example?x", &[("authorization", "Bearer good")]);
    assert_eq!(parts.uri, "/?x");
}

#[test]
fn a_mount_is_cut_off_on_request_and_told() {
    let upstream = || Upstream::new().strip_mount().user_header("Remote-User").roles_header("Remote-Groups");
    let mut ada = World::new(gate(Sessions::records()).upstream(upstream())).visitor();
    ada.sign_in("ada", "right");
    for (target, rest) in
        [("/ops", "/"), ("/ops?a", "/?a"), ("/ops/", "/"), ("/ops/ops/x?/ops", "/ops/x?/ops")]
    {
        let parts = passed(&ada, target, &[]);
        assert_eq!(
            (parts.uri.to_string(), &parts.headers["x-forwarded-prefix"]),
            (rest.into(), &"/ops".parse().unwrap())
        );
        assert_eq!(
            (&parts.headers["remote-user"], &parts.headers["remote-groups"]),
            (&"ada".parse().unwrap(), &"ops".parse().unwrap())
        );
        assert!(!parts.headers.contains_key("x-auth-user"));
    }
}

#[test]
fn authorization_is_passed_on_only_where_that_was_asked_for() {
    for (upstream, passes) in [(Upstream::new(), false), (Upstream::new().pass_authorization(), true)] {
        let robot = World::new(Gate::builder(Tokens).upstream(upstream)).visitor();
        let parts = passed(&robot, "/queues", &[("authorization", "Bearer good")]);
        assert_eq!(parts.headers.contains_key("authorization"), passes);
        assert_eq!(parts.headers["x-auth-user"], "robot");
    }
}

#[test]
fn t08_a_websocket_is_the_only_upgrade_that_is_passed_on() {
    let ada = ada(|gate| gate);
    let upgrade =
        |to| [("upgrade", to), ("connection", "keep-alive, Upgrade"), ("origin", "http://dash.example")];
    let websocket = passed(&ada, "/ops/ws", &upgrade("websocket")).headers;
    assert_eq!(
        (&websocket["connection"], &websocket["upgrade"]),
        (&"Upgrade".parse().unwrap(), &"websocket".parse().unwrap())
    );
    let other = passed(&ada, "/ops/ws", &upgrade("h2c")).headers;
    assert!(!other.contains_key("connection") && !other.contains_key("upgrade"));
}

#[test]
fn behind_trusted_proxies_the_outermost_client_is_told_and_nothing_else() {
    let mut ada = ada(|gate| gate.trusted_proxies(["192.0.2.0/24"]));
    ada.scheme = Scheme::Http;
    let parts = passed(&ada, "/ops/queues", &[("x-forwarded-for", "6.6.6.6, 203.0.113.9, 192.0.2.8")]);
    assert_eq!(parts.headers["x-forwarded-for"], "203.0.113.9");
    assert_eq!(parts.headers["forwarded"], "for=203.0.113.9;host=\"dash.example\";proto=http");
}

#[test]
fn a_server_behind_the_gate_cannot_set_the_session() {
    let mut ada = World::new(gate(sealed()).upstream(Upstream::new())).visitor();
    ada.sign_in("ada", "right");
    let cookie = ada.cookie.clone().unwrap();
    // A public path, and one that a session lets her see.
    for path in ["/ops/static/x", "/ops/queues"] {
        let fields: [(&[u8], &[u8]); 1] = [(b"cookie", cookie.as_bytes())];
        let head = Head::new("GET", path, HeaderView::Pairs(&fields)).over(ada.scheme);
        let Step::Done(Decision::Forward(admission)) = ada.world.gate.begin(&head, ada.clock.now()) else {
            panic!("{path} is not passed on")
        };
        let mut answer = HeaderMap::new();
        for cookie in ["a=1", "authgate=evil; Path=/", "__Host-authgate=evil; Secure", "b=2"] {
            answer.append("set-cookie", cookie.parse().unwrap());
        }
        admission.response_fields().apply(&mut answer);
        let cookies: Vec<_> = answer.get_all("set-cookie").iter().collect();
        assert_eq!(cookies, ["a=1", "b=2"], "{path}");
    }
}

#[test]
fn t22_a_session_by_any_name_is_the_gates_alone() {
    for name in ["authgate", "ours"] {
        let sessions = Sessions::records().cookie_name(name);
        let mut ada = World::new(gate(sessions).upstream(Upstream::new())).visitor();
        ada.sign_in("ada", "right");
        assert!(ada.cookie.as_ref().unwrap().contains(name));
        assert!(!passed(&ada, "/ops/queues", &[]).headers.contains_key("cookie"), "{name}");
        let head = Head::new("GET", "/ops/static/x", HeaderView::Pairs(&[]));
        let Step::Done(Decision::Forward(admission)) = ada.world.gate.begin(&head, ada.clock.now()) else {
            panic!("a public path is passed on")
        };
        let mut answer = HeaderMap::new();
        for prefix in ["", "__Host-"] {
            answer.append("set-cookie", format!("{prefix}{name}=evil; Secure; Path=/").parse().unwrap());
        }
        admission.response_fields().apply(&mut answer);
        assert!(answer.is_empty(), "{answer:?}");
    }
}

#[test]
fn t32_no_answer_from_behind_is_told_as_each_can_read_it_and_no_more() {
    let ada = ada(|gate| gate);
    let fallback = |fields: &[(&str, &str)], method| -> Fallback {
        let pairs: Vec<_> = fields.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
        let head = Head::new(method, "/ops/static/x", HeaderView::Pairs(&pairs));
        let Step::Done(Decision::Forward(admission)) = ada.world.gate.begin(&head, ada.clock.now()) else {
            panic!()
        };
        admission.fallback().unwrap()
    };
    for (why, status, text) in [
        (Unanswered::Unreachable, 502, "The dashboard cannot be reached"),
        (Unanswered::Broken, 502, "The dashboard cannot be reached"),
        (Unanswered::TimedOut, 504, "The dashboard does not answer"),
        (Unanswered::BodyTooLarge, 413, "Request body too large"),
        (Unanswered::BodyStalled, 408, "Request body too slow"),
    ] {
        let page = Response::from(fallback(&[], "GET").reply(why));
        assert_eq!(page.status(), status);
        assert!(page.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
        assert!(String::from_utf8_lossy(page.body()).contains(text));
        for fields in [HTMX, API] {
            let told = Response::from(fallback(&[fields], "GET").reply(why));
            assert_eq!((told.status().as_u16(), &told.body()[..]), (status, text.as_bytes()));
        }
        assert!(fallback(&[], "HEAD").reply(why).body().is_empty());
        assert_eq!(fallback(&[], "GET").reply(why).event().reason.slug(), why.slug());
    }
}

#[test]
fn without_a_server_behind_it_only_pretended_identities_go() {
    let mut ada = World::new(Gate::builder(PasswordBackend::new()).access(Access::signed_in())).visitor();
    ada.address = Peer::Unknown;
    ada.cookie = None;
    let (mut parts, ()) = Request::builder()
        .uri("/login")
        .header("x-auth-user", "root")
        .header("te", "x")
        .body(())
        .unwrap()
        .into_parts();
    let world = World::new(Gate::builder(PasswordBackend::new()).public_path("/open"));
    let head = Head::new("GET", "/open", HeaderView::Pairs(&[]));
    let Step::Done(Decision::Forward(admission)) = world.gate.begin(&head, world.clock.now()) else {
        panic!()
    };
    admission.pass_on(&mut parts);
    assert_eq!(shown(&parts.headers), ["te: x"]);
    assert!(admission.fallback().is_none());
}

#[test]
fn t22_hosts_that_take_requests_apart_themselves_are_told_what_pretends() {
    let pairs: [(&[u8], bool); 5] = [
        (b"x-auth-user", true),
        (b"X_Remote.User", true),
        (b"x-\xff", true),
        (b"accept", false),
        (b"te", false),
    ];
    let world = World::new(Gate::builder(PasswordBackend::new()).backend(Own).public_path("/open"));
    let begin = |path| world.gate.begin(&Head::new("GET", path, HeaderView::Pairs(&[])), world.clock.now());
    let Step::Done(Decision::Forward(admission)) = begin("/open") else { panic!("it is public") };
    let Step::Done(Decision::Delegate(delegation)) = begin("/own") else { panic!("it is the backend's") };
    for (name, pretends) in pairs {
        assert_eq!(admission.strips_bytes(name), pretends, "{name:?}");
        assert_eq!(delegation.strips_bytes(name), pretends, "{name:?}");
        let field: [(&[u8], &[u8]); 1] = [(name, b"root")];
        assert_eq!(admission.strips_any(HeaderView::Pairs(&field)), pretends, "{name:?}");
        if let Ok(name) = http::HeaderName::from_bytes(name) {
            assert_eq!((admission.strips(&name), delegation.strips(&name)), (pretends, pretends), "{name}");
        }
    }
}

/// A backend with a path of its own.
struct Own;

impl AuthBackend for Own {
    fn name(&self) -> &'static str {
        "own"
    }
    fn authenticate(&self, _: &Head<'_>, _: Timestamp) -> Proof {
        Proof::Absent
    }
    fn login(&self) -> LoginAnswer {
        LoginAnswer::Delegate
    }
    fn logout(&self) -> LogoutAnswer {
        LogoutAnswer::Delegate
    }
    fn routes(&self) -> Vec<String> {
        vec!["/own".to_owned()]
    }
}

#[test]
fn a_path_of_a_backends_own_is_explained_as_one_and_no_other_is() {
    let gate = Gate::builder(PasswordBackend::new()).backend(Own).build().unwrap();
    let explain = |path| gate.explain("GET", path, None, Peer::Unknown).to_string();
    assert_eq!(explain("/own"), "allowed: the gate answers it itself, for everybody");
    assert!(explain("/other").starts_with("refused: "));
}
