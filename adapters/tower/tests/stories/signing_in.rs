//! People sign in, work, and sign out, through the layer.

use std::future::{pending, ready};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use authgate_core::{Account, Credentials, Gate, GateBuilder, LoginForm, PasswordBackend, User};
use authgate_tower::{Expiry, GateLayer, Host};
use bytes::Bytes;
use http::{HeaderValue, Request};
use tokio::task::yield_now;
use tower::{Layer as _, ServiceExt as _};

use crate::world::{App, Arrived, World, get, outcome, request, send};

pub(crate) fn people() -> GateBuilder {
    Gate::builder(PasswordBackend::new()).mount("/ops")
}

/// A form, as our own page posts it.
pub(crate) fn form(target: &str, body: &str) -> Request<String> {
    let fields = [("sec-fetch-site", "same-origin"), ("content-type", "application/x-www-form-urlencoded")];
    let mut form = request("POST", target, &fields);
    body.clone_into(form.body_mut());
    form
}

pub(crate) fn login(password: &str) -> Request<String> {
    form("/ops/login", &format!("username=ada&password={password}&next=%2Fops%2Fqueues%3Fpage%3D2"))
}

pub(crate) fn verify(username: &str, password: &str) -> Option<User> {
    (username == "ada" && password == "right").then(|| User::new("ada"))
}

/// The cookie that an answer sets, name and value.
pub(crate) fn cookie(answer: &Arrived) -> String {
    answer.header("set-cookie").split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_person_signs_in_works_and_signs_out() {
    let (world, app) = (World::new(), App::default());
    let service = world.layer(people()).verify_blocking(verify).layer(app.clone());
    let wrong = send(&service, login("wrong")).await;
    assert_eq!((wrong.status, wrong.header("set-cookie")), (401, ""));
    assert_eq!(world.line().decided, "respond 401 wrong-password ada");
    let right = send(&service, login("right")).await;
    assert_eq!((right.status, right.header("location")), (303, "/ops/queues?page=2"));
    assert_eq!(world.line().decided, "respond 303 sign-in ada");

    let cookie = cookie(&right);
    let page = send(&service, get("/ops/queues", &[("cookie", &cookie)])).await;
    assert_eq!((page.status, page.body.as_str()), (200, "dashboard"));
    assert_eq!((page.header("cache-control"), page.header("vary")), ("no-store", "Cookie"));
    let seen = app.only();
    assert_eq!(seen.extensions().get::<Arc<User>>().unwrap().id, "ada");
    let expiry = seen.extensions().get::<Expiry>().unwrap().clone();
    assert!(!expiry.has_passed());

    assert_eq!(world.line().decided, "forward - signed-in ada");

    let mut out = form("/ops/logout", "");
    out.headers_mut().insert("cookie", cookie.parse().unwrap());
    assert_eq!(send(&service, out).await.header("location"), "/ops/login");
    assert_eq!(world.line().decided, "respond 303 sign-out ada");
    assert!(expiry.has_passed(), "t13: whoever holds the connection learns of it");
    assert_eq!(send(&service, get("/ops/queues", &[("cookie", &cookie)])).await.status, 303);
    assert!(app.heard_nothing());
}

#[tokio::test]
async fn t13_a_websocket_is_told_within_a_second_of_the_sign_out() {
    let (world, app) = (World::new(), App::default());
    let service = world.layer(people()).verify_blocking(verify).layer(app.clone());
    let cookie = cookie(&send(&service, login("right")).await);
    send(&service, get("/ops/ws", &[("cookie", &cookie)])).await;
    let expiry = app.only().extensions().get::<Expiry>().unwrap().clone();
    let ended = tokio::spawn(async move { expiry.expired().await });
    yield_now().await;
    let mut out = form("/ops/logout", "");
    out.headers_mut().insert("cookie", cookie.parse().unwrap());
    send(&service, out).await;
    yield_now().await;
    assert!(!ended.is_finished());
    world.clock.advance(Duration::from_secs(1));
    outcome(ended).await;
}

#[tokio::test]
async fn an_asynchronous_check_may_await_and_may_fail() {
    let world = World::new();
    let verify = |who: Credentials| async move {
        yield_now().await;
        match who.password.expose().as_str() {
            "right" => Ok(Some(Account::from(User::new(who.username)).with_credential("hash"))),
            "down" => Err("the directory is down\nfor a while"),
            _ => Ok(None),
        }
    };
    let service = world.layer(people()).verify(verify).layer(App::default());
    assert_eq!(send(&service, login("right")).await.status, 303);
    assert_eq!(send(&service, login("wrong")).await.status, 401);
    world.trail.lock().unwrap().clear();
    let down = send(&service, login("down")).await;
    assert_eq!(down.status, 503);
    assert!(!down.body.contains("directory") && down.body.contains("value=\"ada\""));
    assert_eq!(world.line().detail, "the directory is down for a while");
}

#[tokio::test]
async fn t30_a_check_that_hangs_is_503_at_the_deadline() {
    let world = World::new();
    let layer = world.layer(people()).verify(|_| pending::<Option<User>>()).deadline(Duration::from_secs(2));
    let answer = tokio::spawn(layer.layer(App::default()).oneshot(login("right")));
    yield_now().await;
    world.clock.advance(Duration::from_millis(1999));
    yield_now().await;
    assert!(!answer.is_finished());
    world.clock.advance(Duration::from_millis(1));
    assert_eq!(outcome(answer).await.unwrap().status(), 503);
    assert_eq!(world.line().detail, "the password check gave no answer within 2000 ms");
}

#[tokio::test]
async fn t30_a_check_that_panics_is_503_and_its_words_are_nobodys() {
    let world = World::new();
    let verify =
        |who: Credentials| -> std::future::Ready<Option<User>> { panic!("{}", who.password.expose()) };
    let service = world.layer(people()).verify(verify).layer(App::default());
    let answer = send(&service, login("hunter2")).await;
    assert_eq!(answer.status, 503);
    let line = world.line();
    assert_eq!(line.detail, "the password check panicked");
    assert!(!line.everything.contains("hunter2") && !answer.body.contains("hunter2"));
}

#[tokio::test]
async fn t32_a_layer_that_was_given_no_check_lets_nobody_in_and_says_what_is_missing() {
    let world = World::new();
    let service = world.layer(people()).layer(App::default());
    assert_eq!(send(&service, login("right")).await.status, 503);
    assert!(world.line().detail.contains("verify_blocking"));
}

#[tokio::test]
async fn t28_parallel_wrong_passwords_ask_no_more_than_the_budget() {
    let (world, asked) = (World::new(), Arc::new(Mutex::new(0)));
    let counted = Arc::clone(&asked);
    let verify = move |_: Credentials| {
        *counted.lock().unwrap() += 1;
        async {
            yield_now().await;
            None::<User>
        }
    };
    let service = world.layer(people()).verify(verify).layer(App::default());
    let tries: Vec<_> = (0..200).map(|_| tokio::spawn(service.clone().oneshot(login("wrong")))).collect();
    let mut statuses = Vec::new();
    for answer in tries {
        statuses.push(answer.await.unwrap().unwrap().status().as_u16());
    }
    assert_eq!(*asked.lock().unwrap(), 10);
    assert_eq!(statuses.iter().filter(|&&status| status == 401).count(), 10);
    assert_eq!(statuses.iter().filter(|&&status| status == 429).count(), 190);
}

/// A host with a login page of its own.
#[derive(Clone)]
struct Branded;

impl Host for Branded {
    fn sleep(&self, _: Duration) -> impl Future<Output = ()> + Send + 'static {
        pending()
    }

    fn login_page(&self, form: &LoginForm) -> Option<(Bytes, HeaderValue)> {
        let next = form.next.as_ref().map_or("-", |next| next.as_str());
        let html = format!("<form action={}> {next} {} {:?}", form.action, form.username, form.error);
        Some((html.into(), HeaderValue::from_static("default-src 'self'")))
    }
}

#[tokio::test]
async fn a_host_may_render_the_form_itself() {
    let layer = GateLayer::new(people().build().unwrap(), Branded).verify(|_| ready(None::<User>));
    let service = layer.layer(App::default());
    let page = send(&service, get("/ops/login", &[])).await;
    assert_eq!((page.status, page.body.as_str()), (200, "<form action=/ops/login> -  None"));
    assert_eq!(page.header("content-security-policy"), "default-src 'self'");
    let again = send(&service, login("wrong")).await;
    assert_eq!(
        (again.status, again.body.as_str()),
        (401, "<form action=/ops/login> /ops/queues?page=2 ada Some(Wrong)")
    );
    let head = send(&service, request("HEAD", "/ops/login", &[])).await;
    assert_eq!((head.status, head.body.as_str()), (200, ""));
}
