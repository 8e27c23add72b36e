use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
};
use base64_simd::URL_SAFE_NO_PAD;

/// A key of the provider, with the id that it is published under.
pub(crate) struct Signer {
    kid: String,
    pair: Pair,
}

enum Pair {
    Rsa(Box<RsaKeyPair>),
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
}

impl Signer {
    /// The algorithm that most providers sign with.
    pub(crate) fn rsa(kid: &str) -> Self {
        Self::new(kid, Pair::Rsa(Box::new(RsaKeyPair::generate(KeySize::Rsa2048).unwrap())))
    }

    pub(crate) fn ec(kid: &str) -> Self {
        Self::new(kid, Pair::Ec(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap()))
    }

    pub(crate) fn ed(kid: &str) -> Self {
        Self::new(kid, Pair::Ed(Ed25519KeyPair::generate().unwrap()))
    }

    fn new(kid: &str, pair: Pair) -> Self {
        Self { kid: kid.to_owned(), pair }
    }

    /// The public key, as a JWK.
    fn jwk(&self) -> String {
        let kid = &self.kid;
        let base64 = |bytes: &[u8]| URL_SAFE_NO_PAD.encode_to_string(bytes);
        match &self.pair {
            Pair::Rsa(pair) => {
                let key = pair.public_key();
                let (n, e) = (key.modulus().big_endian_without_leading_zero(), key.exponent());
                let (n, e) = (base64(n), base64(e.big_endian_without_leading_zero()));
                format!(r#"{{"kty":"RSA","kid":"{kid}","use":"sig","alg":"RS256","n":"{n}","e":"{e}"}}"#)
            }
            Pair::Ec(pair) => {
                let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
                let (x, y) = (base64(x), base64(y));
                format!(r#"{{"kty":"EC","kid":"{kid}","crv":"P-256","x":"{x}","y":"{y}"}}"#)
            }
            Pair::Ed(pair) => {
                let x = base64(pair.public_key().as_ref());
                format!(r#"{{"kty":"OKP","kid":"{kid}","crv":"Ed25519","x":"{x}"}}"#)
            }
        }
    }

    /// A token for ada.
    pub(crate) fn token(&self) -> String {
        let (kid, random) = (&self.kid, SystemRandom::new());
        let alg = match &self.pair {
            Pair::Rsa(_) => "RS256",
            Pair::Ec(_) => "ES256",
            Pair::Ed(_) => "EdDSA",
        };
        let header = URL_SAFE_NO_PAD.encode_to_string(format!(r#"{{"alg":"{alg}","kid":"{kid}"}}"#));
        let message = format!("{header}.{}", URL_SAFE_NO_PAD.encode_to_string(r#"{"sub":"ada"}"#));
        let bytes = message.as_bytes();
        let signature = match &self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, bytes, &mut signature).unwrap();
                signature
            }
            Pair::Ec(pair) => pair.sign(&random, bytes).unwrap().as_ref().to_vec(),
            Pair::Ed(pair) => pair.sign(bytes).as_ref().to_vec(),
        };
        format!("{message}.{}", URL_SAFE_NO_PAD.encode_to_string(signature))
    }
}

/// What the provider publishes.
pub(crate) fn set(signers: &[&Signer]) -> String {
    let keys: Vec<_> = signers.iter().map(|signer| signer.jwk()).collect();
    format!(r#"{{"keys":[{}]}}"#, keys.join(","))
}
