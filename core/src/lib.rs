//! authgate-core

mod peer;

pub use peer::Peer;
