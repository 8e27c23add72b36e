use std::fmt;
use std::str::FromStr;

use aws_lc_rs::hmac;
use aws_lc_rs::signature as sig;

use crate::ConfigError;

/// A signature algorithm that a token may be signed with (RFC 7518 §3.1, RFC 8037 §3.1). There is no `none`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "each is what its RFC says")]
#[non_exhaustive]
pub enum Algorithm {
    HS256,
    HS384,
    HS512,
    RS256,
    RS384,
    RS512,
    PS256,
    PS384,
    PS512,
    ES256,
    ES384,
    ES512,
    EdDSA,
}

/// What a key must be for an algorithm, and the provider's name of the algorithm.
pub(crate) enum Family {
    Hmac {
        algorithm: hmac::Algorithm,
        bytes: usize,
    },
    Rsa(&'static sig::RsaParameters),
    /// The length of a point on the curve, uncompressed, tells the curves apart.
    Ec {
        algorithm: &'static sig::EcdsaVerificationAlgorithm,
        point: usize,
    },
    Ed(&'static sig::EdDSAParameters),
}

impl Algorithm {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::HS256,
        Self::HS384,
        Self::HS512,
        Self::RS256,
        Self::RS384,
        Self::RS512,
        Self::PS256,
        Self::PS384,
        Self::PS512,
        Self::ES256,
        Self::ES384,
        Self::ES512,
        Self::EdDSA,
    ];

    /// The name in a token's header.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HS256 => "HS256",
            Self::HS384 => "HS384",
            Self::HS512 => "HS512",
            Self::RS256 => "RS256",
            Self::RS384 => "RS384",
            Self::RS512 => "RS512",
            Self::PS256 => "PS256",
            Self::PS384 => "PS384",
            Self::PS512 => "PS512",
            Self::ES256 => "ES256",
            Self::ES384 => "ES384",
            Self::ES512 => "ES512",
            Self::EdDSA => "EdDSA",
        }
    }

    /// Whether both sides share a secret.
    pub const fn is_hmac(self) -> bool {
        matches!(self, Self::HS256 | Self::HS384 | Self::HS512)
    }

    pub(crate) fn family(self) -> Family {
        match self {
            Self::HS256 => Family::Hmac { algorithm: hmac::HMAC_SHA256, bytes: 32 },
            Self::HS384 => Family::Hmac { algorithm: hmac::HMAC_SHA384, bytes: 48 },
            Self::HS512 => Family::Hmac { algorithm: hmac::HMAC_SHA512, bytes: 64 },
            Self::RS256 => Family::Rsa(&sig::RSA_PKCS1_2048_8192_SHA256),
            Self::RS384 => Family::Rsa(&sig::RSA_PKCS1_2048_8192_SHA384),
            Self::RS512 => Family::Rsa(&sig::RSA_PKCS1_2048_8192_SHA512),
            Self::PS256 => Family::Rsa(&sig::RSA_PSS_2048_8192_SHA256),
            Self::PS384 => Family::Rsa(&sig::RSA_PSS_2048_8192_SHA384),
            Self::PS512 => Family::Rsa(&sig::RSA_PSS_2048_8192_SHA512),
            Self::ES256 => Family::Ec { algorithm: &sig::ECDSA_P256_SHA256_FIXED, point: 65 },
            Self::ES384 => Family::Ec { algorithm: &sig::ECDSA_P384_SHA384_FIXED, point: 97 },
            Self::ES512 => Family::Ec { algorithm: &sig::ECDSA_P521_SHA512_FIXED, point: 133 },
            Self::EdDSA => Family::Ed(&sig::ED25519),
        }
    }
}

impl FromStr for Algorithm {
    type Err = ConfigError;

    fn from_str(name: &str) -> Result<Self, ConfigError> {
        Self::ALL.iter().copied().find(|algorithm| algorithm.as_str() == name).ok_or_else(|| {
            let all: Vec<_> = Self::ALL.iter().map(|algorithm| algorithm.as_str()).collect();
            ConfigError::new(
                "algorithms",
                format!("{name:?} is not supported"),
                format!("choose from {}", all.join(", ")),
            )
        })
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
