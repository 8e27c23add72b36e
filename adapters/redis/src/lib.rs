//! Sessions in Redis or Valkey, shared by many gates: records, what has ended before its time, and counts of tries to
//! sign in.
//!
//! With the feature `tokio`, `smol` or both, `RedisStore` is a `SharedStore` for a layer of `authgate-tower`.
//! [`layout`] tells what stands where in Redis; it needs neither feature, and no client.
//!
//! ```
//! # #[cfg(feature = "store")]
//! # fn main() -> Result<(), authgate_core::ConfigError> {
//! use authgate_redis::RedisStore;
//!
//! let store = RedisStore::new("rediss://gate:secret@redis.example:6379/2")?.prefix("dashboard:");
//! assert_eq!(format!("{store:?}"), "RedisStore(rediss://redis.example:6379/2)");
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "store"))]
//! # fn main() {}
//! ```

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
