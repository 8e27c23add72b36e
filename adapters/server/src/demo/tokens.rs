use std::time::Duration;

use authgate_core::{Algorithm, JwtBackend};

use crate::cli::DemoOptions;
use crate::failure::Failure;
use crate::keys::{FoundSecret, TokenKeys, TokenSettings, Tokens};
use crate::mint;

/// How long the demo's ready token is valid.
const READY_TOKEN: Duration = Duration::from_hours(12);

/// The backend that the demo's options describe, and a ready administrator's token if the demo can sign one.
pub(super) fn of_demo(options: &DemoOptions) -> Result<(JwtBackend, Option<String>), Failure> {
    let settings = TokenSettings {
        secret_file: options.jwt_secret_file.as_deref(),
        public_key_file: options.public_key_file.as_deref(),
        jwks_file: options.jwks_file.as_deref(),
        jwks_url: None,
        jwks_ca_file: None,
        algorithms: &options.algorithms,
        audience: &options.audience,
        issuer: &options.issuer,
    };
    let Tokens { backend, secret, .. } = TokenKeys::find(&settings)?.or_fresh()?.backend(&settings)?;
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
