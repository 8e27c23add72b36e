//! authgate on smol: [`serve`] runs a gated service on a listener. No tokio runtime is started or needed.

mod host;
mod serve;

pub use authgate_hyper::Limits;
pub use host::Smol;
pub use serve::serve;
