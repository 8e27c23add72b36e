//! An axum dashboard behind the gate.
//!
//! `cargo run -p authgate-tower --example axum [PORT]`, and then the command that it prints.
#![allow(clippy::print_stdout, reason = "it tells people where it is")]

use std::error::Error;
use std::net::Ipv4Addr;
use std::sync::Arc;

use authgate_core::{Gate, JwtBackend, Key, User};
use authgate_tokio::{Limits, Tokio};
use authgate_tower::{GateLayer, Host as _};
use axum::{Extension, Router, routing::get};
use jsonwebtoken::{EncodingKey, Header, crypto::aws_lc, encode};
use tokio::net::TcpListener;
use tower::Layer as _;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    // A new secret at every start. A real program reads its own from a file, or public keys from a JWK Set.
    let secret = Tokio.draw()?;
    let backend = JwtBackend::builder().key(Key::secret(secret)?).build()?;
    let gate = Gate::builder(backend).mount("/ops").public_path("/healthz").build()?;

    let dashboard = Router::new()
        .route("/ops/", get(home))
        .route("/ops/queues", get(queues))
        .route("/ops/healthz", get(|| async { "fine\n" }));
    // Around the whole router: the login page is the gate's own, and a layer inside a nested router would not see
    // the requests that no route takes.
    let dashboard = GateLayer::new(gate, Tokio).layer(dashboard);

    let port = std::env::args().nth(1).map_or(Ok(8080), |port| port.parse())?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    let url = format!("http://{}/ops/", listener.local_addr()?);
    println!("{url}\ncurl -H 'Authorization: Bearer {}' {url}", token(&secret)?);

    // Ctrl-C lets requests in flight finish. Unlike `axum::serve`, this bounds slow heads and idle connections, and
    // tells the gate who connected.
    let stop = async { drop(tokio::signal::ctrl_c().await) };
    Ok(authgate_tokio::serve(listener, dashboard, Limits::default(), stop).await?)
}

/// Behind the gate there is always a user, except on public paths.
async fn home(Extension(user): Extension<Arc<User>>) -> String {
    format!("Hello, {}!\n", user.name)
}

async fn queues(Extension(user): Extension<Arc<User>>) -> String {
    format!("Queues of {}: {}\n", user.id, user.roles.join(", "))
}

/// Tokens are issued elsewhere; here, so that there is one to try.
fn token(secret: &[u8]) -> Result<String, Box<dyn Error>> {
    let _ = aws_lc::DEFAULT_PROVIDER.install_default();
    let claims = serde_json::json!({
        "sub": "ada",
        "name": "Ada Lovelace",
        "roles": ["mail", "reports"],
        "exp": Tokio.now().as_secs() + 3600,
    });
    Ok(encode(&Header::default(), &claims, &EncodingKey::from_secret(secret))?)
}
