use std::fmt;

use super::allow::Allow;
use crate::ConfigError;
use crate::head::is_token;
use crate::path::is_plain;

/// Who may send which requests for a path and everything below it.
///
/// ```
/// use authgate_core::{Gate, JwtBackend, Key, Rule};
///
/// let backend = JwtBackend::builder().key(Key::secret([7; 32])?).build()?;
/// let gate = Gate::builder(backend)
///     .rules([
///         Rule::parse("/", &["GET"], &["role:viewer"])?,
///         Rule::parse("/", &[], &["role:ops", "admins"])?,
///         Rule::parse("/audit", &[], &["role:auditor"])?,
///         Rule::parse("/metrics", &["GET"], &["user:prometheus", "network:10.0.0.0/8"])?,
///     ])
///     // Where a network is proof enough.
///     .allowed_hosts(["dash.example"])
///     .build()?;
/// # Ok::<(), authgate_core::ConfigError>(())
/// ```
///
/// The longest path that contains the request's decides, and it alone: here only auditors see `/audit`. Rules with the same
/// path stand beside each other: for `GET /queues` it is enough to be a viewer. Where no rule fits, nobody may pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Without a trailing slash, so the root is empty.
    pub(super) path: String,
    /// Empty: all of them.
    pub(super) methods: Vec<String>,
    pub(super) allow: Vec<Allow>,
}

/// How a rule names a websocket's handshake, which is a GET, and yet opens a channel that can be written to.
pub(crate) const WEBSOCKET: &str = "WEBSOCKET";

impl Rule {
    /// A rule for `path` and everything below it, at a segment boundary: an absolute path below the mount, as people read it,
    /// without escapes.
    ///
    /// `methods` are case-sensitive (RFC 9110 §9.1); `GET` covers HEAD, and none at all means every one. A websocket's handshake
    /// is a GET that opens more than that, so both `GET` and `WEBSOCKET` must be allowed, be it by one rule or by two.
    ///
    /// `allow` lists who may pass, and one of them is enough: `role:NAME`, `user:ID`, `network:10.0.0.0/8` (clients there need no
    /// proof), `admins` and `signed-in`.
    ///
    /// # Errors
    /// Which of the three cannot be used, and what to write instead.
    pub fn parse(path: &str, methods: &[&str], allow: &[&str]) -> Result<Self, ConfigError> {
        if !is_plain(path) || path.contains(['%', ';', '?', '#']) {
            let problem = format!("path: {path:?} is no plain absolute path");
            return Err(ConfigError::new("rule", problem, "write for example \"/audit\", without escapes"));
        }
        for method in methods {
            check_method(method)?;
        }
        if allow.is_empty() {
            let remedy = "name who may pass, or leave the rule out where nobody may";
            return Err(ConfigError::new("rule", "allow: it is empty", remedy));
        }
        Ok(Self {
            path: path.strip_suffix('/').unwrap_or(path).to_owned(),
            methods: methods.iter().map(ToString::to_string).collect(),
            allow: allow.iter().map(|text| Allow::parse(text)).collect::<Result<_, _>>()?,
        })
    }

    /// Whether it speaks of such requests.
    pub(super) fn fits(&self, action: Action<'_>) -> bool {
        let named = |name: &str| self.methods.iter().any(|method| method == name);
        self.methods.is_empty()
            || match action {
                Action::WebSocket => named(WEBSOCKET),
                // A method of that name, as anybody can make up, is no handshake.
                Action::Method(method) if method == WEBSOCKET => false,
                Action::Method(method) => named(method) || (method == "HEAD" && named("GET")),
            }
    }
}

/// What a rule may speak of.
#[derive(Debug, Clone, Copy)]
pub(super) enum Action<'a> {
    Method(&'a str),
    /// A websocket's handshake.
    WebSocket,
}

fn check_method(method: &str) -> Result<(), ConfigError> {
    let known = method.to_ascii_uppercase();
    if method.is_empty() || !method.bytes().all(is_token) {
        let problem = format!("methods: {method:?} is no method");
        return Err(ConfigError::new("rule", problem, "write for example \"GET\""));
    }
    if known != method && KNOWN.contains(&known.as_str()) {
        let problem = format!("methods: {method:?} is never sent, because methods are case-sensitive");
        return Err(ConfigError::new("rule", problem, format!("write {known:?}")));
    }
    Ok(())
}

/// Methods that a small letter can only be a mistake in.
const KNOWN: [&str; 10] =
    ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", WEBSOCKET];

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() { "/" } else { &self.path };
        let allow: Vec<_> = self.allow.iter().map(Allow::to_string).collect();
        let methods =
            if self.methods.is_empty() { "every method".to_owned() } else { self.methods.join(" ") };
        write!(f, "path {path:?}, {methods}, allow {}", allow.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_a_rule_is_refused_with_a_remedy() {
        let one = ["role:a"];
        let refused: [(&str, &[&str], &[&str], &str); 17] = [
            ("", &[], &one, "path"),
            ("audit", &[], &one, "path"),
            ("/a//b", &[], &one, "path"),
            ("/a/../b", &[], &one, "path"),
            ("/caf%C3%A9", &[], &one, "path"),
            ("/a;b", &[], &one, "path"),
            ("/a?b", &[], &one, "path"),
            ("/", &["get"], &one, "write \"GET\""),
            ("/", &["websocket"], &one, "write \"WEBSOCKET\""),
            ("/", &["GET POST"], &one, "methods"),
            ("/", &[""], &one, "methods"),
            ("/", &[], &[], "allow"),
            ("/", &[], &["rol:ops"], "role:NAME"),
            ("/", &[], &["role:"], "role:NAME"),
            ("/", &[], &["everybody"], "role:NAME"),
            ("/", &[], &["network:0.0.0.0/0"], "public path"),
            ("/", &[], &["network:office"], "network:10.0.0.0/8"),
        ];
        for (path, methods, allow, told) in refused {
            let error = Rule::parse(path, methods, allow).unwrap_err();
            assert_eq!(error.field(), "rule");
            assert!(error.to_string().contains(told), "{error}");
        }
        let rule = Rule::parse("/é x/", &["GET", "PURGE"], &["role:a:b", "admins"]).unwrap();
        assert_eq!(rule.to_string(), "path \"/é x\", GET PURGE, allow role:a:b admins");
    }
}
