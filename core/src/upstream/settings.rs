use http::header::{AUTHORIZATION, HeaderName};

use super::cookies::SessionCookieNames;
use crate::ConfigError;
use crate::identity::fold;

/// How a gate stands in front of another server: what that server is told, and what it never sees.
///
/// Whoever is let in is announced in `X-Auth-User` and `X-Auth-Roles`, which no client can set under any alias. `Forwarded`
/// (RFC 7239) and `X-Forwarded-For`, `-Proto`, `-Host` are written afresh. The session's cookie never leaves the gate, nor
/// does `Authorization` unless asked for.
///
/// ```
/// use authgate_core::{Gate, JwtBackend, Key, Upstream};
///
/// let backend = JwtBackend::builder().key(Key::secret([7; 32])?).build()?;
/// let gate = Gate::builder(backend).upstream(Upstream::new().user_header("Remote-User")).build()?;
/// # Ok::<(), authgate_core::ConfigError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Upstream {
    user: String,
    roles: String,
    authorization: bool,
    strip_mount: bool,
}

impl Default for Upstream {
    fn default() -> Self {
        Self::new()
    }
}

impl Upstream {
    /// The defaults.
    pub fn new() -> Self {
        let (user, roles) = ("X-Auth-User".to_owned(), "X-Auth-Roles".to_owned());
        Self { user, roles, authorization: false, strip_mount: false }
    }

    /// The field with the user's id, percent-encoded as UTF-8 (RFC 3986 §2.1; letters, digits and `-._~@` stand for
    /// themselves). Default `X-Auth-User`.
    pub fn user_header(self, name: impl Into<String>) -> Self {
        Self { user: name.into(), ..self }
    }

    /// The field with the user's roles, separated by commas, each encoded as the id is; missing if there are none. Default
    /// `X-Auth-Roles`.
    pub fn roles_header(self, name: impl Into<String>) -> Self {
        Self { roles: name.into(), ..self }
    }

    /// Passes `Authorization` on. Default: it is for the gate, and stays here.
    pub fn pass_authorization(self) -> Self {
        Self { authorization: true, ..self }
    }

    /// Cuts the mount off the path that is passed on, and tells it in `X-Forwarded-Prefix`. Default: the path is passed on as it
    /// came.
    pub fn strip_mount(self) -> Self {
        Self { strip_mount: true, ..self }
    }

    /// The fields that grant an identity behind the gate.
    pub(crate) fn identity_headers(&self) -> [String; 2] {
        [self.user.clone(), self.roles.clone()]
    }

    pub(crate) fn prepare(&self, cookies: Vec<String>) -> Result<UpstreamRules, ConfigError> {
        let read = |field: &'static str, name: &str| {
            let parsed = HeaderName::from_bytes(name.as_bytes()).ok().filter(|parsed| !is_taken(parsed));
            parsed.ok_or_else(|| {
                let problem = format!("{name:?} is no field that an identity can stand in");
                ConfigError::new(field, problem, "write for example \"X-Auth-User\"")
            })
        };
        let (user, roles) = (read("user_header", &self.user)?, read("roles_header", &self.roles)?);
        if fold(user.as_str()) == fold(roles.as_str()) {
            let problem = format!("{:?} is the user's field, too", self.roles);
            return Err(ConfigError::new("roles_header", problem, "choose another name"));
        }
        let cookies = SessionCookieNames(cookies);
        Ok(UpstreamRules {
            user,
            roles,
            authorization: self.authorization,
            strip_mount: self.strip_mount,
            cookies,
        })
    }
}

/// The same, prepared.
#[derive(Debug)]
pub(crate) struct UpstreamRules {
    pub(crate) user: HeaderName,
    pub(crate) roles: HeaderName,
    authorization: bool,
    pub(crate) strip_mount: bool,
    pub(crate) cookies: SessionCookieNames,
}

impl UpstreamRules {
    /// Whether the client's field `name` stays here: it would tell the server behind who asks from where for what, and only
    /// the gate may tell that.
    pub(crate) fn keeps_back(&self, name: &HeaderName) -> bool {
        let folded = fold(name.as_str());
        match folded.as_ref() {
            "authorization" => !self.authorization,
            // Under another spelling they mean something to servers that fold names.
            "content-length" | "transfer-encoding" => folded != name.as_str(),
            known => {
                HEARSAY.contains(&known)
                    || OVERRIDES.contains(&known)
                    || PREFIXES.iter().any(|prefix| known.starts_with(prefix))
            }
        }
    }
}

/// Fields that name another client than the gate knows; and two that are not for passing on: `Expect` (RFC 9110 §10.1.1), and
/// `Proxy`, which CGI turns into a setting.
const HEARSAY: [&str; 10] = [
    "cf-connecting-ip",
    "client-ip",
    "expect",
    "forwarded",
    "proxy",
    "true-client-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-proxyuser-ip",
    "x-real-ip",
];

/// Fields that name another method or target than the gate has judged.
pub(crate) const OVERRIDES: [&str; 4] =
    ["x-http-method", "x-http-method-override", "x-method-override", "x-rewrite-url"];

const PREFIXES: [&str; 2] = ["x-forwarded", "x-original-"];

/// Fields that mean something else already.
fn is_taken(name: &HeaderName) -> bool {
    use http::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HOST, TRANSFER_ENCODING, UPGRADE};
    let taken =
        [AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HOST, TRANSFER_ENCODING, UPGRADE];
    let folded = fold(name.as_str());
    taken.iter().any(|other| folded == other.as_str()) || folded == "forwarded"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t22_what_only_the_gate_may_tell_is_kept_back_under_every_spelling() {
        let rules = Upstream::new().prepare(Vec::new()).unwrap();
        for name in [
            "forwarded",
            "x-forwarded-for",
            "x_forwarded_for",
            "x.forwarded.proto",
            "x-forwarded-client-cert",
            "x-real-ip",
            "x_real_ip",
            "x-original-url",
            "x-rewrite-url",
            "x-http-method-override",
            "proxy",
            "expect",
            "authorization",
            "content_length",
            "transfer.encoding",
        ] {
            assert!(rules.keeps_back(&HeaderName::from_static(name)), "{name}");
        }
        for name in
            ["accept", "content-length", "content-type", "cookie", "host", "x-requested-with", "x-csrftoken"]
        {
            assert!(!rules.keeps_back(&HeaderName::from_static(name)), "{name}");
        }
        let passing = Upstream::new().pass_authorization().prepare(Vec::new()).unwrap();
        assert!(!passing.keeps_back(&AUTHORIZATION));
    }

    #[test]
    fn names_that_cannot_carry_an_identity_are_refused() {
        for name in ["", "a b", "Host", "Authorization", "content_length", "Cookie", "Forwarded"] {
            let refused = Upstream::new().user_header(name).prepare(Vec::new()).unwrap_err();
            assert_eq!(refused.field(), "user_header", "{name}");
            let refused = Upstream::new().roles_header(name).prepare(Vec::new()).unwrap_err();
            assert_eq!(refused.field(), "roles_header", "{name}");
        }
        let same = Upstream::new().user_header("x-me").roles_header("X_Me").prepare(Vec::new());
        assert_eq!(same.unwrap_err().field(), "roles_header");
    }
}
