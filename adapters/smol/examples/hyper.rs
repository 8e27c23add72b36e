//! A plain hyper service behind the gate, on smol. No tokio runs.
//!
//! `cargo run -p authgate-smol --example hyper [PORT]`, and then the command that it prints.
#![allow(clippy::print_stdout, reason = "it tells people where it is")]

use std::convert::Infallible;
use std::error::Error;
use std::net::Ipv4Addr;
use std::sync::Arc;

use authgate_core::{Gate, JwtBackend, Key, User};
use authgate_smol::{Limits, Smol};
use authgate_tower::{GateLayer, Host as _};
use http::{Request, Response};
use hyper::body::Incoming;
use jsonwebtoken::{EncodingKey, Header, crypto::aws_lc, encode};
use smol::net::TcpListener;
use tower::{Layer as _, service_fn};

fn main() -> Result<(), Box<dyn Error>> {
    // A new secret at every start. A real program reads its own from a file, or public keys from a JWK Set.
    let secret = Smol.draw()?;
    let backend = JwtBackend::builder().key(Key::secret(secret)?).build()?;
    let gate = Gate::builder(backend).mount("/ops").public_path("/healthz").build()?;
    let dashboard = GateLayer::new(gate, Smol).layer(service_fn(dashboard));

    let port = std::env::args().nth(1).map_or(Ok(8080), |port| port.parse())?;
    smol::block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let url = format!("http://{}/ops/", listener.local_addr()?);
        println!("{url}\ncurl -H 'Authorization: Bearer {}' {url}", token(&secret)?);
        // Until it is killed. A real program waits for a signal here, and requests in flight finish.
        let stop = std::future::pending();
        Ok(authgate_smol::serve(listener, dashboard, Limits::default(), stop).await?)
    })
}

/// Behind the gate there is always a user, except on public paths.
async fn dashboard(request: Request<Incoming>) -> Result<Response<String>, Infallible> {
    let name = request.extensions().get::<Arc<User>>().map_or("whoever you are", |user| &user.name);
    Ok(Response::new(format!("Hello, {name}!\n")))
}

/// Tokens are issued elsewhere; here, so that there is one to try.
fn token(secret: &[u8]) -> Result<String, Box<dyn Error>> {
    let _ = aws_lc::DEFAULT_PROVIDER.install_default();
    let claims = serde_json::json!({
        "sub": "ada",
        "name": "Ada Lovelace",
        "exp": Smol.now().as_secs() + 3600,
    });
    Ok(encode(&Header::default(), &claims, &EncodingKey::from_secret(secret))?)
}
