//! What the gate's hyper servers share on every runtime: limits on time, size and shutdown. Names no runtime; whatever
//! waits does so by [`Host::sleep`](authgate_tower::Host::sleep).
//!
//! To serve a gated service, see `authgate_tokio::serve` and `authgate_smol::serve`; this is for writing such a server.

mod accept;
mod activity;
mod body;
mod connection;
mod http1;
mod left;
mod limits;
mod service;
mod silence;
mod socket;

use std::error::Error;

pub use accept::accept;
pub use activity::Activity;
pub use connection::{TimedHeads, bounded, run_connection};
pub use http1::http1_connection;
pub use left::has_left;
pub use limits::Limits;
pub use service::counted;
pub use socket::Socket;

/// What a service or a body may fail with.
pub type BoxError = Box<dyn Error + Send + Sync>;
