//! A gate in front of another server: what that server is told about a request, and what it must never see.

mod cookies;
mod fields;
mod hop_by_hop;
mod pass_on;
mod pretence;
mod settings;
mod unanswered;

pub(crate) use self::fields::ForwardedTo;
pub use self::hop_by_hop::strip_hop_by_hop;
pub(crate) use self::pass_on::Passing;
pub(crate) use self::pretence::pretence;
pub use self::settings::Upstream;
pub(crate) use self::settings::UpstreamRules;
pub use self::unanswered::{Fallback, Unanswered};
