//! authgate on smol: [`serve`] runs a gated service on a listener. No tokio runtime is started or needed.

mod serve;

pub use serve::serve;
