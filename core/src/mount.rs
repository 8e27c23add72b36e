use std::fmt;

use smol_str::{SmolStr, format_smolstr};

use crate::ConfigError;
use crate::path::is_plain;

/// The prefix under which a dashboard is reached: empty, or `/ops`, or `/team/ops`; never a trailing slash.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mount(SmolStr);

impl Mount {
    /// Reads a prefix. A trailing slash is folded: `/` is the root, `/ops/` is `/ops`.
    ///
    /// # Errors
    /// Text that is not a plain absolute path: `ops`, `//evil.example`, `/a/../b`, `/ops?x`.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        if is_prefix(text) {
            return Ok(Self(text.strip_suffix('/').unwrap_or(text).into()));
        }
        let remedy = if text.starts_with('/') {
            "write plain segments such as \"/ops\" or \"/team/ops\"".to_owned()
        } else {
            format!("write \"/{}\"", text.chars().filter(char::is_ascii_alphanumeric).collect::<String>())
        };
        Err(ConfigError::new("mount", format!("{text:?} is not a path that a link can start with"), remedy))
    }

    /// This mount inside an application that is itself reached under `prefix`, if that can start a link.
    pub(crate) fn inside(&self, prefix: &str) -> Option<Self> {
        is_prefix(prefix)
            .then(|| Self(format_smolstr!("{}{}", prefix.strip_suffix('/').unwrap_or(prefix), self.0)))
    }

    /// The prefix as it stands before a path in a link.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Mount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a link may start with `text`: nothing at all, or a plain path.
pub(crate) fn is_prefix(text: &str) -> bool {
    // Nor what a browser escapes (WHATWG URL, the path percent-encode set): it would never ask for such a path.
    let is_link = |byte: u8| byte.is_ascii_graphic() && !b"?#\\\"<>^`{}".contains(&byte);
    text.is_empty() || (text.bytes().all(is_link) && is_plain(text))
}

/// What `path` is below `prefix`, or nothing if it is not below it; the prefix itself is its own `/`.
pub(crate) fn below<'p>(path: &'p str, prefix: &str) -> Option<&'p str> {
    match path.strip_prefix(prefix)? {
        "" => Some("/"),
        rest if rest.starts_with('/') => Some(rest),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t04_a_mount_is_folded_or_refused_but_never_an_authority() {
        for (text, folded) in [("", ""), ("/", ""), ("/ops", "/ops"), ("/ops/", "/ops"), ("/a/b", "/a/b")] {
            assert_eq!(Mount::parse(text).unwrap().as_str(), folded);
        }
        for text in [
            "ops",
            "//evil.example",
            "//",
            "/ops//",
            "/\\evil.example",
            "/a/../b",
            "/a?b",
            "/a#b",
            "/a b",
            "/é",
        ] {
            let error = Mount::parse(text).unwrap_err();
            assert_eq!(error.field(), "mount", "{text}");
        }
    }

    #[test]
    fn a_mount_that_browsers_would_spell_otherwise_is_refused() {
        let site = url::Url::parse("https://dash.example").unwrap();
        for byte in b'!'..=b'~' {
            let text = format!("/a{}b", char::from(byte));
            let kept = site.join(&text).unwrap().path() == text;
            assert!(kept || Mount::parse(&text).is_err(), "{text}");
        }
        assert!(Mount::parse("/o'p(s)!$&*+,=:@;|[]").is_ok());
    }

    #[test]
    fn t10_a_prefix_ends_at_a_segment_boundary() {
        assert_eq!(below("/ops/login", "/ops"), Some("/login"));
        assert_eq!(below("/ops", "/ops"), Some("/"));
        assert_eq!(below("/opslogin", "/ops"), None);
        assert_eq!(below("/queues", ""), Some("/queues"));
    }
}
