use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::ConfigError;
use crate::head::is_token;

/// Fields that dashboards and proxies commonly read an identity from. A client must not be able to send them.
const COMMON: [&str; 37] = [
    "cf-access-authenticated-user-email",
    "remote-email",
    "remote-groups",
    "remote-name",
    "remote-user",
    "tailscale-user-login",
    "tailscale-user-name",
    "x-amzn-oidc-data",
    "x-amzn-oidc-identity",
    "x-auth-email",
    "x-auth-name",
    "x-auth-request-email",
    "x-auth-request-groups",
    "x-auth-request-preferred-username",
    "x-auth-request-user",
    "x-auth-roles",
    "x-auth-user",
    "x-authenticated-user",
    "x-authentik-email",
    "x-authentik-groups",
    "x-authentik-username",
    "x-forwarded-email",
    "x-forwarded-groups",
    "x-forwarded-preferred-username",
    "x-forwarded-user",
    "x-goog-authenticated-user-email",
    "x-goog-authenticated-user-id",
    "x-ms-client-principal",
    "x-ms-client-principal-id",
    "x-ms-client-principal-name",
    "x-remote-group",
    "x-remote-groups",
    "x-remote-user",
    "x-user",
    "x-user-id",
    "x-vouch-user",
    "x-webauth-user",
];

/// The header fields that grant an identity behind the gate, under every name that a server may fold into theirs.
#[derive(Debug)]
pub(crate) struct IdentityHeaders {
    names: BTreeSet<String>,
    /// For each first byte the lengths of the names that begin with it, a bit each: hardly any other field of a request
    /// looks like one of them.
    lengths: [u64; 256],
}

impl IdentityHeaders {
    pub(crate) fn new(more: &[String]) -> Result<Self, ConfigError> {
        if let Some(name) = more.iter().find(|name| name.is_empty() || !name.bytes().all(is_token)) {
            return Err(ConfigError::new(
                "identity_headers",
                format!("{name:?} is no field name"),
                "write for example \"X-Auth-User\"",
            ));
        }
        let names = COMMON.iter().copied().chain(more.iter().map(String::as_str));
        let names: BTreeSet<String> = names.map(|name| fold(name).into_owned()).collect();
        let mut lengths = [0; 256];
        for (byte, lengths) in (0..=u8::MAX).zip(&mut lengths) {
            let begin = names.iter().filter(|name| name.as_bytes().first() == Some(&fold_byte(byte)));
            *lengths = begin.fold(0, |all, name| all | length(name.len()));
        }
        Ok(Self { names, lengths })
    }

    /// Whether `name`, as some server may read it, grants an identity. CGI and WSGI turn `-` into `_`, and some servers
    /// do so with everything that is neither letter nor digit.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.has_bytes(name.as_bytes())
    }

    /// The same for a name as bytes; what is no text is taken for one that does.
    pub(crate) fn has_bytes(&self, name: &[u8]) -> bool {
        let lengths = name.first().and_then(|first| self.lengths.get(usize::from(*first)));
        let may_be = lengths.is_some_and(|lengths| lengths & length(name.len()) != 0) || !name.is_ascii();
        may_be && std::str::from_utf8(name).map_or(true, |name| self.names.contains(fold(name).as_ref()))
    }
}

/// All of 63 bytes and more share a bit.
fn length(bytes: usize) -> u64 {
    1 << bytes.min(63)
}

/// A field's name as servers see it that turn everything but letters and digits into one sign.
pub(crate) fn fold(name: &str) -> Cow<'_, str> {
    if name.bytes().all(|byte| byte == fold_byte(byte)) {
        return Cow::Borrowed(name);
    }
    // A character beyond bytes is one sign, as any other is.
    Cow::Owned(
        name.chars().map(|c| u8::try_from(c).map_or('-', |byte| char::from(fold_byte(byte)))).collect(),
    )
}

fn fold_byte(byte: u8) -> u8 {
    if byte.is_ascii_alphanumeric() { byte.to_ascii_lowercase() } else { b'-' }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t22_every_alias_of_an_identity_field_is_known() {
        let headers = IdentityHeaders::new(&["Team.Name".to_owned()]).unwrap();
        for name in [
            "X-Auth-User",
            "x_auth_user",
            "x.auth-User",
            "REMOTE_USER",
            "x-forwarded-user",
            "team_name",
            "x!auth~user",
        ] {
            assert!(headers.has(name), "{name}");
        }
        // Each other sign is one, however many bytes it has; what is no text could be anything.
        assert!(headers.has("x\u{e9}auth\u{e9}user") && headers.has_bytes(b"x\xffauth\xffuser"));
        assert!(!headers.has("x-forwarded-for") && !headers.has("authorization") && !headers.has("\u{e9}"));
    }

    #[test]
    fn t22_an_identity_field_is_known_by_whatever_it_begins_with_and_however_long_it_is() {
        let long = [63, 64, 200].map(|length| "x-team-".repeat(29)[..length].to_owned());
        let headers = IdentityHeaders::new(&[&long[..], &["_Team".to_owned()]].concat()).unwrap();
        for name in &long {
            assert!(headers.has(name) && headers.has(&name.to_ascii_uppercase().replace('-', "_")), "{name}");
            assert!(!headers.has(&format!("{name}y")) && !headers.has(&name[1..]), "{name}");
        }
        for name in ["-team", "!TEAM", "~team", "_team"] {
            assert!(headers.has(name), "{name}");
        }
        assert!(!headers.has("team") && !headers.has("xteam") && !headers.has(""));
    }

    #[test]
    fn a_field_name_that_cannot_be_one_is_refused() {
        for name in ["", "a b", "é"] {
            assert_eq!(IdentityHeaders::new(&[name.to_owned()]).unwrap_err().field(), "identity_headers");
        }
    }
}
