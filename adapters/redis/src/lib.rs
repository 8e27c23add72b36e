//! Sessions in Redis or Valkey, shared by many gates: records, what has ended before its time, and counts of tries to sign in.
//!
//! [`RedisStore`] is a [`SharedStore`](authgate_tower::SharedStore) for a layer, on tokio or smol (features `tokio` and `smol`).
//! [`layout`] tells what stands where in Redis; it needs neither feature and no client.

pub mod layout;

#[cfg(feature = "store")]
mod address;
#[cfg(feature = "store")]
mod fault;
#[cfg(feature = "store")]
mod link;
#[cfg(feature = "store")]
mod live;
#[cfg(feature = "store")]
mod runtime;
#[cfg(feature = "store")]
mod store;
#[cfg(feature = "store")]
mod tls;

#[cfg(feature = "store")]
pub use store::RedisStore;

#[cfg(all(feature = "store", not(any(feature = "tokio", feature = "smol"))))]
compile_error!("the feature `store` is no feature to choose: choose `tokio`, `smol` or both");
