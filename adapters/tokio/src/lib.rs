//! authgate on tokio: [`serve`] runs a gated service on a listener.

mod host;
mod serve;

pub use authgate_hyper::Limits;
pub use host::Tokio;
pub use serve::serve;
