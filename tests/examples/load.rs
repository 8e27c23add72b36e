//! A small server, alone or behind one of several layers that check a token: for `tests/bench`, which puts load on it.
//!
//! `load LAYER` prints the address, and a token for it, and serves until it is ended.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a bench")]

#[path = "../../core/benches/decisions/floor.rs"]
#[allow(dead_code, reason = "the benches of the core use all of it")]
mod floor;
#[path = "../../core/benches/decisions/presented.rs"]
#[allow(dead_code, reason = "the benches of the core use all of it")]
mod presented;

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::SystemTime;

use authgate_core::{Gate, JwtBackend, Timestamp};
use authgate_tokio::{Limits, Tokio};
use authgate_tower::GateLayer;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::{Router, routing::get};
use jsonwebtoken::{DecodingKey, Validation, crypto::aws_lc};
use serde::Deserialize;
use tokio::net::TcpListener;
use tower::Layer as _;

use crate::presented::{AUDIENCE, ISSUER, Presented, SECRET};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let _ = aws_lc::DEFAULT_PROVIDER.install_default();
    let presented = Presented::named("HS256", None, now());
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    println!("{} {}", listener.local_addr().unwrap(), presented.token);

    // What nginx asks: an answer with a body would halve its throughput.
    let checked = get(|| async { StatusCode::NO_CONTENT });
    let app = Router::new().route("/queues", get(|| async { "ok" })).route("/check", checked);
    let layer = std::env::args().nth(1);
    let limits = Limits::default();
    match layer.as_deref() {
        Some("ungated") => authgate_tokio::serve(listener, app, limits, std::future::pending()).await,
        Some("floor") => {
            let app = app.layer(from_fn_with_state(Arc::new(floor::Token::new()), floor_layer));
            authgate_tokio::serve(listener, app, limits, std::future::pending()).await
        }
        Some("jsonwebtoken") => {
            let app = app.layer(from_fn_with_state(Arc::new(theirs()), jsonwebtoken_layer));
            authgate_tokio::serve(listener, app, limits, std::future::pending()).await
        }
        Some("authgate") => {
            let app = GateLayer::new(gate(&presented), Tokio).layer(app);
            authgate_tokio::serve(listener, app, limits, std::future::pending()).await
        }
        _ => panic!("name a layer: ungated, floor, jsonwebtoken or authgate"),
    }
    .unwrap();
}

fn gate(presented: &Presented) -> Gate {
    let backend: JwtBackend = presented.backend().build().unwrap();
    Gate::builder(backend).build().unwrap()
}

/// The least that a layer can do: the token is checked, and nobody learns whose it is.
async fn floor_layer(State(key): State<Arc<floor::Token>>, request: Request, next: Next) -> Response {
    let is_good = key.check(request.headers(), now().as_secs(), &mut [0; 1024]).is_some();
    if is_good { next.run(request).await } else { StatusCode::UNAUTHORIZED.into_response() }
}

#[derive(Clone, Deserialize)]
#[allow(dead_code, reason = "what an application's handlers would ask for")]
struct Claims {
    sub: String,
    name: String,
    is_admin: bool,
    roles: Vec<String>,
}

fn theirs() -> (DecodingKey, Validation) {
    let mut validation = Validation::new(jsonwebtoken::Algorithm::HS256);
    validation.set_audience(&[AUDIENCE]);
    validation.set_issuer(&[ISSUER]);
    (DecodingKey::from_secret(SECRET.as_bytes()), validation)
}

/// As examples of axum write it.
async fn jsonwebtoken_layer(
    State(keys): State<Arc<(DecodingKey, Validation)>>,
    mut request: Request,
    next: Next,
) -> Response {
    let token =
        request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let claims = token.and_then(|token| jsonwebtoken::decode::<Claims>(token, &keys.0, &keys.1).ok());
    let Some(claims) = claims else { return StatusCode::UNAUTHORIZED.into_response() };
    request.extensions_mut().insert(claims.claims);
    next.run(request).await
}

fn now() -> Timestamp {
    SystemTime::now().into()
}
