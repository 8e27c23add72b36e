use std::borrow::Cow;
use std::fmt;

/// Why a token proves nothing; for the log. The client is told none of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TokenFault {
    /// The header field is not `scheme token` with one space between.
    Scheme,
    /// The header field stands several times.
    Repeated,
    /// Longer than the limit in bytes.
    TooLong,
    /// Not three parts of canonical base64url without padding (RFC 7515 §2).
    Encoding,
    /// The header is no JSON object that a token may have.
    Header,
    /// The algorithm is missing or not allowed; `none` never is.
    Algorithm,
    /// The header has `crit` (RFC 7515 §4.1.11) or another extension that changes what is signed.
    Critical,
    /// No key made the signature.
    Signature,
    /// The key that it names is none of the provider's, or its signature is of none of them.
    UnknownKey,
    /// The payload is no JSON object that a token may have.
    Payload,
    /// A claim has the wrong type or value; which one.
    Claim(&'static str),
    /// A claim that a set audience or issuer asks for is missing; which one.
    Missing(&'static str),
    /// A claim named in `require` is missing or null.
    Required,
    /// `exp` has passed.
    Expired,
    /// `nbf` or `iat` is yet to come.
    NotYetValid,
    /// `aud` names nobody here.
    Audience,
    /// `iss` is not an accepted issuer.
    Issuer,
    /// No claim names a user.
    NoUser,
}

impl TokenFault {
    /// A short stable name to search a log for.
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Scheme => "token-scheme",
            Self::Repeated => "token-repeated",
            Self::TooLong => "token-too-long",
            Self::Encoding => "token-encoding",
            Self::Header => "token-header",
            Self::Algorithm => "token-algorithm",
            Self::Critical => "token-critical",
            Self::Signature => "token-signature",
            Self::UnknownKey => "token-unknown-key",
            Self::Payload => "token-payload",
            Self::Claim(_) => "token-claim",
            Self::Missing(_) | Self::Required => "token-claim-missing",
            Self::Expired => "token-expired",
            Self::NotYetValid => "token-not-yet-valid",
            Self::Audience => "token-audience",
            Self::Issuer => "token-issuer",
            Self::NoUser => "token-no-user",
        }
    }

    /// One sentence for whoever reads the log.
    pub fn explain(self) -> Cow<'static, str> {
        match self {
            Self::Scheme => "the token does not follow its scheme after exactly one space".into(),
            Self::Repeated => "the token's header field stands several times".into(),
            Self::TooLong => "the token is too long".into(),
            Self::Encoding => "the token is not three parts of unpadded base64url".into(),
            Self::Header => "the token's header is not acceptable JSON".into(),
            Self::Algorithm => "the token's algorithm is not allowed".into(),
            Self::Critical => "the token's header has an extension that nobody here understands".into(),
            Self::Signature => "no key made the token's signature".into(),
            Self::UnknownKey => "the token's key is none of the provider's".into(),
            Self::Payload => "the token's payload is not acceptable JSON".into(),
            Self::Claim(name) => format!("the token's claim {name:?} has the wrong type").into(),
            Self::Missing(name) => format!("the token's required claim {name:?} is missing").into(),
            Self::Required => "a claim that is required is missing from the token".into(),
            Self::Expired => "the token has expired".into(),
            Self::NotYetValid => "the token is not valid yet".into(),
            Self::Audience => "the token is for another audience".into(),
            Self::Issuer => "the token is from another issuer".into(),
            Self::NoUser => "the token names no user".into(),
        }
    }
}

impl fmt::Display for TokenFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.explain())
    }
}

impl std::error::Error for TokenFault {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_told_in_a_sentence() {
        assert_eq!(TokenFault::NoUser.to_string(), "the token names no user");
        assert_eq!(TokenFault::TooLong.to_string(), TokenFault::TooLong.explain());
    }
}
