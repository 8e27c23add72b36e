use std::time::{Duration, SystemTime};

use authgate_core::{Algorithm, JwtBackend, Timestamp};
use base64_simd::URL_SAFE_NO_PAD;
use jsonwebtoken::crypto::aws_lc;
use jsonwebtoken::{EncodingKey, Header};
use serde_json::{Map, Value, json};

use crate::cli::TokenOptions;
use crate::failure::Failure;
use crate::keys::{FoundSecret, SECRET_VARIABLE};
use crate::output::say;

/// `authgate secret`
pub(crate) fn secret() -> Result<(), Failure> {
    let secret = FoundSecret::fresh()?;
    say(&String::from_utf8_lossy(secret.bytes.expose()))
}

/// `authgate token`
pub(crate) fn token(options: &TokenOptions) -> Result<(), Failure> {
    let Some(secret) = FoundSecret::find(options.secret_file.as_deref())? else {
        return Err(Failure::new(format!(
            "there is no secret; give --secret-file FILE or set {SECRET_VARIABLE} (`authgate secret` makes one)"
        )));
    };
    let mut claims = claims_of(&options.sub, options.name.as_deref(), options.admin, options.ttl)?;
    if !options.roles.is_empty() {
        claims.insert("roles".to_owned(), json!(options.roles));
    }
    insert_parties(&mut claims, &options.audience, options.issuer.as_deref());
    say(&sign(&secret, options.alg, &claims)?)
}

/// The claims of a user from now on.
pub(crate) fn claims_of(
    sub: &str,
    name: Option<&str>,
    admin: bool,
    ttl: Duration,
) -> Result<Map<String, Value>, Failure> {
    if sub.is_empty() {
        return Err(Failure::new("--sub is empty; name a user"));
    }
    if ttl.as_secs() == 0 {
        return Err(Failure::new("--ttl is shorter than a second; the token would be worthless"));
    }
    let now = Timestamp::from(SystemTime::now());
    let mut claims = Map::new();
    claims.insert("sub".to_owned(), json!(sub));
    if let Some(name) = name {
        claims.insert("name".to_owned(), json!(name));
    }
    if admin {
        claims.insert("is_admin".to_owned(), json!(true));
    }
    claims.insert("iat".to_owned(), json!(now.as_secs()));
    claims.insert("exp".to_owned(), json!(now.after(ttl).as_secs()));
    Ok(claims)
}

/// For whom the token is and from whom, as a string where one will do.
pub(crate) fn insert_parties(claims: &mut Map<String, Value>, audience: &[String], issuer: Option<&str>) {
    match audience {
        [] => {}
        [one] => {
            claims.insert("aud".to_owned(), json!(one));
        }
        many => {
            claims.insert("aud".to_owned(), json!(many));
        }
    }
    if let Some(issuer) = issuer {
        claims.insert("iss".to_owned(), json!(issuer));
    }
}

/// A signed token (RFC 7515 §7.1), after the gate itself has agreed that the secret is good enough.
pub(crate) fn sign(
    secret: &FoundSecret,
    algorithm: Algorithm,
    claims: &Map<String, Value>,
) -> Result<String, Failure> {
    let checked = JwtBackend::builder().key(secret.key()?).algorithms([algorithm]).build();
    checked.map_err(|error| match error.field() {
        "algorithms" => {
            Failure::new(format!("--alg {algorithm} takes a key pair; use HS256, HS384 or HS512"))
        }
        _ => secret.blame(&error),
    })?;
    let failed =
        |_| Failure::new(format!("no token can be signed with {algorithm}; use HS256, HS384 or HS512"));
    let name = algorithm.as_str().parse().map_err(failed)?;
    let key = EncodingKey::from_secret(secret.bytes.expose());
    // The provider by name: jsonwebtoken's own `encode` takes whichever the process has installed.
    let signer = (aws_lc::DEFAULT_PROVIDER.signer_factory)(&name, &key).map_err(failed)?;
    let part = |json: &str| URL_SAFE_NO_PAD.encode_to_string(json);
    let header =
        serde_json::to_string(&Header::new(name)).map_err(|error| Failure::new(error.to_string()))?;
    let message = format!("{}.{}", part(&header), part(&Value::Object(claims.clone()).to_string()));
    let signature = signer.try_sign(message.as_bytes()).map_err(|error| Failure::new(error.to_string()))?;
    Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode_to_string(signature)))
}
