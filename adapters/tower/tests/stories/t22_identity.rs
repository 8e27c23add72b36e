//! Who is admitted reaches the dashboard from the gate alone.

use std::sync::Arc;

use authgate_core::{Fallback, Gate, Peer, Timestamp, Unanswered, Upstream, User};
use authgate_tower::{Expiry, RequestId};
use http::{Request, Response};
use serde_json::json;
use tower::Layer as _;

use crate::world::{App, START, World, by_cookie, gate, get, send, token, waiting};

#[tokio::test]
async fn the_user_lands_in_the_extensions() {
    let (world, app) = (World::new(), App::default());
    let service = world.layer(gate()).layer(app.clone());
    let (field, value) = token("u1", json!({ "name": "Ada", "roles": ["ops"], "exp": START + 60 }));
    let mut request = get("/ops/queues?page=2", &[(field, &value)]);
    request.body_mut().push_str("form");
    let answer = send(&service, request).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "dashboard"));

    let arrived = app.only();
    let user = arrived.extensions().get::<Arc<User>>().unwrap();
    assert_eq!((user.id.as_str(), user.name.as_str(), user.is_admin), ("u1", "Ada", false));
    assert!(user.has_role("ops"));
    let expiry = arrived.extensions().get::<Expiry>().unwrap();
    assert_eq!(expiry.until(), Some(Timestamp::from_secs(START + 60)));
    let id = arrived.extensions().get::<RequestId>().unwrap().to_string();
    assert_eq!(id, world.trail.lock().unwrap()[0].request);
    assert_eq!((arrived.uri().to_string().as_str(), arrived.body().as_str()), ("/ops/queues?page=2", "form"));
}

const PRETENDED: [(&str, &str); 9] = [
    ("X-Auth-User", "root"),
    ("x_auth_user", "root"),
    ("x.auth.user", "root"),
    ("REMOTE_USER", "root"),
    ("Remote-User", "root"),
    ("x-forwarded-user", "root"),
    ("x-forwarded-user", "toor"),
    ("X_Forwarded-User", "root"),
    ("TEAM_NAME", "admins"),
];

const OTHERS: [(&str, &str); 4] =
    [("accept", "text/html"), ("x-auth-users", "not one of them"), ("x-tag", "2"), ("x-tag", "1")];

/// All fields but those that every request has, by name; those of one name in their order.
fn fields(request: &Request<String>) -> Vec<(&str, &str)> {
    let fields = request.headers().iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap()));
    let mut fields: Vec<_> = fields.filter(|(name, _)| !matches!(*name, "host" | "authorization")).collect();
    fields.sort_by_key(|(name, _)| *name);
    fields
}

#[tokio::test]
async fn t22_pretended_identities_are_stripped_and_nothing_else() {
    let (world, app) = (World::new(), App::default());
    let service = world.layer(gate().identity_headers(["Team-Name"])).layer(app.clone());
    let (_, proof) = token("ada", json!({}));
    let proof = [("authorization", proof.as_str())];
    send(&service, get("/ops/", &[&PRETENDED[..], &OTHERS[..], &proof[..]].concat())).await;
    let arrived = app.only();
    assert_eq!(fields(&arrived), OTHERS);
    assert_eq!(arrived.headers()["authorization"], proof[0].1);
}

#[tokio::test]
async fn t22_a_public_path_pretends_nobody() {
    let (world, app) = (World::new(), App::default());
    let service = world.layer(gate().identity_headers(["Team-Name"])).layer(app.clone());
    let (_, proof) = token("ada", json!({}));
    let proof = [("authorization", proof.as_str())];
    send(&service, get("/ops/static/app.css", &[&PRETENDED[..], &OTHERS[..], &proof[..]].concat())).await;
    let arrived = app.only();
    assert_eq!(fields(&arrived), OTHERS);
    assert!(arrived.extensions().get::<Arc<User>>().is_none());
    assert_eq!(arrived.extensions().get::<Expiry>().unwrap().until(), None);
}

/// Somebody stands before the gate and says who it is, as either type.
fn vouched_for(mut request: Request<String>) -> Request<String> {
    request.extensions_mut().insert(User::new("eve"));
    request.extensions_mut().insert(Arc::new(User::new("eve")));
    request
}

/// Whom a request names, as either type.
fn named<B>(request: &Request<B>) -> [Option<&str>; 2] {
    let extensions = request.extensions();
    [extensions.get::<Arc<User>>().map(Arc::as_ref), extensions.get::<User>()].map(|user| Some(&*user?.id))
}

#[tokio::test]
async fn t22_an_outer_layers_user_is_nobodys() {
    let (_, proof) = token("ada", json!({}));
    for (path, admitted) in [("/ops/queues", Some("ada")), ("/ops/static/app.css", None)] {
        let (world, app) = (World::new(), App::default());
        let service = world.layer(gate()).layer(app.clone());
        send(&service, vouched_for(get(path, &[("authorization", &proof)]))).await;
        assert_eq!(named(&app.only()), [admitted, None], "{path}");
    }
    let world = World::new().rendering(|_, request| async move {
        assert_eq!(named(&request), [None, None]);
        Ok(Response::new("a backend's own page".into()))
    });
    let service = world.layer(Gate::builder(by_cookie())).layer(App::default());
    let answer = send(&service, vouched_for(get("/login", &[]))).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "a backend's own page"));
}

#[tokio::test]
async fn t22_pretended_identities_are_stripped_after_waiting_too() {
    let world = World::new().knowing(|_, parts| {
        // The backend sees the request as it came.
        let user = parts.headers.get("x-tag").map(|_| User::new("ada"));
        async move { Ok(user) }
    });
    let app = App::default();
    let gate = Gate::builder(waiting("directory")).identity_headers(["Team-Name"]);
    let service = world.layer(gate).layer(app.clone());
    send(&service, get("/", &[&PRETENDED[..], &OTHERS[..]].concat())).await;
    let arrived = app.only();
    assert_eq!(fields(&arrived), OTHERS);
    assert_eq!(arrived.extensions().get::<Arc<User>>().unwrap().id, "ada");
}

#[tokio::test]
async fn t22_a_server_behind_the_gate_hears_who_it_is_from_the_gate_alone() {
    let (world, app) = (World::new(), App::default());
    let service = world.layer(gate().upstream(Upstream::new())).layer(app.clone());
    let (_, proof) = token("ada lovelace", json!({ "roles": ["ops"] }));
    let asked =
        [("authorization", proof.as_str()), ("connection", "x-auth-user"), ("forwarded", "for=1.2.3.4")];
    send(&service, get("/ops/queues", &[&PRETENDED[..], &asked[..]].concat())).await;
    let arrived = app.only();
    let told = [
        ("forwarded", "for=unknown;host=\"dash.example\";proto=http"),
        ("team_name", "admins"),
        ("x-auth-roles", "ops"),
        ("x-auth-user", "ada%20lovelace"),
        ("x-forwarded-host", "dash.example"),
        ("x-forwarded-proto", "http"),
    ];
    assert_eq!(fields(&arrived), told);
    assert!(!arrived.headers().contains_key("authorization"));
    let fallback = arrived.extensions().get::<Fallback>().unwrap();
    assert_eq!(fallback.reply(Unanswered::TimedOut).status(), 504);
}

#[tokio::test]
async fn t33_the_trail_names_the_request_that_a_proxy_asks_about() {
    let world = World::new();
    let service = world.layer(gate().forward_auth().trusted_proxies(["unix"])).layer(App::default());
    let uri = "/ops/queues?token=secret";
    let mut request = get(
        "/ops/authgate/auth-request",
        &[("x-forwarded-method", "DELETE"), ("x-forwarded-uri", uri), ("accept", "application/json")],
    );
    request.extensions_mut().insert(Peer::Unix);
    assert_eq!(send(&service, request).await.status, 401);
    let line = world.line();
    assert!(line.asked.contains("DELETE /ops/queues "), "{}", line.asked);
    assert!(!line.everything.contains("secret"));
}
