//! authgate-tower

mod limits;

pub use limits::Limits;
