use std::iter;

use cookie::{Cookie, time};
use http::HeaderValue;

use crate::field_names::COOKIE;
use crate::head::is_token;
use crate::headers::RequestFields;
use crate::path::is_plain;
use crate::{ConfigError, Scheme};

/// The longest cookie that browsers keep, name and value together, in bytes (RFC 6265 §6.1).
pub(crate) const LONGEST: usize = 4096;

/// Whether the browser sends the session's cookie along when another site leads to the dashboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum SameSite {
    /// For links that somebody follows, and for nothing else. The default.
    #[default]
    Lax,
    /// Never: whoever follows a link from a mail or a chat has to sign in again, or reload.
    Strict,
}

/// How the session's cookie is written, as it was asked for.
#[derive(Debug, Clone)]
pub(crate) struct CookieSettings {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) domain: Option<String>,
    pub(crate) same_site: SameSite,
    pub(crate) always_secure: bool,
}

impl Default for CookieSettings {
    fn default() -> Self {
        Self {
            name: "authgate".to_owned(),
            path: "/".to_owned(),
            domain: None,
            same_site: SameSite::default(),
            always_secure: false,
        }
    }
}

/// How the session's cookie is written and found.
#[derive(Debug)]
pub(crate) struct SessionCookie {
    settings: CookieSettings,
    /// The name over TLS. With the prefix, no other host of the domain can set it (RFC 6265bis §4.1.3).
    secure_name: String,
}

/// How many cookies of our name are looked at. A neighbour domain may have added some; nobody has that many.
pub(super) const MOST: usize = 8;

impl SessionCookie {
    pub(crate) fn new(settings: CookieSettings) -> Result<Self, ConfigError> {
        let refuse = |field, problem: String, remedy: &str| Err(ConfigError::new(field, problem, remedy));
        let CookieSettings { name, path, domain, .. } = &settings;
        if name.is_empty() || name.len() > 64 || !name.bytes().all(is_token) {
            return refuse(
                "cookie_name",
                format!("{name:?} is no cookie name"),
                "write for example \"authgate\"",
            );
        }
        if name.get(..2).is_some_and(|start| start == "__") {
            let remedy = "leave the prefix out: `__Host-` is added where its rules hold";
            return refuse("cookie_name", format!("{name:?} has a prefix"), remedy);
        }
        if !path.starts_with('/') || path.contains([';', ',']) || !is_plain(path) {
            return refuse(
                "cookie_path",
                format!("{path:?} is no plain absolute path"),
                "write for example \"/ops\"",
            );
        }
        if let Some(domain) = domain {
            let is_label = |label: &str| {
                !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            };
            if !domain.contains('.') || domain.len() > 253 || !domain.split('.').all(is_label) {
                let remedy = "write for example \"example.com\", or leave it out";
                return refuse("cookie_domain", format!("{domain:?} is no domain"), remedy);
            }
        }
        let host = path == "/" && domain.is_none();
        let secure_name = if host { format!("__Host-{name}") } else { format!("__Secure-{name}") };
        Ok(Self { settings, secure_name })
    }

    /// The values that the request has under the cookie's name.
    pub(crate) fn values<'a>(
        &self,
        headers: RequestFields<'a>,
        scheme: Scheme,
    ) -> impl Iterator<Item = &'a [u8]> {
        let name = self.name(scheme).as_bytes();
        let of_ours = move |pair: &'a [u8]| pair.trim_ascii().strip_prefix(name)?.strip_prefix(b"=");
        headers.all(&COOKIE).flat_map(pairs).filter_map(of_ours)
    }

    /// A `Set-Cookie` with this value, or nothing if it is longer than browsers keep. It ends with the browser: how long a
    /// session lives is not the browser's to say.
    pub(crate) fn set(&self, value: &str, scheme: Scheme) -> Option<HeaderValue> {
        (self.name(scheme).len() + value.len() <= LONGEST)
            .then(|| self.write(self.name(scheme), value, scheme, None))
            .flatten()
    }

    /// A `Set-Cookie` that removes it.
    pub(crate) fn remove(&self, scheme: Scheme) -> Option<HeaderValue> {
        self.write(self.name(scheme), "", scheme, Some(time::Duration::ZERO))
    }

    /// A `Set-Cookie` of another cookie, which means nothing and is gone after a second.
    ///
    /// Browsers that keep pages for the back button throw a `no-store` page away when an `HttpOnly` cookie changes. Chromium
    /// (156) forgets one such change for the page that a login's redirect led to; a sign-out makes two.
    pub(crate) fn farewell(&self, scheme: Scheme) -> Option<HeaderValue> {
        self.write(&format!("{}-left", self.name(scheme)), "1", scheme, Some(time::Duration::SECOND))
    }

    /// Its names, without TLS and over it.
    pub(crate) fn names(&self) -> [&str; 2] {
        [&self.settings.name, &self.secure_name]
    }

    fn name(&self, scheme: Scheme) -> &str {
        if self.is_secure(scheme) { &self.secure_name } else { &self.settings.name }
    }

    fn is_secure(&self, scheme: Scheme) -> bool {
        self.settings.always_secure || scheme == Scheme::Https
    }

    fn write(
        &self,
        name: &str,
        value: &str,
        scheme: Scheme,
        max_age: Option<time::Duration>,
    ) -> Option<HeaderValue> {
        let same_site = match self.settings.same_site {
            SameSite::Lax => cookie::SameSite::Lax,
            SameSite::Strict => cookie::SameSite::Strict,
        };
        let mut cookie = Cookie::build((name, value))
            .path(self.settings.path.as_str())
            .secure(self.is_secure(scheme))
            .http_only(true)
            .same_site(same_site);
        if let Some(domain) = &self.settings.domain {
            cookie = cookie.domain(domain.as_str());
        }
        if let Some(max_age) = max_age {
            cookie = cookie.max_age(max_age);
        }
        let mut field = HeaderValue::try_from(cookie.build().to_string()).ok()?;
        field.set_sensitive(true);
        Some(field)
    }
}

/// The cookies in a field (RFC 6265 §5.4). A sealed session is long, and is searched for its end many bytes at a time.
fn pairs(field: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(field);
    iter::from_fn(move || {
        let field = rest?;
        let end = memchr::memchr(b';', field);
        rest = end.and_then(|end| field.get(end + 1..));
        field.get(..end.unwrap_or(field.len()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::HeaderView;

    fn cookie(change: impl FnOnce(&mut CookieSettings)) -> Result<SessionCookie, ConfigError> {
        let mut settings = CookieSettings::default();
        change(&mut settings);
        SessionCookie::new(settings)
    }

    fn text(field: Option<HeaderValue>) -> String {
        field.unwrap().to_str().unwrap().to_owned()
    }

    #[test]
    fn the_strictest_cookie_that_the_scheme_allows_is_the_default() {
        let cookie = cookie(|_| {}).unwrap();
        assert_eq!(text(cookie.set("x", Scheme::Http)), "authgate=x; HttpOnly; SameSite=Lax; Path=/");
        assert_eq!(
            text(cookie.set("x", Scheme::Https)),
            "__Host-authgate=x; HttpOnly; SameSite=Lax; Secure; Path=/"
        );
        assert_eq!(
            text(cookie.remove(Scheme::Https)),
            "__Host-authgate=; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=0"
        );
        assert_eq!(
            text(cookie.farewell(Scheme::Https)),
            "__Host-authgate-left=1; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=1"
        );
        assert!(cookie.set("x", Scheme::Http).unwrap().is_sensitive());
    }

    #[test]
    fn a_host_prefix_stands_only_where_its_rules_hold() {
        let below = cookie(|settings| settings.path = "/ops".into()).unwrap();
        assert_eq!(
            text(below.set("x", Scheme::Https)),
            "__Secure-authgate=x; HttpOnly; SameSite=Lax; Secure; Path=/ops"
        );
        let wide = cookie(|settings| {
            settings.domain = Some("example.com".into());
            settings.same_site = SameSite::Strict;
            settings.always_secure = true;
        });
        assert_eq!(
            text(wide.unwrap().set("x", Scheme::Http)),
            "__Secure-authgate=x; HttpOnly; SameSite=Strict; Secure; Path=/; Domain=example.com"
        );
    }

    #[test]
    fn a_cookie_is_found_among_others_by_its_whole_name() {
        let cookie = cookie(|_| {}).unwrap();
        let find = |fields: &[&str]| {
            let pairs: Vec<_> = fields.iter().map(|field| (&b"cookie"[..], field.as_bytes())).collect();
            let values = cookie.values(RequestFields::of(HeaderView::Pairs(&pairs)), Scheme::Http);
            values.map(|value| String::from_utf8(value.to_vec()).unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(find(&["a=1; authgate=x; b=2"]), ["x"]);
        assert_eq!(find(&["a=1", "authgate=x "]), ["x"]);
        assert_eq!(find(&["a=1;authgate="]), [""]);
        assert!(find(&["authgates=1; Authgate=2; xauthgate=3; authgate"]).is_empty());
        assert!(find(&["__Host-authgate=x"]).is_empty(), "over TLS only");
        assert_eq!(find(&["authgate=x; authgate=y", "authgate=z"]), ["x", "y", "z"]);
    }

    #[test]
    fn a_value_that_browsers_would_drop_is_not_set() {
        let cookie = cookie(|_| {}).unwrap();
        assert!(cookie.set(&"x".repeat(4096 - 8), Scheme::Http).is_some());
        assert!(cookie.set(&"x".repeat(4096 - 7), Scheme::Http).is_none());
    }

    #[test]
    fn unusable_settings_are_refused_by_name() {
        for name in ["", "a b", "a=b", "__Host-x", "__x", "é", &"x".repeat(65)] {
            assert_eq!(cookie(|settings| settings.name = name.into()).unwrap_err().field(), "cookie_name");
        }
        for path in ["", "ops", "/a;b", "/a/../b", "/a b\n"] {
            assert_eq!(cookie(|settings| settings.path = path.into()).unwrap_err().field(), "cookie_path");
        }
        for domain in ["", "localhost", ".example.com", "a..b", "exa mple.com", "example.com;x"] {
            let refused = cookie(|settings| settings.domain = Some(domain.into()));
            assert_eq!(refused.unwrap_err().field(), "cookie_domain", "{domain}");
        }
    }
}
