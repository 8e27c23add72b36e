//! Keys as the program gets them: from files and, for a secret, from the environment. Never from an argument, which
//! everybody on the machine could read.

use std::env;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use authgate_core::{Algorithm, ConfigError, JwtBackend, Key, Secret};

use crate::cli::DemoOptions;
use crate::failure::Failure;
use crate::mint;

/// The environment variable that may hold the secret.
pub(crate) const SECRET_VARIABLE: &str = "AUTHGATE_JWT_SECRET";

/// The longest key file that is read: a large key set, but no disk.
const MOST_BYTES: u64 = 1024 * 1024;

/// An HMAC secret and where it came from.
pub(crate) struct FoundSecret {
    pub(crate) bytes: Secret<Vec<u8>>,
    source: String,
}

impl FoundSecret {
    /// The secret in `file`, or else in the environment; nothing if neither is given.
    pub(crate) fn find(file: Option<&Path>) -> Result<Option<Self>, Failure> {
        match (file, env::var_os(SECRET_VARIABLE)) {
            (Some(path), _) => Self::in_file(path).map(Some),
            (None, Some(value)) => Self::of(value.into_encoded_bytes(), SECRET_VARIABLE.to_owned()).map(Some),
            (None, None) => Ok(None),
        }
    }

    /// The secret in a file.
    pub(crate) fn in_file(path: &Path) -> Result<Self, Failure> {
        Self::of(read(path)?, path.display().to_string())
    }

    fn of(mut bytes: Vec<u8>, source: String) -> Result<Self, Failure> {
        for end in [b'\n', b'\r'] {
            if bytes.last() == Some(&end) {
                bytes.pop();
            }
        }
        if bytes.is_empty() {
            return Err(Failure::new(format!(
                "{source}: the secret is empty; make one with `authgate secret`"
            )));
        }
        Ok(Self { bytes: Secret::new(bytes), source })
    }

    /// A fresh secret, as `authgate secret` prints it.
    pub(crate) fn fresh() -> Result<Self, Failure> {
        // As many bytes as the longest hash has: good for every HS* (RFC 7518 §3.2).
        let bytes = base64_simd::URL_SAFE_NO_PAD.encode_to_string(random::<64>()?).into_bytes();
        Ok(Self { bytes: Secret::new(bytes), source: "the fresh secret".to_owned() })
    }

    /// The key that it is.
    pub(crate) fn key(&self) -> Result<Key, Failure> {
        Key::secret(self.bytes.expose().as_slice()).map_err(|error| self.blame(&error))
    }

    /// A refused setting, if this secret is the reason, told with the secret's source.
    pub(crate) fn blame(&self, error: &ConfigError) -> Failure {
        match error.field() {
            "secret" => Failure::new(format!("{}: {error}", self.source)),
            _ => error.clone().into(),
        }
    }
}

/// Random bytes from the operating system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], Failure> {
    let mut random = [0; N];
    aws_lc_rs::rand::fill(&mut random)
        .map_err(|_| Failure::new("the operating system has no random bytes; try again later"))?;
    Ok(random)
}

/// How long the demo's ready token is valid.
const READY_TOKEN: Duration = Duration::from_hours(12);

/// The backend that the demo's options describe, and a ready administrator's token if the demo can sign one.
pub(crate) fn of_demo(options: &DemoOptions) -> Result<(JwtBackend, Option<String>), Failure> {
    let mut keys = Vec::new();
    if let Some(path) = &options.public_key_file {
        keys.push(public_key(path)?);
    }
    if let Some(path) = &options.jwks_file {
        keys.extend(key_set(path)?);
    }
    let secret = match FoundSecret::find(options.jwt_secret_file.as_deref())? {
        None if keys.is_empty() => Some(FoundSecret::fresh()?),
        found => found,
    };
    if let Some(secret) = &secret {
        keys.push(secret.key()?);
    } else if options.algorithms.is_empty() {
        return Err(Failure::new(
            "--algorithm is missing; say which the public keys are for, such as --algorithm RS256",
        ));
    }
    let mut builder = JwtBackend::builder().keys(keys);
    if !options.algorithms.is_empty() {
        builder = builder.algorithms(options.algorithms.iter().copied());
    }
    if !options.audience.is_empty() {
        builder = builder.audience(&options.audience);
    }
    if !options.issuer.is_empty() {
        builder = builder.issuer(&options.issuer);
    }
    let backend = builder.build().map_err(|error| match &secret {
        Some(secret) => secret.blame(&error),
        None => error.into(),
    })?;
    let allowed = if options.algorithms.is_empty() { &[Algorithm::HS256][..] } else { &options.algorithms };
    let signs = allowed.iter().copied().find(|algorithm| algorithm.is_hmac());
    let token = match (&secret, signs) {
        (Some(secret), Some(algorithm)) => Some(ready_token(options, secret, algorithm)?),
        _ => None,
    };
    Ok((backend, token))
}

fn ready_token(options: &DemoOptions, secret: &FoundSecret, algorithm: Algorithm) -> Result<String, Failure> {
    let mut claims = mint::claims_of("demo", Some("Demo Admin"), true, READY_TOKEN)?;
    if !options.roles.is_empty() {
        claims.insert("roles".to_owned(), options.roles.clone().into());
    }
    mint::insert_parties(&mut claims, &options.audience, options.issuer.first().map(String::as_str));
    mint::sign(secret, algorithm, &claims)
}

/// The public key in a PEM file.
fn public_key(path: &Path) -> Result<Key, Failure> {
    Key::pem(&read_text(path)?).map_err(|error| Failure::at(path, error))
}

/// The keys in a JWK Set.
fn key_set(path: &Path) -> Result<Vec<Key>, Failure> {
    Key::jwk_set(&read_text(path)?).map_err(|error| Failure::at(path, error))
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    // Something endless, such as a device, is no key either.
    let read = File::open(path).and_then(|file| file.take(MOST_BYTES + 1).read_to_end(&mut bytes));
    match read {
        Err(error) => Err(Failure::at(path, format!("cannot be read: {error}"))),
        Ok(length) if length as u64 > MOST_BYTES => {
            Err(Failure::at(path, format!("is longer than {MOST_BYTES} bytes; is it the right file?")))
        }
        Ok(_) => Ok(bytes),
    }
}

fn read_text(path: &Path) -> Result<String, Failure> {
    String::from_utf8(read(path)?).map_err(|_| Failure::at(path, "is not text; give PEM or JSON"))
}
