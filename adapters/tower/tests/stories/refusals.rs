//! Who is not let in gets an answer they can read, and the dashboard hears nothing of them.

use authgate_core::Access;
use serde_json::json;
use tower::Layer as _;

use crate::world::{App, Arrived, START, World, gate, get, request, send, token};

/// A gate for administrators answers `method target` with `fields`, and the dashboard hears nothing.
async fn refused(method: &str, target: &str, fields: &[(&str, &str)]) -> Arrived {
    let (world, app) = (World::new(), App::default());
    let service = world.layer(gate().access(Access::admins())).layer(app.clone());
    let answer = send(&service, request(method, target, fields)).await;
    assert!(app.heard_nothing(), "{method} {target} {fields:?}");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    answer
}

const API: (&str, &str) = ("accept", "application/json");
const HTMX: (&str, &str) = ("hx-request", "true");

#[tokio::test]
async fn a_page_leads_to_login_and_back() {
    let answer = refused("GET", "/ops/queues/a%26b?page=2", &[]).await;
    assert_eq!(answer.status, 303);
    assert_eq!(answer.header("location"), "/ops/login?next=%2Fops%2Fqueues%2Fa%2526b%3Fpage%3D2");
}

#[tokio::test]
async fn t06_a_posted_form_leads_back_to_the_page_it_came_from() {
    let page = [("referer", "http://dash.example/ops/queues")];
    let answer = refused("POST", "/ops/queues/mail/pause", &page).await;
    assert_eq!((answer.status, answer.header("location")), (303, "/ops/login?next=%2Fops%2Fqueues"));
}

#[tokio::test]
async fn t05_htmx_is_told_to_load_the_login_page() {
    let page = ("hx-current-url", "http://dash.example/ops/queues?page=2");
    let answer = refused("GET", "/ops/queues/rows", &[HTMX, page]).await;
    assert_eq!(answer.status, 401);
    assert_eq!(answer.header("hx-redirect"), "/ops/login?next=%2Fops%2Fqueues%3Fpage%3D2");
    assert_eq!(answer.header("location"), "");
}

#[tokio::test]
async fn t12_a_program_gets_a_status_it_can_read() {
    for fields in [&[API][..], &[("accept", "text/event-stream")], &[("sec-fetch-mode", "cors")]] {
        let answer = refused("GET", "/ops/", fields).await;
        assert_eq!((answer.status, answer.body.as_str()), (401, "Authentication required"));
        assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"dashboard\"");
        assert_eq!((answer.header("location"), answer.header("hx-redirect")), ("", ""));
    }
}

#[tokio::test]
async fn a_token_that_does_not_hold_is_answered_like_none() {
    let (field, expired) = token("ada", json!({ "is_admin": true, "exp": START }));
    let (_, fresh) = token("ada", json!({ "is_admin": true }));
    for value in [expired, format!("{fresh}x"), "Bearer ".to_owned(), "Bearer a.b.c".to_owned()] {
        let answer = refused("GET", "/ops/", &[API, (field, &value)]).await;
        assert_eq!((answer.status, answer.body.as_str()), (401, "Authentication required"));
    }
    let answer = refused("GET", "/ops/", &[API, (field, &fresh), (field, &fresh)]).await;
    assert_eq!(answer.status, 401, "t40: two fields prove nothing");
}

#[tokio::test]
async fn a_known_user_without_the_right_is_told_so() {
    let (field, user) = token("ada", json!({}));
    let answer = refused("GET", "/ops/", &[(field, &user)]).await;
    assert_eq!((answer.status, answer.header("content-type")), (403, "text/html; charset=utf-8"));
    assert!(answer.body.contains("Dashboard user is not authorized"));
    for fields in [[API, (field, &user)], [HTMX, (field, &user)]] {
        let answer = refused("GET", "/ops/", &fields).await;
        assert_eq!((answer.status, answer.body.as_str()), (403, "Dashboard user is not authorized"));
        assert_eq!(answer.header("hx-redirect"), "");
    }
}

#[tokio::test]
async fn the_gates_pages_may_load_nothing_and_stand_in_no_frame() {
    let pages = [
        refused("GET", "/ops/login", &[]).await,
        refused("GET", "/elsewhere", &[]).await,
        refused("GET", "/ops/", &[("host", "other.example")]).await,
    ];
    for (page, status) in pages.iter().zip([200, 404, 400]) {
        assert_eq!(page.status, status);
        assert_eq!(page.header("x-frame-options"), "DENY");
        assert_eq!(page.header("referrer-policy"), "same-origin");
        let policy = page.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none';") && !policy.contains("unsafe"), "{policy}");
    }
}

#[tokio::test]
async fn t10_nothing_outside_the_mount_is_passed_on() {
    let (field, admin) = token("ada", json!({ "is_admin": true }));
    for target in ["/", "/opslogin", "/opsstatic/a", "//ops/"] {
        assert_eq!(refused("GET", target, &[API, (field, &admin)]).await.status, 404, "{target}");
    }
}

#[tokio::test]
async fn t09_no_spelling_makes_a_path_public() {
    for target in ["/ops/static/%2e%2e/queues", "/ops/static/..;/queues", "/ops//static/a", "/ops/staticx"] {
        assert_eq!(refused("GET", target, &[API]).await.status, 401, "{target}");
    }
}

#[tokio::test]
async fn a_head_that_is_not_honest_is_refused() {
    let (field, admin) = token("ada", json!({ "is_admin": true }));
    let two_hosts = [(field, admin.as_str()), ("host", "other.example")];
    assert_eq!(refused("GET", "/ops/", &two_hosts).await.status, 400);
    let two_bodies = [(field, admin.as_str()), ("content-length", "1"), ("transfer-encoding", "chunked")];
    assert_eq!(refused("POST", "/ops/", &two_bodies).await.status, 400);
    let many = [&[("x", "y"); 100][..], &[(field, admin.as_str())]].concat();
    assert_eq!(refused("GET", "/ops/", &many).await.status, 431);
    let large = "y".repeat(66_000);
    assert_eq!(refused("GET", "/ops/", &[(field, &admin), ("x", &large)]).await.status, 431);
}

#[tokio::test]
async fn head_is_answered_as_get_without_the_body() {
    for (target, fields, status) in
        [("/ops/", &[API][..], 401), ("/ops/login", &[], 200), ("/elsewhere", &[], 404)]
    {
        let answer = refused("HEAD", target, fields).await;
        assert_eq!((answer.status, answer.body.as_str()), (status, ""), "{target}");
        let full = refused("GET", target, fields).await;
        assert!(!full.body.is_empty());
        assert_eq!(answer.headers, full.headers);
    }
}

#[tokio::test]
async fn t34_signing_out_leads_to_login_below_the_mount() {
    let answer = refused("GET", "/ops/logout", &[]).await;
    assert_eq!((answer.status, answer.header("location")), (303, "/ops/login"));
    let answer = refused("GET", "/ops/logout", &[HTMX]).await;
    assert_eq!((answer.status, answer.header("hx-redirect")), (204, "/ops/login"));
}

#[tokio::test]
async fn t08_a_websocket_is_refused_before_it_is_accepted() {
    let handshake = [("upgrade", "websocket"), ("connection", "Upgrade")];
    assert_eq!(refused("GET", "/ops/ws", &handshake).await.status, 401);
    let (field, user) = token("ada", json!({}));
    let with_token = [&handshake[..], &[(field, user.as_str())]].concat();
    assert_eq!(refused("GET", "/ops/ws", &with_token).await.status, 403);

    let (world, app) = (World::new(), App::default());
    let service = world.layer(gate()).layer(app.clone());
    send(&service, get("/ops/ws", &with_token)).await;
    assert_eq!(app.only().headers()["upgrade"], "websocket");
}
