//! The gate inside a larger application, and behind proxies.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use authgate_core::{ForwardedFields, Gate, Mount, Peer, User};
use axum::{Extension, Router, routing};
use http::Request;
use http_body_util::BodyExt as _;
use serde_json::json;
use tower::{Layer as _, ServiceExt as _};

use crate::world::{App, Arrived, World, bearer, by_cookie, gate, get, request, send, token};

#[tokio::test]
async fn links_carry_what_an_outer_router_has_cut_off() {
    for prefix in ["/team", "/team/"] {
        let service = World::new().layer(gate()).below(Mount::parse(prefix).unwrap()).layer(App::default());
        let answer = send(&service, get("/ops/queues?page=2", &[])).await;
        assert_eq!(answer.header("location"), "/team/ops/login?next=%2Fteam%2Fops%2Fqueues%3Fpage%3D2");
        let page = ("hx-current-url", "http://dash.example/team/ops/queues");
        let answer = send(&service, get("/ops/rows", &[("hx-request", "true"), page])).await;
        assert_eq!(answer.header("hx-redirect"), "/team/ops/login?next=%2Fteam%2Fops%2Fqueues");
        assert_eq!(send(&service, get("/ops/logout", &[])).await.header("location"), "/team/ops/login");
        assert_eq!(send(&service, get("/ops/static/a", &[])).await.status, 200);
        assert!(send(&service, get("/", &[])).await.body.contains("href=\"/team/ops/\""));
    }
}

/// Asks an axum application.
async fn ask(app: &Router, path: &str, fields: &[(&str, &str)]) -> Arrived {
    let request: Request<axum::body::Body> = get(path, fields).map(Into::into);
    let (parts, body) = app.clone().oneshot(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes().to_vec();
    Arrived { status: parts.status.as_u16(), headers: parts.headers, body: String::from_utf8(body).unwrap() }
}

async fn name(Extension(user): Extension<Arc<User>>) -> String {
    user.id.to_string()
}

#[tokio::test]
async fn a_nested_axum_router_has_a_gate_of_its_own() {
    let dashboard = Router::new().route("/queues", routing::get(name));
    let dashboard =
        World::new().layer(Gate::builder(bearer())).below(Mount::parse("/ops").unwrap()).layer(dashboard);
    let app =
        Router::new().nest_service("/ops", dashboard).route("/about", routing::get(async || "about us"));
    let (field, value) = token("ada", json!({}));
    let answer = ask(&app, "/ops/queues?page=2", &[]).await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, "/ops/login?next=%2Fops%2Fqueues%3Fpage%3D2")
    );
    assert_eq!(ask(&app, "/ops/queues", &[(field, &value)]).await.body, "ada");
    assert_eq!(ask(&app, "/ops/login", &[]).await.status, 200);
    assert_eq!(ask(&app, "/ops/nowhere", &[]).await.status, 303);
    assert_eq!(ask(&app, "/about", &[]).await.body, "about us");
}

#[tokio::test]
async fn a_whole_axum_router_stands_behind_the_gate() {
    let router = Router::new().route("/ops/queues", routing::get(name)).layer(World::new().layer(gate()));
    let (field, value) = token("ada", json!({}));
    assert_eq!(ask(&router, "/ops/queues", &[(field, &value)]).await.body, "ada");
    assert_eq!(ask(&router, "/ops/queues", &[]).await.status, 303);
    assert_eq!(ask(&router, "/ops/login", &[]).await.status, 200);
    assert_eq!(ask(&router, "/ops/nowhere", &[]).await.status, 303);
}

/// A request from a peer that sits in its extensions as `authgate_tokio::serve` puts it there.
fn from(peer: &str, mut request: Request<String>) -> Request<String> {
    request.extensions_mut().insert(Peer::from(peer.parse::<IpAddr>().unwrap()));
    request
}

const HOPS: [(&str, &str); 2] =
    [("x-forwarded-for", "6.6.6.6, 203.0.113.9"), ("x-forwarded-for", "10.1.1.1")];

#[tokio::test]
async fn t21_the_record_names_the_client_that_trusted_proxies_saw() {
    let world = World::new();
    let trusting = world.layer(gate().trusted_proxies(["10.0.0.0/8"])).layer(App::default());
    let wary = world.layer(gate()).layer(App::default());
    send(&trusting, from("10.0.0.1", get("/ops/", &HOPS))).await;
    send(&trusting, from("::ffff:10.0.0.1", get("/ops/", &HOPS))).await;
    send(&trusting, from("198.51.100.7", get("/ops/", &HOPS))).await;
    send(&trusting, get("/ops/", &HOPS)).await;
    send(&wary, from("10.0.0.1", get("/ops/", &HOPS))).await;
    let clients: Vec<String> = world
        .trail
        .lock()
        .unwrap()
        .iter()
        .map(|line| line.asked.split(' ').next().unwrap().to_owned())
        .collect();
    assert_eq!(clients, ["203.0.113.9", "203.0.113.9", "198.51.100.7", "unknown", "10.0.0.1"]);
}

#[tokio::test]
async fn the_peer_can_be_found_elsewhere() {
    let world = World::new();
    let layer = world.layer(gate().trusted_proxies(["10.0.0.0/8"]));
    let service = layer
        .peer(|parts| parts.extensions.get::<SocketAddr>().map_or(Peer::Unknown, |&peer| peer.into()))
        .layer(App::default());
    // What is in the usual place does not count then.
    let mut request = from("198.51.100.7", get("/ops/", &HOPS));
    request.extensions_mut().insert(SocketAddr::from(([10, 0, 0, 1], 4711)));
    send(&service, request).await;
    send(&service, from("10.0.0.1", get("/ops/", &HOPS))).await;
    let trail = world.trail.lock().unwrap();
    assert_eq!(trail[0].asked, "203.0.113.9 GET /ops/ page");
    assert_eq!(trail[1].asked, "unknown GET /ops/ page");
}

#[tokio::test]
async fn t21_our_origin_is_what_a_trusted_proxy_says() {
    let world = World::new();
    let gate = Gate::builder(by_cookie())
        .trusted_proxies(["10.0.0.1"])
        .forwarded_fields(ForwardedFields::XForwardedHost);
    let service = world.layer(gate).layer(App::default());
    let fields = [
        ("cookie", "session=1"),
        ("origin", "https://public.example"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "public.example"),
    ];
    assert_eq!(send(&service, from("10.0.0.1", request("POST", "/", &fields))).await.status, 200);
    assert_eq!(send(&service, from("10.0.0.2", request("POST", "/", &fields))).await.status, 403);
}
