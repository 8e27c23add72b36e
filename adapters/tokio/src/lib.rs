//! authgate on tokio: [`serve`] runs a gated service on a listener.

mod serve;

pub use serve::serve;
