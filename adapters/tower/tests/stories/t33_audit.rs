//! Every decision is one line: who, where, what and why, and never a secret.

use std::collections::HashSet;
use std::future::pending;
use std::time::Duration;

use authgate_core::{Access, Gate, Unavailable, User};
use bytes::Bytes;
use http::Response;
use serde_json::json;
use tower::{Layer as _, ServiceExt as _};

use crate::world::{App, START, World, bearer, by_cookie, gate, get, outcome, request, send, token, waiting};

#[tokio::test]
async fn t33_every_decision_is_one_line() {
    let (field, ada) = token("ada", json!({ "roles": ["ops"] }));
    let (_, bob) = token("bob", json!({}));
    let (_, late) = token("ada", json!({ "exp": START }));
    let (ada, bob, late) = ([(field, ada.as_str())], [(field, bob.as_str())], [(field, late.as_str())]);
    let api = ("accept", "application/json");
    let handshake = [("upgrade", "websocket"), ("connection", "upgrade")];
    let world = World::new();
    let service = world.layer(gate().access(Access::any_role(["ops"]).unwrap())).layer(App::default());
    for (request, asked, decided) in [
        (get("/ops/q?x=1", &ada), "unknown GET /ops/q page", "forward - signed-in ada"),
        (get("/ops/static/a.css", &ada), "unknown GET /ops/static/a.css page", "forward - public -"),
        (get("/ops/q?x=1", &[]), "unknown GET /ops/q page", "respond 303 not-signed-in -"),
        (get("/ops/q", &[api]), "unknown GET /ops/q api", "respond 401 not-signed-in -"),
        (get("/ops/q", &[late[0], api]), "unknown GET /ops/q api", "respond 401 token-expired -"),
        (get("/ops/q", &[("hx-request", "true")]), "unknown GET /ops/q htmx", "respond 401 not-signed-in -"),
        (get("/ops/ws", &handshake), "unknown GET /ops/ws websocket", "respond 401 not-signed-in -"),
        (get("/ops/q", &bob), "unknown GET /ops/q page", "respond 403 not-allowed bob"),
        (get("/", &ada), "unknown GET / page", "respond 404 outside-mount -"),
        (get("/ops/q", &[("host", "b")]), "unknown GET /ops/q page", "respond 400 bad-request -"),
        (get("/ops/login", &[]), "unknown GET /ops/login page", "respond 200 login -"),
        (get("/ops/logout", &ada), "unknown GET /ops/logout page", "respond 303 logout -"),
        (
            request("POST", "/ops/login", &[("sec-fetch-site", "cross-site")]),
            "unknown POST /ops/login page",
            "respond 403 cross-site -",
        ),
    ] {
        send(&service, request).await;
        let line = world.line();
        assert_eq!((line.asked.as_str(), line.decided.as_str()), (asked, decided));
        assert!(!line.detail.is_empty());
    }
}

#[tokio::test]
async fn t33_requests_are_told_apart() {
    let world = World::new();
    let service = world.layer(gate()).layer(App::default());
    for _ in 0..50 {
        // A clone, as servers make one for every connection, counts on.
        send(&service.clone(), get("/ops/", &[])).await;
    }
    let ids: HashSet<String> = world.trail.lock().unwrap().iter().map(|line| line.request.clone()).collect();
    assert_eq!(ids.len(), 50);
}

#[tokio::test]
async fn t33_nothing_that_proves_or_hides_is_written() {
    let world = World::new().rendering(|_, _| async { Ok(Response::new(Bytes::new())) });
    let access = Access::any_role(["ops"]).unwrap();
    let service =
        world.layer(Gate::builder(by_cookie()).backend(bearer()).access(access)).layer(App::default());
    let (field, good) =
        token("eve", json!({ "roles": ["ops"], "name": "Eve", "mail": "eve@private.example" }));
    let (_, bad) = token("ada", json!({ "exp": 1 }));
    for value in [&good, &bad] {
        let fields = [(field, value.as_str()), ("x-api-key", "hush")];
        send(&service, get("/q?token=hush", &fields)).await;
        let fields = [(field, value.as_str()), ("cookie", "session=hush")];
        send(&service, get("/q?token=hush", &fields)).await;
        let mut form = request("POST", "/login?token=hush", &[fields[0], ("sec-fetch-site", "none")]);
        form.body_mut().push_str("password=hush");
        send(&service, form).await;
    }
    let trail = world.trail.lock().unwrap();
    assert_eq!(trail.len(), 6);
    for line in &*trail {
        let signature = |token: &str| token.rsplit('.').next().unwrap().to_owned();
        for secret in ["hush", "private.example", "eyJ", &signature(&good), &signature(&bad)] {
            assert!(!line.everything.contains(secret), "{line:?}");
        }
    }
}

#[tokio::test]
async fn t33_a_backend_that_waits_leaves_one_line_and_its_excuse() {
    let world =
        World::new().knowing(|_, parts| {
            let is_down = parts.headers.contains_key("down");
            async move {
                if is_down { Err(Unavailable::new("10.0.0.7 is down")) } else { Ok(Some(User::new("ada"))) }
            }
        });
    let service = world.layer(Gate::builder(waiting("directory"))).layer(App::default());
    send(&service, get("/", &[])).await;
    assert_eq!(world.line().decided, "forward - signed-in ada");
    send(&service, get("/", &[("down", "1")])).await;
    let line = world.line();
    assert_eq!(
        (line.decided.as_str(), line.detail.as_str()),
        ("respond 503 unavailable -", "10.0.0.7 is down")
    );
    send(&service, request("POST", "/", &[("sec-fetch-site", "cross-site")])).await;
    assert_eq!(world.line().decided, "respond 403 cross-site ada");
}

#[tokio::test]
async fn t33_a_page_of_a_backend_leaves_one_line_whatever_comes_of_it() {
    let world = World::new().rendering(|_, request| async move {
        match request.body().as_str() {
            "down" => Err(Unavailable::new("10.0.0.7 is down")),
            "panic" => panic!("asked to"),
            "late" => pending().await,
            _ => Ok(Response::new(Bytes::new())),
        }
    });
    let layer = world.layer(Gate::builder(by_cookie())).deadline(Duration::from_secs(2));
    let service = layer.layer(App::default());
    for (body, decided, detail) in [
        ("fine", "delegate - login -", "the login path was asked for"),
        ("down", "respond 503 unavailable -", "10.0.0.7 is down"),
        ("panic", "respond 503 unavailable -", "the backend panicked"),
        ("late", "respond 503 unavailable -", "the backend gave no answer within 2000 ms"),
    ] {
        let mut form = request("POST", "/login?next=%2F", &[("sec-fetch-site", "same-origin")]);
        form.body_mut().push_str(body);
        let answer = tokio::spawn(service.clone().oneshot(form));
        tokio::task::yield_now().await;
        world.clock.advance(Duration::from_secs(2));
        outcome(answer).await.unwrap();
        let line = world.line();
        assert_eq!(line.asked, "unknown POST /login page");
        assert_eq!((line.decided.as_str(), line.detail.as_str()), (decided, detail));
    }
    send(&service, get("/callback", &[])).await;
    assert_eq!(world.line().decided, "delegate - route -");
}
