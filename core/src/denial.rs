use std::borrow::Cow;
use std::fmt;

use http::StatusCode;

use crate::head::HeadError;
use crate::{BadProof, FormError, Unanswered};

/// Why somebody was not let in: for the log, and never for the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Denial {
    /// The request carries no proof of who asks.
    NotSignedIn,
    /// The request carries a proof, and it does not hold.
    BadProof(BadProof),
    /// The user is known and may not do this.
    NotAllowed,
    /// Another site may have made the browser send this.
    CrossSite,
    /// The head was refused before anything was asked.
    Head(HeadError),
    /// The username and password that somebody typed are nobody's.
    WrongPassword,
    /// There were too many tries to sign in, from there or as that user.
    Throttled,
    /// What was posted is no sign-in form.
    BadForm(FormError),
    /// The path does not answer this method.
    Method,
    /// The path is not below the mount.
    OutsideMount,
    /// Somebody whom the gate had to ask could not answer.
    Unavailable,
    /// The request was let through, and the server behind the gate gave no answer.
    Unanswered(Unanswered),
    /// The client's address is in none of the networks that are let in at all.
    ForeignNetwork,
    /// The request came without TLS.
    PlainHttp,
    /// A request about another's request, from a peer that is not one of the trusted proxies.
    UntrustedProxy,
}

impl Denial {
    /// A short stable name to search a log for.
    pub fn slug(self) -> &'static str {
        match self {
            Self::NotSignedIn => "not-signed-in",
            Self::BadProof(BadProof::Token(fault)) => fault.slug(),
            Self::BadProof(BadProof::Session(fault)) => fault.slug(),
            Self::BadProof(BadProof::Other(_)) => "bad-proof",
            Self::NotAllowed => "not-allowed",
            Self::CrossSite => "cross-site",
            Self::Head(_) => "bad-request",
            Self::WrongPassword => "wrong-password",
            Self::Throttled => "throttled",
            Self::BadForm(_) => "bad-form",
            Self::Method => "method",
            Self::OutsideMount => "outside-mount",
            Self::Unavailable => "unavailable",
            Self::Unanswered(why) => why.slug(),
            Self::ForeignNetwork => "foreign-network",
            Self::PlainHttp => "plain-http",
            Self::UntrustedProxy => "untrusted-proxy",
        }
    }

    /// One sentence for whoever reads the log.
    pub fn explain(self) -> Cow<'static, str> {
        match self {
            Self::NotSignedIn => "the request carries no proof of who asks".into(),
            Self::BadProof(BadProof::Token(fault)) => fault.explain(),
            Self::BadProof(BadProof::Session(fault)) => fault.explain().into(),
            Self::BadProof(BadProof::Other(why)) => why.into(),
            Self::NotAllowed => "the user lacks the right that this dashboard asks for".into(),
            Self::CrossSite => "another site may have made the browser send this request: neither Sec-Fetch-Site nor Origin says it is ours".into(),
            Self::Head(error) => error.to_string().into(),
            Self::WrongPassword => "the username and password are nobody's".into(),
            Self::Throttled => "there were too many tries to sign in".into(),
            Self::BadForm(error) => error.to_string().into(),
            Self::Method => "the path does not answer this method".into(),
            Self::OutsideMount => "the path is not below the mount".into(),
            Self::Unavailable => "somebody could not be asked".into(),
            Self::Unanswered(why) => why.to_string().into(),
            Self::ForeignNetwork => "the client is in none of `allowed_networks`, or behind a proxy that is not one of `trusted_proxies`".into(),
            Self::PlainHttp => "the request came over plain HTTP, and `require_tls` is set; a proxy that ends TLS must be one of `trusted_proxies` and say so".into(),
            Self::UntrustedProxy => "whoever asks about another's request is not one of `trusted_proxies`".into(),
        }
    }

    /// The one table from reason to answer. What a client reads is the same for every reason behind a status.
    pub(crate) fn answer(self) -> Refusal {
        let refuse = |status, text| Refusal { status, text };
        match self {
            Self::NotSignedIn | Self::BadProof(_) => {
                refuse(StatusCode::UNAUTHORIZED, "Authentication required")
            }
            Self::NotAllowed => refuse(StatusCode::FORBIDDEN, "Dashboard user is not authorized"),
            Self::CrossSite => refuse(StatusCode::FORBIDDEN, "Cross-origin dashboard request rejected"),
            Self::Head(error) if error.status() == StatusCode::BAD_REQUEST => {
                refuse(error.status(), "Bad request")
            }
            Self::Head(error) => refuse(error.status(), "Request head too large"),
            Self::WrongPassword => refuse(StatusCode::UNAUTHORIZED, "Wrong username or password"),
            Self::Throttled => refuse(StatusCode::TOO_MANY_REQUESTS, "Too many tries"),
            Self::BadForm(error) => refuse(error.status(), error.text()),
            Self::Method => refuse(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed"),
            Self::OutsideMount => refuse(StatusCode::NOT_FOUND, "Not found"),
            Self::Unavailable => refuse(StatusCode::SERVICE_UNAVAILABLE, "Temporarily unavailable"),
            Self::Unanswered(why) => refuse(why.status(), why.text()),
            Self::PlainHttp => refuse(StatusCode::FORBIDDEN, "HTTPS required"),
            Self::ForeignNetwork | Self::UntrustedProxy => refuse(StatusCode::FORBIDDEN, "Forbidden"),
        }
    }

    /// Whether signing in could help, so that the answer leads there.
    pub(crate) fn wants_login(self) -> bool {
        matches!(self, Self::NotSignedIn | Self::BadProof(_))
    }
}

/// What a refused client gets to know.
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) text: &'static str,
}

impl From<HeadError> for Denial {
    fn from(error: HeadError) -> Self {
        Self::Head(error)
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.explain())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_head_clients_learn_no_more_than_that_it_is_too_large_or_bad() {
        let large = HeadError::TooLarge { limit: 1, at: None };
        for (error, status, text) in [
            (HeadError::Host, 400, "Bad request"),
            (HeadError::Method, 400, "Bad request"),
            (large, 431, "Request head too large"),
            (HeadError::TooManyHeaders { limit: 1, at: None }, 431, "Request head too large"),
        ] {
            let answer = Denial::from(error).answer();
            assert_eq!((answer.status.as_u16(), answer.text), (status, text), "{error}");
        }
        assert_eq!(Denial::from(large).to_string(), large.to_string());
    }
}
