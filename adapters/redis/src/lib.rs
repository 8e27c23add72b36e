//! Sessions in Redis or Valkey, shared by many gates: records, what has ended before its time, and counts of tries to
//! sign in.
//!
//! With the feature `tokio`, `smol` or both, `RedisStore` is a `SharedStore` for a layer of `authgate-tower`.
//! [`layout`] tells what stands where in Redis; it needs neither feature, and no client.
//!
//! ```
//! # #[cfg(any(feature = "smol", feature = "tokio"))]
//! # fn main() -> Result<(), authgate_core::ConfigError> {
//! use authgate_redis::RedisStore;
//!
//! let store = RedisStore::new("rediss://gate:secret@redis.example:6379/2")?.prefix("dashboard:");
//! assert_eq!(format!("{store:?}"), "RedisStore(rediss://redis.example:6379/2)");
//! # Ok(())
//! # }
//! # #[cfg(not(any(feature = "smol", feature = "tokio")))]
//! # fn main() {}
//! ```

pub mod layout;

#[cfg(any(feature = "smol", feature = "tokio"))]
mod address;
#[cfg(any(feature = "smol", feature = "tokio"))]
mod fault;
#[cfg(any(feature = "smol", feature = "tokio"))]
mod link;
#[cfg(any(feature = "smol", feature = "tokio"))]
mod live;
#[cfg(any(feature = "smol", feature = "tokio"))]
mod runtime;
#[cfg(any(feature = "smol", feature = "tokio"))]
mod store;
#[cfg(any(feature = "smol", feature = "tokio"))]
mod tls;

#[cfg(any(feature = "smol", feature = "tokio"))]
pub use store::RedisStore;
