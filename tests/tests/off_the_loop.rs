//! A password check that blocks does not block anybody else, on runtimes with a single thread.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::convert::Infallible;
use std::sync::Mutex;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use authgate_core::{Gate, PasswordBackend, User};
use authgate_smol::Smol;
use authgate_tokio::Tokio;
use authgate_tower::{GateLayer, Host};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tower::{Layer as _, ServiceExt as _, service_fn};

fn sign_in() -> Request<Full<Bytes>> {
    Request::post("/login")
        .header("sec-fetch-site", "same-origin")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Full::from("username=ada&password=right"))
        .unwrap()
}

/// Signs in with a check that only ends once a public page has been answered, on the same thread.
async fn a_blocking_check_waits_for_a_page(host: impl Host) -> [u16; 2] {
    let (answered, wait) = channel::<()>();
    let wait = Mutex::new(wait);
    let verify = move |username: &str, _: &str| {
        wait.lock().unwrap().recv_timeout(Duration::from_secs(20)).map(|()| Some(User::new(username)))
    };
    let gate = Gate::builder(PasswordBackend::new()).public_path("/healthz").build().unwrap();
    let inner = service_fn(|_: Request<Full<Bytes>>| async {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    });
    let layer = GateLayer::new(gate, host).verify_blocking(verify).deadline(Duration::from_secs(30));
    let service = layer.layer(inner);
    let page = async {
        let request = Request::get("/healthz").body(Full::default()).unwrap();
        let answer = service.clone().oneshot(request).await.unwrap();
        tell(&answered);
        answer.status().as_u16()
    };
    let login = async { service.clone().oneshot(sign_in()).await.unwrap().status().as_u16() };
    // The login is polled first: a check on this thread would keep the page from ever being answered.
    let (login, page) = smol::future::zip(login, page).await;
    [login, page]
}

fn tell(answered: &Sender<()>) {
    answered.send(()).unwrap();
}

#[test]
fn t29_a_check_that_blocks_delays_nobody_on_tokio() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    assert_eq!(runtime.block_on(a_blocking_check_waits_for_a_page(Tokio)), [303, 200]);
}

#[test]
fn t29_a_check_that_blocks_delays_nobody_on_smol() {
    assert_eq!(smol::block_on(a_blocking_check_waits_for_a_page(Smol)), [303, 200]);
}

async fn a_check_that_panics(host: impl Host) -> u16 {
    let verify = |_: &str, _: &str| -> Option<User> { panic!("asked to") };
    let gate = Gate::builder(PasswordBackend::new()).build().unwrap();
    let inner = service_fn(|_: Request<Full<Bytes>>| async {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    });
    let service = GateLayer::new(gate, host).verify_blocking(verify).layer(inner);
    service.oneshot(sign_in()).await.unwrap().status().as_u16()
}

#[test]
fn t30_a_check_that_panics_off_the_loop_is_503_on_both() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    assert_eq!(runtime.block_on(a_check_that_panics(Tokio)), 503);
    assert_eq!(smol::block_on(a_check_that_panics(Smol)), 503);
}
