//! The authgate gate as a tower layer: drives the core for any hyper or axum stack, and names no runtime.

mod body;
mod drive;
mod expiry;
mod host;
mod key_fetcher;
mod layer;
mod record;
mod service;
mod shared_store;
mod store;
mod verify;

pub use body::{BodyError, Expired, GateBody, RequestBody};
pub use expiry::Expiry;
pub use host::Host;
pub use key_fetcher::KeyFetcher;
pub use layer::GateLayer;
pub use record::{Record, RequestId};
pub use service::{GateFuture, GateService};
pub use shared_store::SharedStore;
pub use store::{Answer, SessionStore, SharedMemory};
pub use verify::IntoVerdict;
