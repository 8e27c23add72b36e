//! A streaming reverse proxy as a tower service: [`Proxy`], for behind an authgate gate. It moves bytes and
//! decides nothing: who may do what is up to the [`GateLayer`](authgate_tower::GateLayer) before it, and so are
//! the fields that the upstream gets ([`Upstream`](authgate_core::Upstream)).
//!
//! # What it does
//! - Bodies pass both ways as they come, and no faster than they are taken. An event of an event stream arrives
//!   alone and at once.
//! - The upstream is spoken to in HTTP/1.1, whatever the client speaks. Path and query pass byte for byte; where
//!   to is up to [`Target`] alone.
//! - Fields that are meant for one connection (RFC 9110 §7.6.1), trailers and interim answers go no further.
//!   Lengths are written as hyper has read them, never as they came, so that nobody can find two requests in one.
//! - Websockets (RFC 6455) pass until either side ends them or the admission ends; no other protocol does.
//! - A request is never sent twice, except one that is safe and has no body, once, when a connection that was
//!   used before died without a word (RFC 9110 §9.2.2). All others go over connections of their own, and one with a
//!   body over its connection's last: an upstream that leaves a body unread must not find a request in it.
//! - Whoever gives no answer is answered for: [`Unanswered`](authgate_core::Unanswered) says why in the log, and
//!   the [`Fallback`](authgate_core::Fallback) that the layer left, or else a bare status, says nothing of it. An
//!   answer that breaks off is cut, so that it does not look whole.
//!
//! # Limits
//! | what | default | else |
//! |---|---|---|
//! | resolving and connecting, [`connect`](ProxyLimits::connect) | 5 s | 504 |
//! | an upstream's silence, [`silence`](ProxyLimits::silence); none for event streams and websockets | 60 s | 504, or the answer is cut |
//! | a client's silence within its body, `silence` too | 60 s | 408 |
//! | a request's body, [`body_bytes`](ProxyLimits::body_bytes) | any number of bytes | 413 |
//! | the head of an answer | 64 KiB, 100 fields | 502 |
//! | a connection that waits for the next request, [`idle`](ProxyLimits::idle) | 1 s | closed |
//! | how many wait, [`idle_connections`](ProxyLimits::idle_connections) | 64 | closed |
//!
//! It speaks no TLS, caches nothing, balances nothing, and changes no body.
//!
//! # A whole program
//! On smol, say `smol` wherever this says `tokio`.
//!
//! ```no_run
//! use std::error::Error;
//!
//! use authgate_core::{Gate, JwtBackend, Key, Upstream};
//! use authgate_proxy::{Proxy, ProxyLimits, Target, tokio::Connector};
//! use authgate_tokio::{Limits, Tokio, serve};
//! use authgate_tower::GateLayer;
//! use tokio::net::TcpListener;
//! use tower::Layer;
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> Result<(), Box<dyn Error>> {
//!     let secret = std::fs::read("jwt.secret")?;
//!     let backend = JwtBackend::builder().key(Key::secret(secret)?).build()?;
//!     let gate = Gate::builder(backend).upstream(Upstream::new()).build()?;
//!
//!     let target = Target::parse("http://127.0.0.1:5555")?;
//!     let proxy = Proxy::new(target, Connector, Tokio, ProxyLimits::default());
//!     let service = GateLayer::new(gate, Tokio).layer(proxy);
//!
//!     let listener = TcpListener::bind("127.0.0.1:8080").await?;
//!     let stop = std::future::pending();
//!     Ok(serve(listener, service, Limits::default(), stop).await?)
//! }
//! ```

mod body;
mod connect;
mod exchange;
mod fault;
mod headers;
mod limits;
mod pool;
mod proxy;
mod send;
#[cfg(feature = "smol")]
pub mod smol;
mod target;
#[cfg(feature = "tokio")]
pub mod tokio;
mod tunnel;
mod upload;
mod wire;

pub use body::ProxyBody;
pub use connect::Connector;
pub use exchange::Exchange;
pub use limits::ProxyLimits;
pub use proxy::Proxy;
pub use target::Target;
