//! Fetches the keys of an identity provider, a JWK Set (RFC 7517 §5) at a URL, for an authgate gate whose backend has a
//! [`KeySet`](authgate_core::KeySet). Which of them count, and how often they may be asked for, is up to the set; this
//! crate brings them, and is a [`KeyFetcher`](authgate_tower::KeyFetcher) for the
//! [`GateLayer`](authgate_tower::GateLayer).
//!
//! # What it does
//! - A task of its own fetches at once, again when the set has aged, and when a token names a key that is not known:
//!   one fetch at a time, whoever waits for it, and whether or not anybody still does. It ends with the last [`Fetcher`].
//! - While the provider is down, the last good set serves
//!   ([`usable`](authgate_core::KeySetLimits::usable)); a token whose key is in none is 503, not 401.
//! - A set is used for as long as the provider says (`Cache-Control: max-age` or `Expires`, RFC 9111 §4.2.1), within what
//!   [`KeySetLimits`](authgate_core::KeySetLimits) allow.
//! - HTTPS with the operating system's root certificates (`SSL_CERT_FILE` and `SSL_CERT_DIR` name others), read once at the
//!   start, and those of [`with_root_certificates`](KeySource::with_root_certificates); TLS 1.2 or 1.3. Plain HTTP on this
//!   machine alone.
//! - Each failed fetch is a warning of `tracing`, target `authgate`; the first set, one that comes after a failure, and each
//!   that differs from the one before it are information. Neither has the query of the URL, which may be a secret.
//!
//! # Limits
//! | what | limit |
//! |---|---|
//! | resolving the name, connecting and TLS | 3 s |
//! | the whole fetch | 5 s |
//! | the head of the answer | 64 KiB, 100 fields |
//! | its body | 1 MiB |
//!
//! Anything but status 200 is a failure, redirects as well: whoever signs is named by the configuration, and by nobody else.
//! So are codings such as gzip, which are not asked for. It goes through no proxy (`HTTPS_PROXY`), and asks for no
//! revocation of certificates.
//!
//! # A whole program
//! On smol, say `smol` wherever this says `tokio`.
//!
//! ```no_run
//! use std::error::Error;
//!
//! use authgate_core::{Algorithm, Gate, JwtBackend, KeySetLimits};
//! use authgate_jwks::KeySource;
//! use authgate_tokio::{Limits, Tokio, serve};
//! use authgate_tower::GateLayer;
//! use tokio::net::TcpListener;
//! use tower::{Layer, service_fn};
//! # use {http::{Request, Response}, http_body_util::Full, hyper::body::Incoming, std::convert::Infallible};
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> Result<(), Box<dyn Error>> {
//!     let backend = JwtBackend::builder()
//!         .key_set(KeySetLimits::default())
//!         .algorithms([Algorithm::RS256])
//!         .issuer(["https://id.example"])
//!         .audience(["dashboard"])
//!         .build()?;
//!     let key_set = backend.key_set().cloned().ok_or("the backend has a key set")?;
//!
//!     let source = KeySource::parse("https://id.example/.well-known/jwks.json")?;
//!     let fetcher = authgate_jwks::tokio::start(source, key_set, Tokio)?;
//!
//!     let layer = GateLayer::new(Gate::builder(backend).build()?, Tokio).key_fetcher(fetcher);
//!     let dashboard = service_fn(async |_: Request<Incoming>| {
//!         Ok::<_, Infallible>(Response::new(Full::<bytes::Bytes>::from("dashboard")))
//!     });
//!     let listener = TcpListener::bind("127.0.0.1:8080").await?;
//!     let stop = std::future::pending();
//!     Ok(serve(listener, layer.layer(dashboard), Limits::default(), stop).await?)
//! }
//! ```

#![cfg_attr(
    not(any(feature = "tokio", feature = "smol")),
    allow(dead_code, reason = "without a runtime nothing fetches")
)]

mod connect;
mod fetch;
mod fetcher;
mod flight;
mod lifetime;
#[cfg(feature = "smol")]
pub mod smol;
mod source;
mod task;
#[cfg(feature = "tokio")]
pub mod tokio;

pub use fetcher::Fetcher;
pub use source::KeySource;
