use std::error::Error;
use std::fmt::Write as _;

use authgate_core::Unanswered;
use authgate_tower::RequestId;
use http::request::Parts;
use http::{Method, Uri};

/// Why there is no answer, or only the beginning of one; and in words, for the log.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    pub(crate) why: Unanswered,
    pub(crate) text: String,
}

impl Fault {
    pub(crate) fn new(why: Unanswered, text: impl Into<String>) -> Self {
        Self { why, text: text.into() }
    }

    /// `error` with everything that caused it: hyper says little at the top.
    pub(crate) fn because(why: Unanswered, what: &str, error: &dyn Error) -> Self {
        let mut text = format!("{what}: {error}");
        let mut cause = error.source();
        while let Some(error) = cause {
            let _ = write!(text, ": {error}");
            cause = error.source();
        }
        Self { why, text }
    }
}

/// Which request something is about, for the log. Never its query or a field.
pub(crate) struct About {
    id: Option<RequestId>,
    method: Method,
    target: Uri,
}

impl About {
    pub(crate) fn new(parts: &Parts) -> Self {
        let id = parts.extensions.get().copied();
        Self { id, method: parts.method.clone(), target: parts.uri.clone() }
    }

    pub(crate) fn warn(&self, fault: &Fault) {
        let id = self.id.as_ref().map(tracing::field::display);
        tracing::warn!(
            target: "authgate",
            request = id,
            // Quoted: both are the client's text.
            method = ?self.method.as_str(),
            path = ?self.target.path(),
            fault = fault.why.slug(),
            error = fault.text,
            "a request got no whole answer"
        );
    }
}
