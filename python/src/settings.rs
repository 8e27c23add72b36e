//! Settings as Python's front doors hand them over: normalised there, judged by the core.

use std::time::Duration;

use authgate_core::{
    Access, ConfigError, CrossSite, ForwardedFields, Gate, GateBuilder, JwtBackend as Tokens,
    PasswordBackend, SameSite, SealingKey, Secret, Sessions, Sharing, Texts, ThrottleLimits,
};
use pyo3::prelude::*;

use crate::backend::{Asked, Function, Shared, lasting};
use crate::error;
use crate::jwt::JwtBackend;

/// Everything but the backends.
#[derive(FromPyObject)]
pub(crate) struct Settings {
    mount: String,
    login_path: String,
    logout_path: String,
    public_paths: Vec<String>,
    public_prefixes: Vec<String>,
    access: AccessRules,
    cross_site: String,
    trusted_proxies: Vec<String>,
    forwarded_fields: String,
    allowed_hosts: Vec<String>,
    identity_headers: Vec<String>,
    realm: String,
    title: String,
    logo: Option<String>,
    texts: Vec<(String, String)>,
    session: Option<SessionSettings>,
    throttle: Option<Throttle>,
}

#[derive(FromPyObject)]
struct AccessRules {
    admins_only: bool,
    admin_roles: Vec<String>,
    any_role: Option<Vec<String>>,
}

#[derive(FromPyObject)]
struct SessionSettings {
    secrets: Option<Vec<Vec<u8>>>,
    idle: f64,
    lifetime: f64,
    renew_every: Option<f64>,
    cookie_name: String,
    cookie_path: String,
    cookie_domain: Option<String>,
    same_site: String,
    always_secure: bool,
    /// Whether gates share them by way of a store.
    shares: bool,
    stale: f64,
    grace: f64,
}

#[derive(FromPyObject)]
struct Throttle {
    tries: u32,
    first_delay: f64,
    longest_delay: f64,
    entries: usize,
    remember: f64,
}

/// A backend of a gate, in the order of its asking.
#[derive(FromPyObject)]
pub(crate) enum Backend<'py> {
    /// Tokens.
    Tokens(PyRef<'py, JwtBackend>),
    /// Passwords, and whether the host keeps the sign-ins.
    Password(bool),
    /// Somebody to ask: a name, and public paths of its own.
    Asked(String, Vec<String>),
    /// AsyncMQ's `authenticate=`, which may be a token backend's.
    Function((Option<PyRef<'py, JwtBackend>>,)),
}

/// The gate that these settings make.
pub(crate) fn build(py: Python<'_>, backends: &[Backend<'_>], settings: Settings) -> PyResult<Gate> {
    let mut builder: Option<GateBuilder> = None;
    for backend in backends {
        // Each backend has a type of its own, which a builder takes by value.
        macro_rules! add {
            ($backend:expr) => {
                Some(match builder {
                    None => Gate::builder($backend),
                    Some(builder) => builder.backend($backend),
                })
            };
        }
        builder = match backend {
            Backend::Tokens(tokens) => add!(Shared(tokens.inner()?.clone())),
            Backend::Password(true) => add!(PasswordBackend::for_host()),
            Backend::Password(false) => add!(PasswordBackend::new()),
            Backend::Asked(name, routes) => {
                add!(Asked { name: lasting(name), routes: routes.clone() })
            }
            Backend::Function((tokens,)) => {
                let tokens: Option<std::sync::Arc<Tokens>> =
                    tokens.as_ref().map(|tokens| tokens.inner().cloned()).transpose()?;
                add!(Function { tokens })
            }
        };
    }
    let Some(builder) = builder else {
        return Err(error::refused(
            py,
            "backend",
            "backend: there is none; give one, or several in the order of asking",
        ));
    };
    settings.apply(builder).and_then(GateBuilder::build).map_err(|error| error::config(py, &error))
}

impl Settings {
    fn apply(self, builder: GateBuilder) -> Result<GateBuilder, ConfigError> {
        let mut builder = builder
            .mount(self.mount)
            .login_path(self.login_path)
            .logout_path(self.logout_path)
            .access(self.access.read()?)
            .cross_site(named(
                "enforce_same_origin",
                &self.cross_site,
                &[
                    ("refused", CrossSite::Refused),
                    ("silent-sign-in", CrossSite::SilentSignIn),
                    ("allowed", CrossSite::Allowed),
                ],
            )?)
            .trusted_proxies(self.trusted_proxies)
            .forwarded_fields(named(
                "forwarded_fields",
                &self.forwarded_fields,
                &[
                    ("x-forwarded", ForwardedFields::XForwarded),
                    ("x-forwarded-host", ForwardedFields::XForwardedHost),
                    ("forwarded", ForwardedFields::Rfc7239),
                ],
            )?)
            .allowed_hosts(self.allowed_hosts)
            .identity_headers(self.identity_headers)
            .realm(self.realm)
            .title(self.title)
            .texts(texts(self.texts)?);
        for path in self.public_paths {
            builder = builder.public_path(path);
        }
        for path in self.public_prefixes {
            builder = builder.public_prefix(path);
        }
        if let Some(logo) = self.logo {
            builder = builder.logo(logo);
        }
        if let Some(session) = self.session {
            if session.shares {
                builder = builder.sharing(Sharing {
                    stale: seconds("session", "stale", session.stale)?,
                    grace: seconds("session", "grace", session.grace)?,
                });
            }
            builder = builder.sessions(session.read()?);
        }
        if let Some(throttle) = self.throttle {
            builder = builder.throttle(throttle.read()?);
        }
        Ok(builder)
    }
}

impl AccessRules {
    fn read(self) -> Result<Access, ConfigError> {
        let access =
            if self.admins_only { Access::admins_or(self.admin_roles)? } else { Access::signed_in() };
        match self.any_role {
            Some(roles) => access.and_any_role(roles),
            None => Ok(access),
        }
    }
}

impl SessionSettings {
    fn read(self) -> Result<Sessions, ConfigError> {
        let sessions = match self.secrets {
            None => Sessions::records(),
            Some(secrets) => {
                let keys = secrets.into_iter().map(|secret| SealingKey::new(Secret::new(secret).expose()));
                let keys: Result<Vec<_>, _> = keys.collect();
                Sessions::sealed(keys?)
            }
        };
        let mut sessions = sessions
            .idle(seconds("session", "idle", self.idle)?)
            .lifetime(seconds("session", "lifetime", self.lifetime)?)
            .cookie_name(self.cookie_name)
            .cookie_path(self.cookie_path)
            .same_site(named(
                "session",
                &self.same_site,
                &[("lax", SameSite::Lax), ("strict", SameSite::Strict)],
            )?);
        if let Some(span) = self.renew_every {
            sessions = sessions.renew_every(seconds("session", "renew_every", span)?);
        }
        if let Some(domain) = self.cookie_domain {
            sessions = sessions.cookie_domain(domain);
        }
        Ok(if self.always_secure { sessions.always_secure() } else { sessions })
    }
}

impl Throttle {
    fn read(&self) -> Result<ThrottleLimits, ConfigError> {
        Ok(ThrottleLimits {
            tries: self.tries,
            first_delay: seconds("throttle", "first_delay", self.first_delay)?,
            longest_delay: seconds("throttle", "longest_delay", self.longest_delay)?,
            entries: self.entries,
            remember: seconds("throttle", "remember", self.remember)?,
        })
    }
}

fn seconds(argument: &'static str, what: &str, value: f64) -> Result<Duration, ConfigError> {
    Duration::try_from_secs_f64(value).map_err(|_| {
        ConfigError::new(
            argument,
            format!("{what}: {value} is no span of time"),
            "give seconds, such as 1800",
        )
    })
}

/// One of a few words.
fn named<T: Copy>(argument: &'static str, word: &str, words: &[(&str, T)]) -> Result<T, ConfigError> {
    words.iter().find(|(name, _)| *name == word).map(|(_, value)| *value).ok_or_else(|| {
        let all: Vec<_> = words.iter().map(|(name, _)| *name).collect();
        ConfigError::new(
            argument,
            format!("{word:?} is unknown"),
            format!("choose one of {}", all.join(", ")),
        )
    })
}

fn texts(given: Vec<(String, String)>) -> Result<Texts, ConfigError> {
    let mut texts = Texts::default();
    for (name, text) in given {
        let place = match name.as_str() {
            "lang" => &mut texts.lang,
            "sign_in" => &mut texts.sign_in,
            "username" => &mut texts.username,
            "password" => &mut texts.password,
            "wrong" => &mut texts.wrong,
            "throttled" => &mut texts.throttled,
            "cannot_check" => &mut texts.cannot_check,
            "sign_out" => &mut texts.sign_out,
            "sign_out_advice" => &mut texts.sign_out_advice,
            "by_token" => &mut texts.by_token,
            "by_token_advice" => &mut texts.by_token_advice,
            "not_allowed" => &mut texts.not_allowed,
            "not_allowed_advice" => &mut texts.not_allowed_advice,
            "switch_user" => &mut texts.switch_user,
            "nothing_here" => &mut texts.nothing_here,
            "nothing_here_advice" => &mut texts.nothing_here_advice,
            "try_again" => &mut texts.try_again,
            "try_again_advice" => &mut texts.try_again_advice,
            "did_not_work" => &mut texts.did_not_work,
            "did_not_work_advice" => &mut texts.did_not_work_advice,
            "back" => &mut texts.back,
            _ => {
                return Err(ConfigError::new(
                    "texts",
                    format!("{name:?} is none"),
                    "they are named as authgate_core::Texts names them",
                ));
            }
        };
        *place = text;
    }
    Ok(texts)
}
