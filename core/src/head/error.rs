use std::fmt;

use http::StatusCode;

/// A request head that is refused before anything else is asked, and why; for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HeadError {
    /// The head takes more than `limit` bytes; `at` is the offset of the first byte beyond, where it is known.
    TooLarge {
        /// The limit in bytes.
        limit: usize,
        /// The offset in bytes.
        at: Option<usize>,
    },
    /// There are more than `limit` header fields; `at` is the offset where the first one too many ends.
    TooManyHeaders {
        /// The limit.
        limit: usize,
        /// The offset in bytes.
        at: Option<usize>,
    },
    /// The bytes are no HTTP/1 head (RFC 9112): what could not be read, and the offset of the offending byte.
    Syntax {
        /// The part that could not be read.
        what: &'static str,
        /// The offset in bytes.
        at: usize,
    },
    /// The method is no token (RFC 9110 §9.1).
    Method,
    /// The request target is no absolute path of visible ASCII.
    Target,
    /// There are several hosts, or what stands there is no host (RFC 9112 §3.2).
    Host,
    /// The host is not one of those allowed.
    ForeignHost,
    /// `Content-Length` and `Transfer-Encoding` together: two readers would see two bodies (RFC 9112 §6.1).
    Framing,
    /// The prefix that the host application reports is no plain path.
    Prefix,
    /// A proxy asks about a request, and does not say exactly once which: `X-Forwarded-Method` and `X-Forwarded-Uri`.
    AskedAbout,
    /// A proxy asks about a request with a field that would make another user, target or method of it behind that proxy.
    Pretence,
}

impl HeadError {
    /// The status that answers it: 431 for what is too large, else 400.
    pub fn status(self) -> StatusCode {
        match self {
            Self::TooLarge { .. } | Self::TooManyHeaders { .. } => {
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE
            }
            _ => StatusCode::BAD_REQUEST,
        }
    }
}

impl fmt::Display for HeadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = |f: &mut fmt::Formatter<'_>, at: Option<usize>| match at {
            Some(at) => write!(f, ", at byte {at}"),
            None => Ok(()),
        };
        match *self {
            Self::TooLarge { limit, at } => {
                write!(f, "the head is longer than {limit} bytes")?;
                place(f, at)
            }
            Self::TooManyHeaders { limit, at } => {
                write!(f, "the head has more than {limit} fields")?;
                place(f, at)
            }
            Self::Syntax { what, at } => write!(f, "{what} cannot be read, at byte {at}"),
            Self::Method => f.write_str("the method is no token"),
            Self::Target => f.write_str("the request target is no absolute path of visible ASCII"),
            Self::Host => f.write_str("the request does not name exactly one host"),
            Self::ForeignHost => f.write_str("the host is not one of `allowed_hosts`"),
            Self::Framing => f.write_str("Content-Length and Transfer-Encoding stand together"),
            Self::Prefix => f.write_str("the host application's prefix is no plain path"),
            Self::AskedAbout => f.write_str(
                "X-Forwarded-Method and X-Forwarded-Uri do not say exactly once which request is asked about",
            ),
            Self::Pretence => f.write_str(
                "the request has a field that only the gate and its proxies may write, and the proxy would pass it on",
            ),
        }
    }
}

impl std::error::Error for HeadError {}
