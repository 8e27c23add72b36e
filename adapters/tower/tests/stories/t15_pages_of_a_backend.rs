//! A backend that renders its own login: it gets the request whole, and its failures stay inside.

use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use authgate_core::{DelegatedPage, Gate, Unavailable};
use bytes::Bytes;
use futures_lite::future::poll_once;
use http::Response;
use tower::{Layer as _, ServiceExt as _};

use crate::world::{App, World, bearer, by_cookie, get, request, send};

const SAME_ORIGIN: (&str, &str) = ("sec-fetch-site", "same-origin");

#[tokio::test]
async fn the_backend_gets_the_form_and_its_answer_is_sent() {
    let world = World::new().rendering(|page, request| async move {
        let text = format!("{page:?} {} {} {}", request.method(), request.uri(), request.body());
        let answer =
            Response::builder().status(302).header("set-cookie", "session=1").header("set-cookie", "b=2");
        Ok(answer.body(text.into()).unwrap())
    });
    let app = App::default();
    let service = world.layer(Gate::builder(by_cookie()).mount("/ops")).layer(app.clone());

    let mut form = request("POST", "/ops/login?next=%2Fops%2F", &[SAME_ORIGIN]);
    form.body_mut().push_str("name=ada");
    let answer = send(&service, form).await;
    assert_eq!((answer.status, answer.body.as_str()), (302, "Login POST /ops/login?next=%2Fops%2F name=ada"));
    assert_eq!(answer.headers.get_all("set-cookie").iter().count(), 2);

    assert_eq!(send(&service, get("/ops/login", &[])).await.body, "Login GET /ops/login ");
    assert_eq!(send(&service, get("/ops/logout", &[])).await.body, "Logout GET /ops/logout ");
    assert_eq!(
        send(&service, get("/ops/callback?code=1", &[])).await.body,
        "Route GET /ops/callback?code=1 "
    );
    // Exactly these paths: everything else needs a proof.
    assert_eq!(send(&service, get("/ops/callback/", &[])).await.status, 303);
    assert_eq!(send(&service, get("/callback", &[])).await.status, 404);
    assert!(app.heard_nothing());
}

/// A backend whose pages fail: the client learns nothing but 503.
async fn fails(world: World) {
    let app = App::default();
    let service = world.layer(Gate::builder(by_cookie())).layer(app.clone());
    for path in ["/login", "/logout", "/callback"] {
        let page = send(&service, get(path, &[])).await;
        assert_eq!((page.status, page.header("cache-control")), (503, "no-store"), "{path}");
        assert!(page.body.contains("Temporarily unavailable") && !page.body.contains("10.0.0.7"));
        let answer = send(&service, get(path, &[("accept", "application/json")])).await;
        assert_eq!((answer.status, answer.body.as_str()), (503, "Temporarily unavailable"), "{path}");
    }
    assert!(app.heard_nothing());
}

#[tokio::test]
async fn t32_a_page_that_fails_is_503() {
    fails(World::new().rendering(|_, _| async { Err(Unavailable::new("10.0.0.7 is down")) })).await;
}

#[tokio::test]
async fn t30_a_page_that_panics_is_503() {
    fails(World::new().rendering(|_, _| async {
        tokio::task::yield_now().await;
        panic!("10.0.0.7 said something odd")
    }))
    .await;
}

/// `answer` need not be an `async fn`: what it does before it returns its future may panic, too.
#[tokio::test]
async fn t30_a_page_that_panics_at_once_is_503() {
    async fn never() -> Result<Response<Bytes>, Unavailable> {
        pending().await
    }
    fails(World::new().rendering(|_, request| {
        assert!(request.headers().is_empty(), "10.0.0.7 said something odd");
        never()
    }))
    .await;
}

#[tokio::test]
async fn t32_a_page_that_is_late_is_503_at_the_deadline() {
    let world = World::new().rendering(|_, _| pending());
    let layer = world.layer(Gate::builder(by_cookie())).deadline(Duration::from_secs(1));
    let mut answer = Box::pin(layer.layer(App::default()).oneshot(get("/login", &[])));
    assert!(poll_once(&mut answer).await.is_none());
    world.clock.advance(Duration::from_millis(999));
    assert!(poll_once(&mut answer).await.is_none());
    world.clock.advance(Duration::from_millis(1));
    assert_eq!(poll_once(&mut answer).await.expect("an answer").unwrap().status(), 503);
}

#[tokio::test]
async fn t15_another_sites_form_never_reaches_the_backend() {
    let heard: Arc<Mutex<Vec<DelegatedPage>>> = Arc::default();
    let world = {
        let heard = heard.clone();
        World::new().rendering(move |page, _| {
            heard.lock().unwrap().push(page);
            async { Ok(Response::new(Bytes::new())) }
        })
    };
    // Public paths do not come first: opening everything under the login path changes nothing.
    let gate = Gate::builder(by_cookie()).public_prefix("/login").public_path("/logout");
    let app = App::default();
    let service = world.layer(gate).layer(app.clone());
    for path in ["/login", "/logout"] {
        for fields in [
            &[][..],
            &[("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "same-site")],
            &[("origin", "http://evil.example")],
            &[("origin", "null"), ("cookie", "session=1")],
        ] {
            for method in ["POST", "PUT", "post"] {
                let answer = send(&service, request(method, path, fields)).await;
                assert_eq!(answer.status, 403, "{method} {path} {fields:?}");
                assert!(answer.body.contains("Cross-origin dashboard request rejected"));
            }
        }
    }
    assert!(heard.lock().unwrap().is_empty() && app.heard_nothing());

    send(&service, request("POST", "/login", &[SAME_ORIGIN])).await;
    send(&service, request("POST", "/logout", &[("origin", "http://dash.example")])).await;
    assert_eq!(*heard.lock().unwrap(), [DelegatedPage::Login, DelegatedPage::Logout]);
}

#[tokio::test]
async fn login_and_logout_are_the_first_backends() {
    let world = World::new();
    let service = world.layer(Gate::builder(bearer()).backend(by_cookie())).layer(App::default());
    let page = send(&service, get("/login", &[])).await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("Access by token"));
}
