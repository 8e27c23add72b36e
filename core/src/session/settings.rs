use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::cookie::{CookieSettings, SameSite, SessionCookie};
use super::endings::Endings;
use super::rules::SessionRules;
use super::seal::{KeyRing, SealingKey};
use crate::{ConfigError, Sharing};

/// How many early endings are remembered; see [`Endings`].
const ENDINGS: usize = 100_000;

/// How sessions are kept, for how long, and in what cookie.
///
/// | kept | survives a restart | many processes | a sign-out holds |
/// |---|---|---|---|
/// | [`records`](Self::records) | if the store does | if they share the store | for all who share the store |
/// | [`sealed`](Self::sealed) | yes | yes, with the same keys | in this process, until it restarts |
///
/// With [`GateBuilder::sharing`](crate::GateBuilder::sharing), a sign-out holds for everybody who shares the store, in
/// both cases.
///
/// ```
/// use std::time::Duration;
/// use authgate_core::{Gate, PasswordBackend, SealingKey, Sessions};
///
/// let key = SealingKey::new("a secret of at least thirty-two bytes")?;
/// let sessions = Sessions::sealed([key]).idle(Duration::from_mins(15)).lifetime(Duration::from_hours(8));
/// let gate = Gate::builder(PasswordBackend::new()).sessions(sessions).build()?;
/// # Ok::<(), authgate_core::ConfigError>(())
/// ```
#[must_use = "settings do nothing until they are given to a gate"]
pub struct Sessions {
    /// None for records.
    keys: Option<Vec<SealingKey>>,
    /// None: the default.
    idle: Option<Duration>,
    lifetime: Duration,
    renew_every: Option<Duration>,
    cookie: CookieSettings,
}

impl Sessions {
    /// Sessions are records in a store, which the driver asks; the cookie holds a secret that leads to one.
    pub fn records() -> Self {
        Self::new(None)
    }

    /// Sessions are sealed into the cookie itself. The first key seals; all of them open, so that keys can be rotated: put
    /// the new one first, and take the old one away once its sessions have ended. Who shares keys shares sign-ins: see
    /// [`SealingKey`].
    pub fn sealed(keys: impl IntoIterator<Item = SealingKey>) -> Self {
        Self::new(Some(keys.into_iter().collect()))
    }

    fn new(keys: Option<Vec<SealingKey>>) -> Self {
        Self {
            keys,
            idle: None,
            lifetime: Duration::from_hours(12),
            renew_every: None,
            cookie: CookieSettings::default(),
        }
    }

    /// How long a session may be unused. Default 30 minutes, or the lifetime if that is less.
    pub fn idle(mut self, span: Duration) -> Self {
        self.idle = Some(span);
        self
    }

    /// How long a session lives at most, however much it is used. Default 12 hours.
    pub fn lifetime(mut self, span: Duration) -> Self {
        self.lifetime = span;
        self
    }

    /// How often a session in use is renewed at most: only then is its user looked up again, and the idle time starts
    /// anew. Default one minute, or a quarter of the idle time if that is less.
    pub fn renew_every(mut self, span: Duration) -> Self {
        self.renew_every = Some(span);
        self
    }

    /// The cookie's name. Default `authgate`; over TLS a `__Host-` goes before it, or `__Secure-` if a path or a domain is
    /// set.
    pub fn cookie_name(mut self, name: impl Into<String>) -> Self {
        self.cookie.name = name.into();
        self
    }

    /// The cookie's path. Default `/`, which `__Host-` asks for.
    pub fn cookie_path(mut self, path: impl Into<String>) -> Self {
        self.cookie.path = path.into();
        self
    }

    /// The domain whose hosts all get the cookie. Default: this host alone.
    pub fn cookie_domain(mut self, domain: impl Into<String>) -> Self {
        self.cookie.domain = Some(domain.into());
        self
    }

    /// Whether the cookie comes along from other sites' links. Default [`SameSite::Lax`].
    pub fn same_site(mut self, same_site: SameSite) -> Self {
        self.cookie.same_site = same_site;
        self
    }

    /// Marks the cookie `Secure` although requests seem to arrive over plain HTTP, because something in front ends TLS and
    /// does not say so. Default: by the request's scheme.
    pub fn always_secure(mut self) -> Self {
        self.cookie.always_secure = true;
        self
    }

    pub(crate) fn prepare(self, realm: &str, sharing: Option<Sharing>) -> Result<SessionRules, ConfigError> {
        let refuse = |field, problem: String, remedy: &str| Err(ConfigError::new(field, problem, remedy));
        let (lifetime, second) = (self.lifetime, Duration::from_secs(1));
        if lifetime < second {
            let problem = format!("{} s is out of range", lifetime.as_secs_f64());
            return refuse("session_lifetime", problem, "choose some hours or days");
        }
        let idle = self.idle.unwrap_or(Duration::from_mins(30).min(lifetime));
        if idle < second || idle > lifetime {
            let remedy = "choose at least a second, and no more than the lifetime";
            return refuse("session_idle", format!("{} s is out of range", idle.as_secs_f64()), remedy);
        }
        if lifetime > Duration::from_hours(24 * 366) {
            return refuse(
                "session_lifetime",
                "it is longer than a year".to_owned(),
                "choose some hours or days",
            );
        }
        let renew_every = self.renew_every.unwrap_or(Duration::from_mins(1).min(idle / 4));
        if renew_every > idle / 2 {
            let problem = format!("{} s is more than half of the idle time", renew_every.as_secs_f64());
            return refuse(
                "session_renewal",
                problem,
                "renew more often, or people are thrown out while they work",
            );
        }
        Ok(SessionRules {
            ring: self.keys.map(|keys| KeyRing::new(keys, &self.cookie.name, realm)).transpose()?,
            cookie: SessionCookie::new(self.cookie)?,
            endings: Arc::new(Endings::new(ENDINGS, lifetime).into()),
            idle,
            lifetime,
            renew_every,
            sharing: sharing.map(Sharing::check).transpose()?,
            heard: Mutex::default(),
        })
    }
}

impl Default for Sessions {
    fn default() -> Self {
        Self::records()
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions")
            .field("sealed", &self.keys.is_some())
            .field("idle", &self.idle)
            .field("lifetime", &self.lifetime)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unusable_settings_are_refused_by_name() {
        let hours = Duration::from_hours;
        for (field, sessions) in [
            ("session_idle", Sessions::records().idle(Duration::ZERO)),
            ("session_idle", Sessions::records().idle(hours(13))),
            ("session_lifetime", Sessions::records().lifetime(hours(24 * 400))),
            ("session_renewal", Sessions::records().renew_every(Duration::from_mins(20))),
            ("session_secret", Sessions::sealed([])),
            ("cookie_name", Sessions::records().cookie_name("")),
            ("cookie_path", Sessions::records().cookie_path("ops")),
            ("cookie_domain", Sessions::records().cookie_domain("localhost")),
        ] {
            assert_eq!(sessions.prepare("dashboard", None).map(drop).unwrap_err().field(), field);
        }
    }

    #[test]
    fn what_is_just_usable_is_used() {
        let (second, hours) = (Duration::from_secs(1), Duration::from_hours);
        for sessions in [
            Sessions::records().lifetime(second),
            Sessions::records().idle(second),
            Sessions::records().lifetime(hours(24 * 366)),
            Sessions::records().lifetime(hours(13)).idle(hours(13)),
            Sessions::records().idle(hours(2)).renew_every(hours(1)),
        ] {
            let told = format!("{sessions:?}");
            assert!(sessions.prepare("dashboard", None).is_ok(), "{told}");
        }
        let short = Sessions::records().lifetime(Duration::from_millis(999));
        assert_eq!(short.prepare("dashboard", None).map(drop).unwrap_err().field(), "session_lifetime");
        assert_eq!(
            format!("{:?}", Sessions::records().idle(second)),
            "Sessions { sealed: false, idle: Some(1s), lifetime: 43200s, .. }"
        );
    }
}
