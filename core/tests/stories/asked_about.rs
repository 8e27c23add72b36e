//! A proxy asks about each request before it passes that on itself.

use authgate_core::{ForwardedFields, Gate, GateBuilder, Sessions, Upstream};

use crate::visitor::{API, Answer, HTMX, Visitor};
use crate::world::{BOTH, World, gate};

const PROXY: [u8; 4] = [192, 0, 2, 1];

/// A gate that a proxy at 192.0.2.1 asks, and somebody behind that proxy.
fn behind_proxy(sessions: Sessions, settings: impl FnOnce(GateBuilder) -> GateBuilder) -> Visitor {
    let gate = gate(sessions).forward_auth().trusted_proxies(["192.0.2.1"]);
    World::new(settings(gate)).visitor().at(PROXY)
}

/// What the proxy says of every request.
const PROXIED: [(&str, &str); 3] = [
    ("x-forwarded-for", "203.0.113.9"),
    ("x-forwarded-proto", "https"),
    ("x-forwarded-host", "dash.example"),
];

fn ask(visitor: &mut Visitor, at: &str, method: &str, target: &str, fields: &[(&str, &str)]) -> Answer {
    let mut all = PROXIED.to_vec();
    all.extend([("x-forwarded-method", method), ("x-forwarded-uri", target)]);
    all.extend(fields);
    visitor.send("GET", &format!("/ops{at}"), &all, b"")
}

fn auth_request(visitor: &mut Visitor, method: &str, target: &str, fields: &[(&str, &str)]) -> Answer {
    ask(visitor, Gate::AUTH_REQUEST, method, target, fields)
}

fn forward_auth(visitor: &mut Visitor, method: &str, target: &str, fields: &[(&str, &str)]) -> Answer {
    ask(visitor, Gate::FORWARD_AUTH, method, target, fields)
}

fn sign_in(visitor: &mut Visitor) {
    let mut fields = PROXIED.to_vec();
    fields
        .extend([("content-type", "application/x-www-form-urlencoded"), ("origin", "https://dash.example")]);
    let form = b"username=ada&password=right&next=%2Fops%2Fqueues%3Fpage%3D2";
    let answer = visitor.send("POST", "/ops/authgate/login", &fields, form);
    assert_eq!((answer.status, answer.location()), (303, "/ops/queues?page=2"), "{answer:?}");
}

#[test]
fn who_has_signed_in_may_pass_and_the_proxy_is_told_who_that_is() {
    for sessions in BOTH {
        let mut ada = behind_proxy(sessions(), |gate| gate);
        sign_in(&mut ada);
        let session = ada.cookie.clone().unwrap();
        assert!(session.starts_with("__Host-"), "the browser came over TLS");
        ada.cookie = Some(format!("theme=dark; {session}"));
        for at in [Gate::AUTH_REQUEST, Gate::FORWARD_AUTH] {
            let answer = ask(&mut ada, at, "GET", "/ops/queues?page=2", &[]);
            assert_eq!(
                (answer.status, answer.reason, answer.user.as_deref()),
                (204, "signed-in", Some("ada"))
            );
            assert_eq!((answer.header("x-auth-user"), answer.header("x-auth-roles")), ("ada", "ops"));
            assert_eq!(
                answer.header("cookie"),
                "theme=dark",
                "t22: the session is not the dashboard's to see"
            );
            assert_eq!((answer.body.as_str(), answer.client.to_string().as_str()), ("", "203.0.113.9"));
        }
    }
}

#[test]
fn who_has_not_is_answered_as_the_proxy_can_use_it() {
    let login = "/ops/authgate/login?next=%2Fops%2Fqueues%3Fpage%3D2";
    let page: &[(&str, &str)] = &[("accept", "text/html")];
    let htmx: &[(&str, &str)] = &[HTMX, ("hx-current-url", "https://dash.example/ops/queues?page=2")];
    let mut nobody = behind_proxy(Sessions::records(), |gate| gate);
    for (fields, status, location, hx) in
        [(page, 303, login, ""), (htmx, 401, "", login), (&[API], 401, "", "")]
    {
        let answer = forward_auth(&mut nobody, "GET", "/ops/queues?page=2", fields);
        assert_eq!((answer.status, answer.location(), answer.header("hx-redirect")), (status, location, hx));
        // nginx knows 2xx, 401 and 403 only; where it may send a person, it is told beside it.
        let answer = auth_request(&mut nobody, "GET", "/ops/queues?page=2", fields);
        assert_eq!((answer.status, answer.location(), answer.header("hx-redirect")), (401, location, hx));
        assert!(answer.body.is_empty() && answer.headers.contains_key("www-authenticate"));
    }
    let websocket =
        auth_request(&mut nobody, "GET", "/ops/ws", &[("upgrade", "websocket"), ("connection", "upgrade")]);
    assert_eq!((websocket.status, websocket.location()), (401, ""));
}

#[test]
fn t21_only_a_trusted_proxy_is_believed() {
    for at in [Gate::AUTH_REQUEST, Gate::FORWARD_AUTH] {
        let mut ada = behind_proxy(Sessions::records(), |gate| gate);
        sign_in(&mut ada);
        let mut stranger = ada.twin().at([198, 51, 100, 7]);
        let answer = ask(&mut stranger, at, "GET", "/ops/static/app.css", &[]);
        assert_eq!((answer.status, answer.reason), (403, "untrusted-proxy"));
        // Even the session's cookie opens nothing from there.
        let answer = ask(&mut stranger, at, "GET", "/ops/queues", &[]);
        assert_eq!((answer.status, answer.header("x-auth-user")), (403, ""));
    }
}

#[test]
fn t21_a_request_that_is_not_named_exactly_once_is_refused() {
    let mut ada = behind_proxy(Sessions::records(), |gate| gate);
    sign_in(&mut ada);
    let (method, uri) = (("x-forwarded-method", "GET"), ("x-forwarded-uri", "/ops/static/x"));
    let wrong: &[&[(&str, &str)]] = &[
        &[],
        &[method],
        &[uri],
        &[method, uri, uri],
        &[method, uri, ("x-forwarded-uri", "/ops/queues")],
        &[method, method, uri],
        &[method, ("x-forwarded-uri", "")],
        &[method, ("x-forwarded-uri", "http://dash.example/ops/static/x")],
        &[method, ("x-forwarded-uri", "ops/static/x")],
        &[method, ("x-forwarded-uri", "/ops/static/\u{e9}")],
        &[method, ("x-forwarded-uri", "/ops/static/a b")],
        &[("x-forwarded-method", "GE T"), uri],
        &[("x-forwarded-method", ""), uri],
    ];
    for fields in wrong {
        for (at, status) in [(Gate::AUTH_REQUEST, 403), (Gate::FORWARD_AUTH, 400)] {
            let mut all = PROXIED.to_vec();
            all.extend(*fields);
            let answer = ada.send("GET", &format!("/ops{at}"), &all, b"");
            assert_eq!((answer.status, answer.reason), (status, "bad-request"), "{fields:?}");
        }
    }
}

#[test]
fn t22_what_would_make_another_request_of_it_is_refused_because_the_proxy_passes_it_on() {
    let mut ada = behind_proxy(Sessions::records(), |gate| gate);
    sign_in(&mut ada);
    for (field, said) in [
        ("x-auth-user", "root"),
        ("X_Auth_User", "root"),
        ("remote-user", "root"),
        ("x-forwarded-user", "root"),
        ("x-http-method-override", "DELETE"),
        ("x-rewrite-url", "/ops/audit"),
        ("x-original-url", "/ops/audit"),
        ("x_forwarded_for", "10.0.0.1"),
    ] {
        for target in ["/ops/queues", "/ops/static/app.css"] {
            let answer =
                forward_auth(&mut ada, "POST", target, &[(field, said), ("origin", "https://dash.example")]);
            assert_eq!((answer.status, answer.reason), (400, "bad-request"), "{field} {target}");
            assert_eq!(
                auth_request(&mut ada, "GET", target, &[(field, said)]).status,
                403,
                "{field} {target}"
            );
        }
    }
    let same = [("x-original-url", "https://dash.example/ops/queues"), ("x-original-method", "GET")];
    assert_eq!(auth_request(&mut ada, "GET", "/ops/queues", &same).status, 204);
}

#[test]
fn t11_the_request_that_is_asked_about_is_judged_and_not_the_question() {
    let mut nobody = behind_proxy(Sessions::records(), |gate| gate);
    for (target, status) in [
        ("/ops/static/app.css", 204),
        ("/ops/static/../queues", 401),
        ("/ops/static/%2e%2e/queues", 401),
        ("/ops/queues?/ops/static/", 401),
        ("/opslogin", 403),
        ("/elsewhere", 403),
        // The proxy sends these to the gate itself, which would otherwise lead there in circles (t14).
        ("/ops/authgate/login?next=%2Fops%2F", 204),
        ("/ops/authgate/logout", 204),
        ("/ops/login", 401),
    ] {
        assert_eq!(auth_request(&mut nobody, "GET", target, &[API]).status, status, "{target}");
    }
    let public = auth_request(&mut nobody, "GET", "/ops/static/app.css", &[]);
    assert_eq!((public.status, public.header("x-auth-user")), (204, ""));
}

#[test]
fn t18_a_post_of_another_site_is_refused_by_the_proxy_s_word_for_our_own() {
    let mut ada = behind_proxy(Sessions::records(), |gate| gate);
    sign_in(&mut ada);
    let post = |ada: &mut Visitor, fields: &[(&str, &str)]| {
        (
            auth_request(ada, "POST", "/ops/queues", fields).status,
            forward_auth(ada, "POST", "/ops/queues", fields).status,
        )
    };
    assert_eq!(post(&mut ada, &[("origin", "https://dash.example")]), (204, 204));
    assert_eq!(post(&mut ada, &[("origin", "https://evil.example")]), (403, 403));
    assert_eq!(post(&mut ada, &[("origin", "http://dash.example")]), (403, 403));
    assert_eq!(post(&mut ada, &[]), (403, 403));
}

#[test]
fn a_failure_stays_a_failure() {
    let mut ada = behind_proxy(Sessions::records(), |gate| gate);
    sign_in(&mut ada);
    ada.world.only_down(&["load"]);
    assert_eq!(auth_request(&mut ada, "GET", "/ops/queues", &[]).status, 503);
    assert_eq!(forward_auth(&mut ada, "GET", "/ops/queues", &[]).status, 503);
}

#[test]
fn beside_the_questions_there_are_the_login_and_logout_pages_and_nothing_else() {
    let mut ada = behind_proxy(Sessions::records(), |gate| gate);
    sign_in(&mut ada);
    for path in ["/ops/queues", "/ops/static/app.css", "/ops/", "/ops/authgate/", "/ops/login"] {
        let answer = ada.send("GET", path, &PROXIED, b"");
        assert_eq!((answer.status, answer.reason), (404, "outside-mount"), "{path}");
    }
    let mut fields = PROXIED.to_vec();
    fields.push(("origin", "https://dash.example"));
    let out = ada.send("POST", "/ops/authgate/logout", &fields, b"");
    assert_eq!((out.status, out.location(), out.reason), (303, "/ops/authgate/login", "sign-out"));
    assert_eq!(auth_request(&mut ada, "GET", "/ops/queues", &[API]).status, 401);
}

#[test]
fn settings_that_could_not_work_are_refused() {
    let refused = |settings: fn(GateBuilder) -> GateBuilder| {
        settings(gate(Sessions::records()).forward_auth()).build().unwrap_err().field()
    };
    assert_eq!(refused(|gate| gate), "trusted_proxies");
    assert_eq!(
        refused(|gate| gate.trusted_proxies(["unix"]).forwarded_fields(ForwardedFields::Rfc7239)),
        "forwarded_fields"
    );
    assert_eq!(refused(|gate| gate.trusted_proxies(["unix"]).login_path(Gate::AUTH_REQUEST)), "login_path");
    assert_eq!(
        refused(|gate| gate.trusted_proxies(["unix"]).upstream(Upstream::new().user_header("a b"))),
        "user_header"
    );
}
