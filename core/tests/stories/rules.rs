//! Who may send which requests.

use authgate_core::{
    Access, AuthBackend, Gate, GateBuilder, Head, LoginAnswer, LogoutAnswer, PasswordBackend, Peer, Proof,
    Proven, Rule, Scheme, Sessions, Timestamp, User,
};

use crate::visitor::{API, Visitor};
use crate::world::{Tokens, World, gate};

const HOST: &str = "dash.example";

/// Viewers look, operators do everything, auditors see the audit, and the metrics are for a program or a network.
fn rules() -> Vec<Rule> {
    let rule = |path: &str, methods: &[&str], allow: &[&str]| Rule::parse(path, methods, allow).unwrap();
    vec![
        rule("/", &["GET"], &["role:viewer"]),
        rule("/", &[], &["role:ops", "admins"]),
        rule("/audit", &[], &["role:auditor"]),
        rule("/metrics", &["GET"], &["user:prometheus", "network:10.0.0.0/8"]),
        rule("/files/a b", &["GET", "WEBSOCKET"], &["signed-in"]),
    ]
}

fn user(id: &str, roles: &[&str]) -> User {
    let roles = roles.iter().map(|role| (*role).into()).collect();
    User { is_admin: id == "root", roles, ..User::new(id) }
}

#[test]
fn the_table_of_rules() {
    let gate = Gate::builder(Tokens)
        .mount("/ops")
        .rules(rules())
        .public_prefix("/static")
        .allowed_hosts([HOST])
        .build()
        .unwrap();
    let (viewer, ops, auditor) = (user("v", &["viewer"]), user("o", &["ops"]), user("a", &["auditor"]));
    let (root, both, prometheus) =
        (user("root", &[]), user("b", &["viewer", "auditor"]), user("prometheus", &[]));
    let table = [
        ("GET", "/ops/queues", Some(&viewer), true, "rule 1"),
        ("HEAD", "/ops/queues", Some(&viewer), true, "rule 1"),
        ("GET", "/ops", Some(&viewer), true, "rule 1"),
        ("get", "/ops/queues", Some(&viewer), false, "rule 2"),
        ("POST", "/ops/queues", Some(&viewer), false, "rule 2"),
        ("OPTIONS", "/ops/queues", Some(&viewer), false, "rule 2"),
        ("WEBSOCKET", "/ops/queues", Some(&viewer), false, "rule 2"),
        ("GET", "/ops/queues", Some(&ops), true, "rule 2"),
        ("PURGE", "/ops/queues", Some(&ops), true, "rule 2"),
        ("WEBSOCKET", "/ops/queues", Some(&ops), true, "rule 2"),
        ("DELETE", "/ops/queues", Some(&root), true, "allows admins"),
        // The longest path decides, alone.
        ("GET", "/ops/audit", Some(&ops), false, "rule 3"),
        ("GET", "/ops/audit/2026?x=/ops/", Some(&root), false, "rule 3"),
        ("GET", "/ops/audit", Some(&auditor), true, "rule 3"),
        ("POST", "/ops/audit/", Some(&auditor), true, "rule 3"),
        ("GET", "/ops/auditors", Some(&auditor), false, "rule 1"),
        ("GET", "/ops/auditors", Some(&viewer), true, "rule 1"),
        ("GET", "/ops/queues", Some(&auditor), false, "rule 1"),
        ("GET", "/ops/metrics", Some(&prometheus), true, "user:prometheus"),
        ("GET", "/ops/metrics", Some(&ops), false, "rule 4"),
        ("POST", "/ops/metrics", Some(&prometheus), false, "do not speak of the method"),
        ("GET", "/ops/files/a%20b/c", Some(&auditor), true, "signed-in"),
        ("WEBSOCKET", "/ops/files/a%20b", Some(&prometheus), true, "signed-in"),
        ("GET", "/ops/files/a", Some(&prometheus), false, "rule 1"),
        // However a server behind may read it.
        ("GET", "/ops/%61udit", Some(&viewer), false, "rule 3"),
        ("GET", "/ops/%61udit", Some(&auditor), false, "rule 1"),
        ("GET", "/ops/%61udit", Some(&both), true, "rule"),
        ("GET", "/ops/%2561udit", Some(&viewer), false, "rule 3"),
        ("GET", "/ops/AUDIT", Some(&viewer), false, "rule 3"),
        ("GET", "/ops/audit;v=1", Some(&viewer), false, "rule 3"),
        ("GET", "/ops/;x/audit", Some(&viewer), false, "rule 3"),
        ("GET", "/ops/audit.", Some(&viewer), false, "rule 3"),
        ("GET", "/ops/audit%20", Some(&viewer), false, "rule 3"),
        ("GET", "/ops//audit", Some(&both), false, "in different ways"),
        ("GET", "/ops/x/../audit", Some(&both), false, "in different ways"),
        ("GET", "/ops/x%2Faudit", Some(&root), false, "in different ways"),
        ("GET", "/ops/%61udit/%2570ublic", Some(&viewer), false, "rule 3"),
        // Nobody is known.
        ("GET", "/ops/queues", None, false, "nobody in particular"),
        ("GET", "/ops/static/app.css", None, true, "public"),
        ("GET", "/ops/login", None, true, "the gate answers it itself"),
        ("GET", "/opsqueues", Some(&root), false, "below the mount"),
    ];
    let outside = Peer::from(std::net::IpAddr::from([192, 0, 2, 1]));
    for (method, path, user, allows, why) in table {
        let told = gate.explain(method, path, user, outside);
        let context = format!("{method} {path} {user:?}: {told}");
        assert_eq!(told.allows(), allows, "{context}");
        assert!(told.to_string().contains(why), "{context}");
        assert!(told.to_string().starts_with(if allows { "allowed: " } else { "refused: " }), "{context}");
    }
}

/// Believes whatever a request says of its sender: `X-Says: id role role`.
struct Believing;

impl AuthBackend for Believing {
    fn name(&self) -> &'static str {
        "believing"
    }
    fn authenticate(&self, head: &Head<'_>, _: Timestamp) -> Proof {
        let Some(said) = head.headers().text(&"x-says".parse().unwrap()) else { return Proof::Absent };
        let mut words = said.split(' ');
        let proven = user(words.next().unwrap(), &words.collect::<Vec<_>>());
        Proof::Proven(Proven { ambient: false, ..proven.into() })
    }
    fn login(&self) -> LoginAnswer {
        LoginAnswer::Delegate
    }
    fn logout(&self) -> LogoutAnswer {
        LogoutAnswer::Delegate
    }
}

#[test]
fn what_is_explained_is_what_happens() {
    let world =
        World::new(Gate::builder(Believing).rules(rules()).public_prefix("/static").allowed_hosts([HOST]));
    let (methods, paths) = (
        ["GET", "HEAD", "POST", "OPTIONS", "get", "WEBSOCKET"],
        ["/", "/queues", "/audit", "/%61udit", "/AUDIT/", "/metrics", "/files/a%20b", "//audit", "/static/a"],
    );
    let mut admitted = 0;
    for (method, path) in methods.iter().flat_map(|method| paths.map(|path| (*method, path))) {
        for said in ["", "v viewer", "o ops", "a auditor", "b viewer auditor", "root", "prometheus"] {
            for address in [[10, 1, 2, 3], [192, 0, 2, 1]] {
                let mut words = said.split(' ');
                let known = user(words.next().unwrap(), &words.collect::<Vec<_>>());
                let known = Some(&known).filter(|_| !said.is_empty());
                let mut fields = vec![API, ("origin", "http://dash.example")];
                fields.extend(Some(("x-says", said)).filter(|_| !said.is_empty()));
                let mut sent = method;
                if method == "WEBSOCKET" {
                    fields.extend([("upgrade", "websocket"), ("connection", "upgrade")]);
                    sent = "GET";
                }
                let mut visitor = world.visitor().at(address);
                let happens = visitor.send(sent, path, &fields, b"").status == 200;
                let told = world.gate.explain(method, path, known, visitor.address);
                assert_eq!(told.allows(), happens, "{method} {path} {said} {address:?}: {told}");
                admitted += usize::from(happens);
            }
        }
    }
    assert!(admitted > 100, "{admitted}");
}

/// Ada, who is an operator, and Bob, who is nothing.
fn people(settings: impl FnOnce(GateBuilder) -> GateBuilder) -> (Visitor, Visitor) {
    let world =
        World::new(settings(gate(Sessions::records()).backend(Tokens).rules(rules()).allowed_hosts([HOST])));
    let (mut ada, mut bob) = (world.visitor(), world.visitor());
    ada.sign_in("ada", "right");
    bob.sign_in("bob", "b0bs");
    (ada, bob)
}

#[test]
fn what_a_user_may_not_do_is_403_and_a_stranger_learns_nothing_of_it() {
    let (mut ada, mut bob) = people(|gate| gate);
    assert_eq!(ada.get("/ops/queues").admitted.unwrap().id, "ada");
    assert_eq!(ada.post("/ops/queues", &[]).status, 200);
    let refused = ada.get("/ops/audit");
    assert_eq!((refused.status, refused.reason), (403, "not-allowed"));
    assert!(
        refused.detail.contains("rule 3") && !refused.body.contains("rule"),
        "the log says why: {}",
        refused.detail
    );
    assert_eq!((bob.get("/ops/queues").status, bob.get("/ops//queues").status), (403, 403));
    bob.cookie = None;
    for path in ["/ops/queues", "/ops/audit", "/ops//queues", "/ops/nowhere"] {
        assert_eq!((bob.get(path).status, bob.get(path).reason), (303, "not-signed-in"), "{path}");
    }
}

#[test]
fn t08_a_right_to_look_is_no_right_to_open_a_websocket() {
    let (mut ada, _) = people(|gate| gate.rules([Rule::parse("/", &["GET"], &["role:ops"]).unwrap()]));
    let websocket = [("upgrade", "websocket"), ("connection", "upgrade"), ("origin", "http://dash.example")];
    assert_eq!(ada.get("/ops/ws").status, 200);
    assert_eq!(ada.send("GET", "/ops/ws", &websocket, b"").status, 403);
    // And the other way round: whoever is behind the gate may answer a handshake with the page.
    let (mut ada, _) = people(|gate| gate.rules([Rule::parse("/", &["WEBSOCKET"], &["role:ops"]).unwrap()]));
    assert_eq!(ada.send("GET", "/ops/ws", &websocket, b"").status, 403);
    assert_eq!(ada.get("/ops/ws").status, 403);
    let both = ["GET", "WEBSOCKET"];
    let (mut ada, _) = people(|gate| gate.rules([Rule::parse("/", &both, &["role:ops"]).unwrap()]));
    assert_eq!(ada.send("GET", "/ops/ws", &websocket, b"").status, 200);
}

#[test]
fn t08_no_other_method_becomes_a_websocket_by_saying_so() {
    let rule = Rule::parse("/", &["GET", "WEBSOCKET"], &["role:ops"]).unwrap();
    let (mut ada, _) = people(|gate| gate.rules([rule]));
    let ours = ("origin", "http://dash.example");
    for pretence in [
        &[ours, ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")][..],
        &[ours, ("sec-fetch-mode", "websocket")],
        &[ours, ("upgrade", "websocket"), ("connection", "upgrade")],
    ] {
        for method in ["POST", "DELETE", "WEBSOCKET", "CONNECT"] {
            let answer = ada.send(method, "/ops/queues", pretence, b"");
            assert_eq!((answer.status, answer.reason), (403, "not-allowed"), "{method} {pretence:?}");
        }
    }
}

#[test]
fn a_network_needs_no_proof_and_is_told_who_asks_all_the_same() {
    let (ada, bob) = people(|gate| gate);
    let (mut ada, mut bob) = (ada.at([10, 1, 2, 3]), bob.at([10, 1, 2, 3]));
    // A user whom the rule does not name may pass because of where they are.
    assert_eq!(ada.get("/ops/metrics").admitted.unwrap().id, "ada");
    let robot = bob.send("GET", "/ops/metrics", &[("authorization", "Bearer good")], b"");
    assert_eq!(robot.admitted.unwrap().id, "robot");
    bob.cookie = None;
    let nobody = bob.get("/ops/metrics");
    assert_eq!((nobody.status, nobody.reason, nobody.admitted), (200, "network", None));
    bob.cookie = Some("authgate=forged".to_owned());
    let forged = bob.get("/ops/metrics");
    assert_eq!((forged.status, forged.reason), (200, "network"));
    assert!(forged.removes_cookie());
    bob.cookie = None;
    assert_eq!(bob.get("/ops/queues").status, 303, "and nowhere else");
    let mut outside = bob.at([192, 0, 2, 9]);
    assert_eq!(outside.send("GET", "/ops/metrics", &[API], b"").status, 401);
}

#[test]
fn t18_being_in_a_network_is_no_leave_for_another_site() {
    let rules = || [Rule::parse("/", &[], &["network:10.0.0.0/8"]).unwrap()];
    let mut inside = World::new(gate(Sessions::records()).rules(rules()).allowed_hosts([HOST]))
        .visitor()
        .at([10, 1, 2, 3]);
    let websocket = [("upgrade", "websocket"), ("connection", "upgrade")];
    let (ours, theirs) = (("origin", "http://dash.example"), ("origin", "http://evil.example"));
    assert_eq!(inside.send("POST", "/ops/queues", &[ours], b"").reason, "network");
    assert_eq!(inside.send("POST", "/ops/queues", &[theirs], b"").reason, "cross-site");
    assert_eq!(inside.send("POST", "/ops/queues", &[], b"").reason, "cross-site");
    assert_eq!(
        inside.send("GET", "/ops/ws", &[websocket[0], websocket[1], theirs], b"").reason,
        "cross-site"
    );
    assert_eq!(inside.send("GET", "/ops/ws", &[websocket[0], websocket[1], ours], b"").reason, "network");
    assert_eq!(inside.send("GET", "/ops/queues", &[theirs], b"").reason, "network");
}

#[test]
fn t27_what_a_network_lets_pass_is_kept_by_no_cache() {
    let (_, bob) = people(|gate| gate);
    let mut bob = bob.at([10, 1, 2, 3]);
    bob.cookie = None;
    assert_eq!(bob.get("/ops/metrics").header("cache-control"), "no-store");
}

#[test]
fn t21_a_proxy_of_whom_nobody_told_us_makes_nobody_one_of_ours() {
    let world = |settings: fn(GateBuilder) -> GateBuilder| {
        let gate = gate(Sessions::records()).rules(rules()).allowed_hosts([HOST]);
        World::new(settings(gate)).visitor()
    };
    let reason = |visitor: &Visitor, address, path, fields: &[(&str, &str)]| {
        visitor.twin().at(address).send("GET", path, fields, b"").reason
    };
    let (anywhere, ours) = (world(|gate| gate), world(|gate| gate.allowed_networks(["10.0.0.0/8"])));
    let with_tls = world(|gate| gate.require_tls(true));
    assert_eq!(reason(&anywhere, [10, 1, 2, 3], "/ops/metrics", &[]), "network");
    assert_eq!(reason(&ours, [10, 1, 2, 3], "/ops/login", &[]), "login");
    assert_eq!(reason(&with_tls, [127, 0, 0, 1], "/ops/login", &[]), "login");
    for field in [("x-forwarded-for", "10.9.9.9"), ("forwarded", "for=10.9.9.9"), ("via", "1.1 squid")] {
        assert_eq!(reason(&anywhere, [10, 1, 2, 3], "/ops/metrics", &[field]), "not-signed-in");
        assert_eq!(reason(&ours, [10, 1, 2, 3], "/ops/login", &[field]), "foreign-network");
        assert_eq!(reason(&with_tls, [127, 0, 0, 1], "/ops/login", &[field]), "plain-http");
    }
}

#[test]
fn t20_where_networks_pass_the_hosts_must_be_known() {
    let gate = || Gate::builder(PasswordBackend::new()).rules(rules());
    assert_eq!(gate().build().unwrap_err().field(), "allowed_hosts");
    assert!(gate().allowed_hosts(["dash.example"]).build().is_ok());
    let (_, bob) = people(|gate| gate);
    let mut bob = bob.at([10, 1, 2, 3]);
    bob.cookie = None;
    let rebound = [("host", "evil.example"), ("sec-fetch-site", "same-origin")];
    assert_eq!(bob.send("GET", "/ops/metrics", &rebound, b"").status, 400);
}

#[test]
fn t32_where_nobody_can_be_asked_a_network_lets_nobody_in_either() {
    let (ada, _) = people(|gate| gate);
    let mut ada = ada.at([10, 1, 2, 3]);
    ada.world.only_down(&["load"]);
    assert_eq!(ada.get("/ops/metrics").status, 503);
}

#[test]
fn t21_the_network_is_that_of_the_client_whom_a_trusted_proxy_names() {
    let (_, bob) = people(|gate| gate.trusted_proxies(["10.0.0.1"]));
    let mut bob = bob.at([10, 0, 0, 1]);
    bob.cookie = None;
    let asked = |bob: &mut Visitor, client| {
        bob.send("GET", "/ops/metrics", &[API, ("x-forwarded-for", client)], b"").status
    };
    assert_eq!(asked(&mut bob, "10.9.9.9"), 200);
    assert_eq!(asked(&mut bob, "203.0.113.9"), 401);
    assert_eq!(asked(&mut bob, "10.9.9.9, 203.0.113.9"), 401);
}

#[test]
fn clients_of_other_networks_do_not_even_see_the_login_page() {
    let settings = |gate: GateBuilder| gate.allowed_networks(["10.0.0.0/8", "192.0.2.1"]);
    let (ada, _) = people(settings);
    for (address, status) in [([10, 1, 2, 3], 200), ([192, 0, 2, 1], 200), ([192, 0, 2, 2], 403)] {
        let mut ada = ada.twin().at(address);
        for path in ["/ops/queues", "/ops/login", "/ops/static/app.css"] {
            assert_eq!(ada.get(path).status, status, "{address:?} {path}");
        }
    }
    let mut unknown = ada.twin();
    unknown.address = Peer::Unknown;
    assert_eq!(unknown.get("/ops/queues").reason, "foreign-network");
    let outside = Peer::from(std::net::IpAddr::from([192, 0, 2, 2]));
    let told = ada.world.gate.explain("GET", "/ops/login", None, outside);
    assert_eq!(told.to_string(), "refused: the client 192.0.2.2 is in none of the allowed networks");
}

#[test]
fn without_tls_only_this_machine_is_answered() {
    let world = World::new(gate(Sessions::records()).require_tls(true).trusted_proxies(["10.0.0.1"]));
    let ask = |address, scheme, fields: &[(&str, &str)]| {
        let mut visitor = world.visitor().at(address);
        visitor.scheme = scheme;
        let answer = visitor.send("GET", "/ops/login", fields, b"");
        (answer.status, answer.reason)
    };
    let (over, said) =
        (Scheme::Http, |proto| [("x-forwarded-for", "203.0.113.9"), ("x-forwarded-proto", proto)]);
    assert_eq!(ask([192, 0, 2, 1], over, &[]), (403, "plain-http"));
    assert_eq!(ask([192, 0, 2, 1], Scheme::Https, &[]), (200, "login"));
    assert_eq!(ask([127, 0, 0, 1], over, &[]), (200, "login"));
    assert_eq!(ask([10, 0, 0, 1], over, &said("https")), (200, "login"));
    assert_eq!(ask([10, 0, 0, 1], over, &said("http")), (403, "plain-http"));
    assert_eq!(ask([192, 0, 2, 1], over, &said("https")), (403, "plain-http"), "from a stranger");
}

#[test]
fn two_tables_of_who_may_pass_are_refused() {
    let gate = || Gate::builder(PasswordBackend::new()).rules(rules()).allowed_hosts([HOST]);
    assert_eq!(gate().access(Access::admins()).build().unwrap_err().field(), "rules");
    assert!(gate().access(Access::signed_in()).build().is_ok());
    for network in ["0.0.0.0/0", "office", ""] {
        assert_eq!(gate().allowed_networks([network]).build().unwrap_err().field(), "allowed_networks");
    }
}

#[test]
fn an_explanation_names_the_rules_that_decide_and_whom_they_refuse() {
    let gate = gate(Sessions::records()).rules(rules()).allowed_hosts([HOST]).build().unwrap();
    let outside = Peer::from(std::net::IpAddr::from([192, 0, 2, 1]));
    let explain = |path, user| gate.explain("GET", path, Some(&user), outside).to_string();
    let one = explain("/ops/audit", user("v", &["viewer"]));
    assert!(one.contains(") decides and does not allow: user \"v\", role viewer"), "{one}");
    let two = explain("/ops/queues", user("n", &[]));
    assert!(
        two.contains("), and rule 2 (") && two.contains(" decide and do not allow: user \"n\", without"),
        "{two}"
    );
    assert_eq!(two.matches(", and rule").count(), 1, "{two}");
}

#[test]
fn without_rules_an_explanation_goes_by_whom_the_gate_is_open_to() {
    let gate = gate(Sessions::records()).access(Access::admins()).build().unwrap();
    let outside = Peer::from(std::net::IpAddr::from([192, 0, 2, 1]));
    let root = User { is_admin: true, ..user("root", &["a", "b"]) };
    for (user, told) in [
        (None, "refused: there are no rules, and nobody has signed in"),
        (
            Some(&user("ada", &[])),
            "refused: there are no rules, and the gate is not open to user \"ada\", without roles",
        ),
        (
            Some(&root),
            "allowed: there are no rules, and the gate is open to user \"root\", an administrator, role a b",
        ),
    ] {
        assert_eq!(gate.explain("GET", "/ops/queues", user, outside).to_string(), told);
    }
}
