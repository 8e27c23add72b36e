use std::fmt;

use http::StatusCode;

use crate::event::Details;
use crate::flow::Asker;
use crate::reply::Reply;
use crate::response_fields::ResponseFields;
use crate::{Denial, Gate};

/// Why a request that was let through got no answer from the server behind the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Unanswered {
    /// No connection could be made.
    Unreachable,
    /// The connection or the answer took too long.
    TimedOut,
    /// The connection broke, or what came is no HTTP answer.
    Broken,
    /// The request's body is longer than is passed on.
    BodyTooLarge,
    /// The client stopped in the middle of the request's body.
    BodyStalled,
    /// Within the request's body its sender signed out, or the token's time was up.
    AdmissionEnded,
}

impl Unanswered {
    /// All of them, for whoever counts.
    pub const ALL: [Self; 6] = [
        Self::Unreachable,
        Self::TimedOut,
        Self::Broken,
        Self::BodyTooLarge,
        Self::BodyStalled,
        Self::AdmissionEnded,
    ];

    /// A short stable name to search a log for.
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Unreachable => "upstream-unreachable",
            Self::TimedOut => "upstream-timed-out",
            Self::Broken => "upstream-broken",
            Self::BodyTooLarge => "body-too-large",
            Self::BodyStalled => "body-stalled",
            Self::AdmissionEnded => "admission-ended",
        }
    }

    /// The status that answers it (RFC 9110 §15.5.2, §15.5.9, §15.5.14, §15.6.3, §15.6.5).
    pub const fn status(self) -> StatusCode {
        match self {
            Self::Unreachable | Self::Broken => StatusCode::BAD_GATEWAY,
            Self::TimedOut => StatusCode::GATEWAY_TIMEOUT,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BodyStalled => StatusCode::REQUEST_TIMEOUT,
            Self::AdmissionEnded => StatusCode::UNAUTHORIZED,
        }
    }

    /// What a client gets to know.
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Unreachable | Self::Broken => "The dashboard cannot be reached",
            Self::TimedOut => "The dashboard does not answer",
            Self::BodyTooLarge => "Request body too large",
            Self::BodyStalled => "Request body too slow",
            Self::AdmissionEnded => "Authentication required",
        }
    }
}

impl fmt::Display for Unanswered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unreachable => "the server behind the gate cannot be reached",
            Self::TimedOut => "the server behind the gate took too long",
            Self::Broken => "the server behind the gate gave no HTTP answer",
            Self::BodyTooLarge => "the request's body is longer than is passed on",
            Self::BodyStalled => "the client stopped in the middle of the request's body",
            Self::AdmissionEnded => {
                "within the request's body its sender signed out, or the token's time was up"
            }
        })
    }
}

/// What is answered when the server behind the gate gives no answer: as its client can read it, and without a word on why.
#[derive(Debug, Clone)]
pub struct Fallback {
    gate: Gate,
    asker: Asker,
}

impl Fallback {
    pub(crate) fn new(gate: Gate, mut asker: Asker) -> Self {
        // What a session leaves is written on every answer that comes through the gate.
        asker.fields = ResponseFields::default();
        Self { gate, asker }
    }

    /// The answer.
    pub fn reply(&self, why: Unanswered) -> Reply {
        let settings = self.gate.settings();
        let login = || settings.login(&self.asker.mount);
        self.asker.refuse(settings, Denial::Unanswered(why), Details::default(), login)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_to_get_no_answer_has_a_name_and_a_sentence_of_its_own() {
        let names: std::collections::BTreeSet<_> = Unanswered::ALL.iter().map(|why| why.slug()).collect();
        let told: std::collections::BTreeSet<_> = Unanswered::ALL.iter().map(ToString::to_string).collect();
        assert_eq!((names.len(), told.len()), (6, 6));
        assert_eq!(Unanswered::TimedOut.slug(), "upstream-timed-out");
        assert!(Unanswered::TimedOut.to_string().contains("took too long"));
    }
}
