//! Keys as the program gets them: from files and, for a secret, from the environment. Never from an argument, which
//! everybody on the machine could read.

use std::env;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use authgate_core::{Algorithm, ConfigError, JwtBackend, Key, KeySetLimits, Secret};
use authgate_jwks::KeySource;
use zeroize::Zeroizing;

use crate::failure::Failure;

/// The environment variable that may hold the secret.
pub(crate) const SECRET_VARIABLE: &str = "AUTHGATE_JWT_SECRET";

/// The longest key file that is read: a large key set, but no disk.
const MOST_BYTES: usize = 1024 * 1024;

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
        let random = Secret::new(random::<64>()?);
        // As many bytes as the longest hash has: good for every HS* (RFC 7518 §3.2).
        let bytes = base64_simd::URL_SAFE_NO_PAD.encode_to_string(random.expose()).into_bytes();
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

/// Where the keys of tokens are, and what tokens must say.
pub(crate) struct TokenSettings<'a> {
    pub(crate) secret_file: Option<&'a Path>,
    pub(crate) public_key_file: Option<&'a Path>,
    pub(crate) jwks_file: Option<&'a Path>,
    pub(crate) jwks_url: Option<&'a str>,
    pub(crate) jwks_ca_file: Option<&'a Path>,
    pub(crate) algorithms: &'a [Algorithm],
    pub(crate) audience: &'a [String],
    pub(crate) issuer: &'a [String],
}

/// The keys, as they were found.
pub(crate) struct TokenKeys {
    secret: Option<FoundSecret>,
    public: Vec<Key>,
    /// Where others are fetched from.
    source: Option<NamedSource>,
}

impl TokenKeys {
    /// Reads whatever the settings name.
    pub(crate) fn find(settings: &TokenSettings<'_>) -> Result<Self, Failure> {
        let mut first = None;
        let keys = Self::read(settings, |_, failure| first = first.take().or(Some(failure)));
        first.map_or(Ok(keys), Err)
    }

    /// The same, as far as it can be read; the rest is `told`, each file by the setting that names it.
    pub(crate) fn read(settings: &TokenSettings<'_>, mut told: impl FnMut(&'static str, Failure)) -> Self {
        let mut public = Vec::new();
        match settings.public_key_file.map(public_key).transpose() {
            Ok(key) => public.extend(key),
            Err(failure) => told("public_key_file", failure),
        }
        match settings.jwks_file.map(key_set).transpose() {
            Ok(keys) => public.extend(keys.into_iter().flatten()),
            Err(failure) => told("jwks_file", failure),
        }
        let source = source(settings, &mut told);
        let secret = FoundSecret::find(settings.secret_file).unwrap_or_else(|failure| {
            told("jwt_secret_file", failure);
            None
        });
        Self { secret, public, source }
    }

    /// Whether there is none at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.secret.is_none() && self.public.is_empty() && self.source.is_none()
    }

    /// These, and a fresh secret if there is none at all.
    pub(crate) fn or_fresh(mut self) -> Result<Self, Failure> {
        if self.is_empty() {
            self.secret = Some(FoundSecret::fresh()?);
        }
        Ok(self)
    }

    /// The backend that reads tokens signed with these keys.
    pub(crate) fn backend(self, settings: &TokenSettings<'_>) -> Result<Tokens, TokenFault> {
        let Self { secret, public: mut keys, source } = self;
        if let Some(secret) = &secret {
            keys.push(secret.key().map_err(TokenFault::Secret)?);
        } else if settings.algorithms.is_empty() {
            let remedy = "say which the public keys are for, such as RS256";
            return Err(TokenFault::Setting(ConfigError::new("algorithms", "none is given", remedy)));
        }
        let mut builder = JwtBackend::builder().keys(keys);
        if source.is_some() {
            builder = builder.key_set(KeySetLimits::default());
        }
        if !settings.algorithms.is_empty() {
            builder = builder.algorithms(settings.algorithms.iter().copied());
        }
        if !settings.audience.is_empty() {
            builder = builder.audience(settings.audience);
        }
        if !settings.issuer.is_empty() {
            builder = builder.issuer(settings.issuer);
        }
        let backend = builder.build().map_err(|error| match &secret {
            Some(secret) if error.field() == "secret" => TokenFault::Secret(secret.blame(&error)),
            _ => TokenFault::Setting(error),
        })?;
        Ok(Tokens { backend, secret, source })
    }
}

/// How tokens are read.
pub(crate) struct Tokens {
    pub(crate) backend: JwtBackend,
    /// For whoever signs some.
    pub(crate) secret: Option<FoundSecret>,
    /// Where the backend's key set is fetched from, if it has one.
    pub(crate) source: Option<NamedSource>,
}

/// Where keys are fetched from, and how that was said: with other words, other keys count.
#[derive(Clone)]
pub(crate) struct NamedSource {
    pub(crate) source: KeySource,
    pub(crate) made_of: (String, Option<Vec<u8>>),
}

/// Why there is no backend that reads tokens.
pub(crate) enum TokenFault {
    /// The secret is to blame, and named.
    Secret(Failure),
    Setting(ConfigError),
}

impl From<TokenFault> for Failure {
    fn from(fault: TokenFault) -> Self {
        match fault {
            TokenFault::Secret(failure) => failure,
            TokenFault::Setting(error) => error.into(),
        }
    }
}

/// Where keys are fetched from, if a provider is named.
fn source(settings: &TokenSettings<'_>, told: &mut impl FnMut(&'static str, Failure)) -> Option<NamedSource> {
    let Some(url) = settings.jwks_url else {
        if settings.jwks_ca_file.is_some() {
            told(
                "jwks_ca_file",
                Failure::new("it is for jwks_url, and there is none; name it, or leave this out"),
            );
        }
        return None;
    };
    let source = KeySource::parse(url).map_err(|error| {
        told("jwks_url", Failure::new(format!("{}; {}", error.problem(), error.remedy())));
    });
    let source = source.ok()?;
    let Some(path) = settings.jwks_ca_file else {
        return Some(NamedSource { source, made_of: (url.to_owned(), None) });
    };
    let trusting = read(path).and_then(|pem| {
        let refuse =
            |error: ConfigError| Failure::at(path, format!("{}; {}", error.problem(), error.remedy()));
        let source = source.with_root_certificates(&pem).map_err(refuse)?;
        Ok(NamedSource { source, made_of: (url.to_owned(), Some(pem)) })
    });
    trusting.map_err(|failure| told("jwks_ca_file", failure)).ok()
}

/// The public key in a PEM file.
fn public_key(path: &Path) -> Result<Key, Failure> {
    Key::pem(&read_text(path)?).map_err(|error| Failure::at(path, error))
}

/// The keys in a JWK Set.
fn key_set(path: &Path) -> Result<Vec<Key>, Failure> {
    Key::jwk_set(&read_text(path)?).map_err(|error| Failure::at(path, error))
}

pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    match File::open(path).and_then(whole) {
        Err(error) => {
            Err(Failure::at(path, format!("cannot be read: {error}; give the path of a file that can")))
        }
        Ok(bytes) if bytes.len() > MOST_BYTES => {
            Err(Failure::at(path, format!("is longer than {MOST_BYTES} bytes; is it the right file?")))
        }
        Ok(bytes) => Ok(bytes),
    }
}

/// All that can be read, and of something endless, such as a device, one byte too many. The room for it is made at once:
/// a vector that grows leaves a secret behind.
fn whole(mut file: File) -> io::Result<Vec<u8>> {
    let mut room = Zeroizing::new(vec![0; MOST_BYTES + 1]);
    let mut length = 0;
    while let Some(rest) = room.get_mut(length..).filter(|rest| !rest.is_empty()) {
        match file.read(rest) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(room.get(..length).unwrap_or_default().to_vec())
}

fn read_text(path: &Path) -> Result<String, Failure> {
    String::from_utf8(read(path)?).map_err(|_| Failure::at(path, "is not text; give PEM or JSON"))
}
