use std::time::Duration;

use authgate_core::Unanswered;
use http::StatusCode;

/// One request that was passed on, for metrics: told when the head of its answer is there, or why there is none.
///
/// A client that leaves before that is not told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Exchange {
    /// The status that was answered, or why the upstream gave none.
    pub outcome: Result<StatusCode, Unanswered>,
    /// From the request's arrival until then.
    pub took: Duration,
}
