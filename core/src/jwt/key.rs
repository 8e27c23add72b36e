use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rsa::PublicEncryptingKey;
use aws_lc_rs::signature::{ParsedPublicKey, RsaPublicKeyComponents};
use jsonwebtoken::jwk::{Jwk, KeyOperations, PublicKeyUse};
use jsonwebtoken::{AlgorithmFamily, DecodingKey, DecodingKeyKind};
use serde::Deserialize;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use super::algorithm::{Algorithm, Family};
use super::verifier::Check;
use crate::{ConfigError, Secret};

const PUBLIC_KEYS: &str = "give RSA of 2048 to 8192 bits, a point on P-256, P-384 or P-521, or Ed25519";

/// A key that tokens are checked with: an HMAC secret or a public key, never a private one.
///
/// It fits the algorithms of its family and no other, so a public key is never taken for a secret.
#[derive(Debug)]
pub struct Key {
    id: Option<String>,
    /// The one algorithm that a JWK names for itself (RFC 7517 §4.4).
    pinned: Option<Algorithm>,
    /// One of a set, of which some may be for other algorithms than ours.
    pub(super) from_set: bool,
    material: Material,
}

#[derive(Debug)]
enum Material {
    /// The bytes, and how many there must be if not as many as the hash has.
    Hmac(Secret<Vec<u8>>, Option<usize>),
    /// jsonwebtoken's reading of a PEM or a JWK.
    Public(DecodingKey),
}

impl Key {
    /// An HMAC secret. How long it must be depends on the algorithms; see
    /// [`JwtBackendBuilder::build`](super::JwtBackendBuilder::build).
    ///
    /// # Errors
    /// Text that is a key of another kind: PEM, a JWK or JWK Set, an SSH key. Whoever knows a public key could sign
    /// with it (CVE-2026-48526).
    pub fn secret(secret: impl Into<Vec<u8>>) -> Result<Self, ConfigError> {
        Self::hmac(secret.into(), None)
    }

    /// An HMAC secret by the rule of AsyncMQ's backend, for those who come from it: 32 bytes are enough for every HS*.
    ///
    /// # Errors
    /// As [`secret`](Self::secret).
    pub fn compatible_secret(secret: impl Into<Vec<u8>>) -> Result<Self, ConfigError> {
        Self::hmac(secret.into(), Some(32))
    }

    fn hmac(secret: Vec<u8>, least: Option<usize>) -> Result<Self, ConfigError> {
        let secret = Secret::new(secret);
        match other_kind(secret.expose()) {
            Some((kind, remedy)) => {
                Err(ConfigError::new("secret", format!("this is {kind}, not a secret"), remedy))
            }
            None => {
                Ok(Self { id: None, pinned: None, from_set: false, material: Material::Hmac(secret, least) })
            }
        }
    }

    /// A public key as PEM text: `BEGIN PUBLIC KEY` (RFC 5280) or `BEGIN RSA PUBLIC KEY` (RFC 8017).
    ///
    /// # Errors
    /// A private key, a certificate, a key of an unsupported kind, or text that is no PEM.
    pub fn pem(text: &str) -> Result<Self, ConfigError> {
        let refuse = |problem: &str, remedy: &str| Err(ConfigError::new("key", problem, remedy));
        if text.contains("PRIVATE KEY-----") {
            return refuse("this is a private key", "give the public one: openssl pkey -in KEY -pubout");
        }
        if text.contains("BEGIN CERTIFICATE-----") {
            return refuse(
                "this is a certificate",
                "give its public key: openssl x509 -in CERT -pubkey -noout",
            );
        }
        let text = text.as_bytes();
        let read = DecodingKey::from_rsa_pem(text)
            .or_else(|_| DecodingKey::from_ec_pem(text))
            .or_else(|_| DecodingKey::from_ed_pem(text));
        let Ok(read) = read else {
            return refuse(
                "no RSA, EC or Ed25519 public key can be read from this",
                "give PEM text that starts with -----BEGIN PUBLIC KEY-----",
            );
        };
        let key = Self { id: None, pinned: None, from_set: false, material: Material::Public(read) };
        if key.fits_something() { Ok(key) } else { refuse("this public key is not usable", PUBLIC_KEYS) }
    }

    /// A key as JWK text (RFC 7517 §4). Its `kid`, `alg`, `use` and `key_ops` are respected.
    ///
    /// # Errors
    /// Text that is no JWK, a key type that no algorithm here uses, or a key that is not for checking signatures.
    pub fn jwk(json: &str) -> Result<Self, ConfigError> {
        read_jwk(json).map_err(|problem| {
            ConfigError::new("key", problem, "give one JWK that signatures are checked with")
        })
    }

    /// The usable keys of a JWK Set (RFC 7517 §5). Keys of unknown types or for other uses are skipped.
    ///
    /// # Errors
    /// Text that is no JWK Set, or one without a usable key.
    pub fn jwk_set(json: &str) -> Result<Vec<Self>, ConfigError> {
        #[derive(Deserialize)]
        struct Set<'a> {
            #[serde(borrow)]
            keys: Vec<&'a RawValue>,
        }
        let refuse = |problem: String| {
            ConfigError::new(
                "jwks",
                problem,
                "give {\"keys\": [...]} with at least one key that signatures are checked with",
            )
        };
        let set: Set<'_> = serde_json::from_str(json)
            .map_err(|error| refuse(format!("this is no JWK Set ({})", place(&error))))?;
        let usable = set.keys.iter().filter_map(|key| read_jwk(key.get()).ok());
        let keys: Vec<_> = usable.map(|key| Self { from_set: true, ..key }).collect();
        if keys.is_empty() { Err(refuse("no key in the set can be used".to_owned())) } else { Ok(keys) }
    }

    /// The same key, known by `id` (a token's `kid`).
    #[must_use]
    pub fn with_id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// The key's id, if it has one.
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// Whether everybody may know it.
    pub(super) fn is_public(&self) -> bool {
        matches!(self.material, Material::Public(_))
    }

    /// Whether any algorithm takes the key. For secrets their length decides, once the algorithms are known.
    fn fits_something(&self) -> bool {
        let fits = |algorithm| matches!(self.prepare(algorithm), Ok(Some(_)));
        matches!(self.material, Material::Hmac(..)) || Algorithm::ALL.iter().copied().any(fits)
    }

    /// A prepared check for `algorithm`, nothing if the key is of another family, or why the key is refused.
    pub(super) fn prepare(&self, algorithm: Algorithm) -> Result<Option<Check>, ConfigError> {
        if self.pinned.is_some_and(|pinned| pinned != algorithm) {
            return Ok(None);
        }
        match (&self.material, algorithm.family()) {
            (Material::Hmac(secret, least), Family::Hmac { algorithm: hash, bytes }) => {
                let (given, least) = (secret.expose().len(), least.unwrap_or(bytes));
                if given < least {
                    return Err(ConfigError::new(
                        "secret",
                        format!("{given} bytes are too short for {algorithm}, which needs at least {least}"),
                        "make one with `authgate secret`",
                    ));
                }
                Ok(Some(Check::Hmac(Box::new(aws_lc_rs::hmac::Key::new(hash, secret.expose())))))
            }
            (Material::Public(key), family) => public(key, &family),
            (Material::Hmac(..), _) => Ok(None),
        }
    }
}

fn public(key: &DecodingKey, family: &Family) -> Result<Option<Check>, ConfigError> {
    let parsed = match (key.family(), family) {
        (AlgorithmFamily::Rsa, Family::Rsa(parameters)) => rsa(key.kind(), parameters),
        (AlgorithmFamily::Ec, Family::Ec { algorithm, point }) => match key.try_get_as_bytes() {
            Ok(bytes) if bytes.len() == *point => ParsedPublicKey::new(*algorithm, bytes).ok(),
            _ => return Ok(None),
        },
        (AlgorithmFamily::Ed, Family::Ed(parameters)) => {
            key.try_get_as_bytes().ok().and_then(|bytes| ParsedPublicKey::new(*parameters, bytes).ok())
        }
        _ => return Ok(None),
    };
    parsed
        .map(|key| Some(Check::Public(key)))
        .ok_or_else(|| ConfigError::new("key", "this public key is not usable", PUBLIC_KEYS))
}

/// An RSA key of a size that is still safe and not yet absurd (NIST SP 800-131A: at least 2048 bits).
fn rsa(
    kind: &DecodingKeyKind,
    parameters: &'static aws_lc_rs::signature::RsaParameters,
) -> Option<ParsedPublicKey> {
    let key = match kind {
        DecodingKeyKind::SecretOrDer(der) => ParsedPublicKey::new(parameters, der).ok()?,
        DecodingKeyKind::RsaModulusExponent { n, e } => {
            // Some issuers write the sign byte of an ASN.1 integer into the JWK.
            let trim = |number: &'_ [u8]| -> Vec<u8> {
                number.iter().copied().skip_while(|&byte| byte == 0).collect()
            };
            RsaPublicKeyComponents { n: trim(n), e: trim(e) }.to_parsed_public_key(parameters).ok()?
        }
    };
    let der: PublicKeyX509Der<'_> = key.as_der().ok()?;
    let bits = PublicEncryptingKey::from_der(der.as_ref()).ok()?.key_size_bits();
    (2048..=8192).contains(&bits).then_some(key)
}

fn read_jwk(json: &str) -> Result<Key, String> {
    /// jsonwebtoken's names of algorithms lack ES512, so this one is read as text.
    #[derive(Deserialize)]
    struct Own {
        alg: Option<String>,
        /// The private part of an RSA, EC or OKP key (RFC 7518 §6.2.2, §6.3.2).
        d: Option<serde::de::IgnoredAny>,
    }
    let no_jwk = |error: serde_json::Error| format!("this is no JWK ({})", place(&error));
    let jwk: Jwk = serde_json::from_str(json).map_err(no_jwk)?;
    let Own { alg, d } = serde_json::from_str(json).map_err(no_jwk)?;
    if d.is_some() {
        return Err("this is a private key; give its public part only".to_owned());
    }
    let signs = jwk.common.public_key_use.as_ref().is_none_or(|usage| *usage == PublicKeyUse::Signature)
        && jwk
            .common
            .key_operations
            .as_ref()
            .is_none_or(|operations| operations.contains(&KeyOperations::Verify));
    if !signs {
        return Err("the key's `use` or `key_ops` is not for checking signatures".to_owned());
    }
    let pinned = alg.map(|name| name.parse()).transpose().map_err(|error: ConfigError| error.to_string())?;
    let read = DecodingKey::from_jwk(&jwk).map_err(|_| "the key's type is not supported".to_owned())?;
    let material = match (read.family(), read.kind()) {
        (AlgorithmFamily::Hmac, DecodingKeyKind::SecretOrDer(bytes)) => match other_kind(bytes) {
            Some((kind, _)) => return Err(format!("its secret is {kind}")),
            None => Material::Hmac(Secret::new(bytes.clone()), None),
        },
        _ => Material::Public(read),
    };
    let key = Key { id: jwk.common.key_id, pinned, from_set: false, material };
    if key.fits_something() {
        Ok(key)
    } else {
        Err(format!("the key is not usable for what it says; {PUBLIC_KEYS}"))
    }
}

/// Where JSON cannot be read; never what stands there, which may be a secret in the wrong file.
fn place(error: &serde_json::Error) -> String {
    format!("line {}, column {}", error.line(), error.column())
}

/// The object identifiers of public keys in DER: RSA, EC and Ed25519 (RFC 3279 §2.3, RFC 8410 §3).
const KEY_TYPES: [&[u8]; 3] = [
    b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01",
    b"\x2a\x86\x48\xce\x3d\x02\x01",
    b"\x06\x03\x2b\x65\x70\x03\x21",
];

/// What kind of key `text` is, if it is text that is surely no HMAC secret, and what to do with it instead.
fn other_kind(text: &[u8]) -> Option<(&'static str, &'static str)> {
    let der = text.get(..32).unwrap_or(text);
    if text.starts_with(b"\x30") && KEY_TYPES.iter().any(|kind| memchr::memmem::find(der, kind).is_some()) {
        return Some(("a DER key", "give it as PEM, with an RS*, PS*, ES* or EdDSA algorithm"));
    }
    // Without zeros UTF-16 reads as ASCII does. The copies are of what may well be a secret, so they are erased.
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    bytes.extend(text.iter().copied().filter(|&byte| byte != 0));
    let text = lossy(&bytes);
    if text.contains("-----BEGIN ") || text.contains("---- BEGIN ") {
        return Some(("a PEM key", "give it as a public key, with an RS*, PS*, ES* or EdDSA algorithm"));
    }
    let bare = text.trim_start_matches(|c: char| !c.is_ascii_graphic());
    if ["ssh-", "ecdsa-sha2-", "sk-ssh-"].iter().any(|prefix| bare.starts_with(prefix)) {
        return Some((
            "an SSH key",
            "convert it: ssh-keygen -e -m PKCS8 -f KEY, and give it as a public key",
        ));
    }
    let json = bare.rfind(['}', ']']).and_then(|end| bare.get(..=end));
    let json: Option<serde_json::Value> =
        json.filter(|json| json.starts_with(['{', '['])).and_then(|json| serde_json::from_str(json).ok());
    let is_jwk = |json: &serde_json::Value| json.get("kty").is_some() || json.get("keys").is_some();
    json.is_some_and(|json| is_jwk(&json) || json.as_array().is_some_and(|list| list.iter().any(is_jwk)))
        .then_some(("a JWK", "give it as a key or a key set instead"))
}

/// Bytes as text, with a mark for whatever is none. Nothing grows: what growing leaves behind cannot be erased.
fn lossy(bytes: &[u8]) -> Zeroizing<String> {
    const MARK: char = char::REPLACEMENT_CHARACTER;
    let mut text = Zeroizing::new(String::with_capacity(bytes.len() * MARK.len_utf8()));
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend((!chunk.invalid().is_empty()).then_some(MARK));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t36_text_of_another_key_is_no_secret() {
        let pem = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----\n";
        for text in [
            pem.to_owned(),
            format!(" \n{pem}"),
            format!("\u{feff}{pem}"),
            "{\"kty\":\"oct\",\"k\":\"AAAA\"}".to_owned(),
            " {\"keys\":[]}\n".to_owned(),
            "[{\"kty\":\"RSA\"}]".to_owned(),
            "\u{200b}{\"kty\":\"RSA\"};\0".to_owned(),
            pem.chars().flat_map(|c| [c, '\0']).collect(),
            "ssh-rsa AAAAB3NzaC1yc2E".to_owned(),
        ] {
            assert_eq!(Key::secret(text.clone()).unwrap_err().field(), "secret", "{text}");
        }
        let wrapped = base64_simd::URL_SAFE_NO_PAD.encode_to_string(pem);
        assert!(Key::jwk(&format!("{{\"kty\":\"oct\",\"k\":\"{wrapped}\"}}")).is_err());
        let spki = [&[0x30, 0x2a, 0x30, 0x05][..], b"\x06\x03\x2b\x65\x70\x03\x21\x00", &[7; 32]].concat();
        assert!(Key::secret(spki).is_err());
        let told = Key::jwk_set("\"a secret\"").unwrap_err().to_string();
        assert!(!told.contains("secret") && told.contains("line 1, column"), "{told}");
        for odd in [
            &b"0 begins like DER, and is forty bytes long"[..],
            b"-----BE\xffGIN is no text, and long enough",
        ] {
            assert!(Key::secret(odd).is_ok());
        }
        assert!(Key::secret("{not json, just an odd secret of many bytes}").is_ok());
    }

    #[test]
    fn a_key_prints_no_secret() {
        let key = Key::secret("correct horse battery staple, twice").unwrap();
        assert!(!format!("{key:?}").contains("horse"));
        let jwk = Key::jwk("{\"kty\":\"oct\",\"k\":\"Y29ycmVjdCBob3JzZQ\",\"kid\":\"a\"}").unwrap();
        assert!(!format!("{jwk:?}").contains("horse") && jwk.id() == Some("a"));
    }

    #[test]
    fn a_private_key_and_a_certificate_meet_a_remedy() {
        for (label, remedy) in [("PRIVATE KEY", "-pubout"), ("CERTIFICATE", "x509")] {
            let text = format!("-----BEGIN {label}-----\nAAAA\n-----END {label}-----");
            assert!(Key::pem(&text).unwrap_err().remedy().contains(remedy));
        }
    }

    #[test]
    fn a_private_jwk_is_refused_and_its_public_part_is_not() {
        // RFC 8037 appendix A.1 and A.2.
        let public =
            "\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"";
        assert!(Key::jwk(&format!("{{{public}}}")).is_ok());
        let private = format!("{{{public},\"d\":\"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A\"}}");
        assert!(Key::jwk(&private).unwrap_err().to_string().contains("private"));
    }

    #[test]
    fn a_set_skips_what_cannot_check_signatures() {
        let usable = "{\"kty\":\"oct\",\"k\":\"AAAA\",\"kid\":\"good\"}";
        let set = format!(
            "{{\"keys\":[{{\"kty\":\"XYZ\"}},{{\"kty\":\"oct\",\"k\":\"AAAA\",\"use\":\"enc\"}},\
             {{\"kty\":\"oct\",\"k\":\"AAAA\",\"key_ops\":[\"sign\"]}},{{\"kty\":\"oct\",\"k\":\"AAAA\",\"alg\":\"none\"}},\
             {usable}]}}"
        );
        let ids: Vec<_> = Key::jwk_set(&set).unwrap().iter().map(|key| key.id().map(str::to_owned)).collect();
        assert_eq!(ids, [Some("good".to_owned())]);
        for set in ["", "[]", "{\"keys\":[]}", "{\"keys\":[{\"kty\":\"XYZ\"}]}"] {
            assert_eq!(Key::jwk_set(set).unwrap_err().field(), "jwks");
        }
    }
}
