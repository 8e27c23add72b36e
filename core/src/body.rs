use std::fmt;

use crate::Secret;

/// How many bytes of a body may be read; the only maker of a [`Body`], so that none is longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyLimit(usize);

/// A body that was read whole and is not too long. It may hold a password: it prints as dots and erases itself.
#[derive(Debug)]
pub struct Body(Secret<Vec<u8>>);

/// Why there is no body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BodyError {
    /// There is more than the limit allows; answered 413.
    TooLarge,
    /// It did not come in time; answered 408.
    TooSlow,
    /// It ended before it was whole; answered 400.
    Cut,
}

impl BodyLimit {
    pub(crate) const fn new(bytes: usize) -> Self {
        Self(bytes)
    }

    /// The most bytes that may be read.
    pub const fn bytes(self) -> usize {
        self.0
    }

    /// A body of these bytes.
    ///
    /// # Errors
    /// [`BodyError::TooLarge`] if there are too many. A driver need not have read more than one byte too many.
    pub fn body(self, bytes: Vec<u8>) -> Result<Body, BodyError> {
        let bytes = Secret::new(bytes);
        if bytes.expose().len() > self.0 { Err(BodyError::TooLarge) } else { Ok(Body(bytes)) }
    }
}

impl Body {
    pub(crate) fn bytes(&self) -> &[u8] {
        self.0.expose()
    }
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLarge => "the body is larger than a form may be",
            Self::TooSlow => "the body did not come in time",
            Self::Cut => "the body ended before it was whole",
        })
    }
}

impl std::error::Error for BodyError {}
