use std::fmt;

use http::HeaderValue;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::byte_class::ByteClass;
use crate::mount::{Mount, below};
use crate::path::{decode_fully, is_bare, is_dots};

/// The longest `next` that is kept, in bytes. A longer one is dropped, and sign-in leads to the mount's home.
pub(crate) const MAX_NEXT: usize = 2048;

/// What stays readable in a query value (RFC 3986 §2.3, unreserved); everything else is escaped.
const QUERY_VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What a link may be made of.
static LINK: ByteClass = ByteClass::graphic_but(b"\\");

/// A path on this very site, below the mount: the only value that a redirect can be built from.
///
/// It is kept byte for byte, query and fragment too. Whatever decodes it, and however often, it never names another
/// host and never leads above the mount. There is no way to build one that skips the check.
#[derive(Clone, PartialEq, Eq)]
pub struct LocalPath(HeaderValue);

impl LocalPath {
    /// `raw` itself if it is a link below `mount`, else nothing.
    ///
    /// ```
    /// use authgate_core::{LocalPath, Mount};
    /// let ops = Mount::parse("/ops")?;
    /// assert!(LocalPath::parse("/ops/queues?page=2", &ops).is_some());
    /// assert!(LocalPath::parse("//evil.example", &Mount::default()).is_none());
    /// assert!(LocalPath::parse("/ops/../admin", &ops).is_none());
    /// # Ok::<(), authgate_core::ConfigError>(())
    /// ```
    pub fn parse(raw: &str, mount: &Mount) -> Option<Self> {
        Self::of(raw.to_owned(), mount)
    }

    /// [`parse`](Self::parse) for text that need not be copied.
    pub(crate) fn of(raw: String, mount: &Mount) -> Option<Self> {
        let fits = LINK.has_all(raw.as_bytes());
        let path = raw.split(['?', '#']).next()?;
        (fits && path.starts_with('/') && stays_below(path, mount.as_str()))
            .then(|| HeaderValue::try_from(raw).ok().map(Self))
            .flatten()
    }

    /// The address of `path`, which is below the mount; the mount's home if that is no link.
    pub(crate) fn at(path: &str, mount: &Mount) -> Self {
        Self::of([mount.as_str(), path].concat(), mount).unwrap_or_else(|| Self::home(mount))
    }

    /// The mount's home: `/ops/`, or `/`.
    pub fn home(mount: &Mount) -> Self {
        Self::of(format!("{mount}/"), mount).unwrap_or(Self(HeaderValue::from_static("/")))
    }

    /// This path with one query parameter, `next`, that leads back to where somebody wanted to go.
    #[must_use]
    pub fn with_next(&self, next: Option<&Self>) -> Self {
        let Some(next) = next else { return self.clone() };
        let (path, next) = (self.as_str(), next.as_str());
        let pieces = [path, "?next="].into_iter().chain(utf8_percent_encode(next, QUERY_VALUE));
        // Exactly as long as it gets: what has room to spare would be copied, or kept beside how much.
        let mut link = String::with_capacity(pieces.clone().map(str::len).sum());
        link.extend(pieces);
        HeaderValue::try_from(link).map_or_else(|_| self.clone(), Self)
    }

    /// The link as text.
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or("/")
    }

    /// The link as a header's value: ASCII, no control characters.
    pub fn to_header_value(&self) -> HeaderValue {
        self.0.clone()
    }

    /// [`to_header_value`](Self::to_header_value) where nobody needs the link itself any more.
    pub(crate) fn into_header_value(self) -> HeaderValue {
        self.0
    }
}

impl fmt::Display for LocalPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for LocalPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LocalPath({:?})", self.as_str())
    }
}

/// Whether `path` is `mount` or lies below it for every reader, decoded or not.
///
/// A dot segment or an empty first segment is refused in the fully decoded form. That covers every round: decoding
/// only ever adds separators, so a segment that was dots before still is, and one that climbs is always seen.
fn stays_below(path: &str, mount: &str) -> bool {
    let Some(rest) = below(path, mount) else { return false };
    if is_bare(rest) {
        return true;
    }
    let (decoded, _) = decode_fully(rest.as_bytes());
    let Ok(text) = std::str::from_utf8(&decoded) else { return false };
    if text.bytes().any(|byte| byte.is_ascii_control()) || text.contains("%u") || text.contains("%U") {
        return false;
    }
    let mut segments = text.split(['/', '\\']).skip(1);
    let authority = rest != "/" && segments.clone().next().is_some_and(str::is_empty);
    !authority && !segments.any(is_dots)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn local(raw: &str, mount: &str) -> Option<LocalPath> {
        LocalPath::parse(raw, &Mount::parse(mount).unwrap())
    }

    #[test]
    fn t01_good_links_are_kept_byte_for_byte() {
        for raw in [
            "/ops",
            "/ops/",
            "/ops/queues/caf%C3%A9",
            "/ops/queues/%2Fx",
            "/ops/queues/a%26b?page=2",
            "/ops/a?next=//evil.example#//evil.example",
            "/ops/a;b/..c",
            "/ops/a%3F..%23",
            "/ops/a?b=../../c",
            "/ops?x=%0d%0a",
        ] {
            assert_eq!(local(raw, "/ops").unwrap().as_str(), raw);
        }
    }

    #[test]
    fn t01_links_that_anyone_might_read_as_leaving_the_mount_are_refused() {
        for raw in [
            "",
            "ops",
            "//evil.example",
            "/\\evil.example",
            "\\/evil.example",
            "/.//evil.example",
            "https://evil.example",
            "javascript:alert(1)",
            "/opsx",
            "/other",
            "/ops/../other",
            "/ops/%2e%2e/other",
            "/ops/%252e%252e/other",
            "/ops/..%2f..",
            "/ops/a%2f..%2f..%2fb",
            "/ops/..;/x",
            "/ops/..%3Fx/y",
            "/ops/..%23",
            "/ops/a/..%2523/..",
            "/ops/a\r\nb",
            "/ops/a%0d%0ab",
            "/ops/%00",
            "/ops/a b",
            "/ops/é",
            "/ops//evil.example",
            "/ops/%2F/evil.example",
            "/ops/%5Cevil.example",
            "/ops/x\t",
            "/%6fps/x",
            "/ops/%u002e%u002e/x",
            "/ops/%c0%ae%c0%ae/x",
        ] {
            assert!(local(raw, "/ops").is_none(), "{raw:?}");
        }
        for raw in ["//evil.example", "/%2Fevil.example", "/%5c/evil.example", "/./x", "/.//x", "/%2e/x"] {
            assert!(local(raw, "").is_none(), "{raw:?}");
        }
        for raw in ["", "?x=1", "#x"] {
            assert!(local(raw, "").is_none(), "{raw:?}");
        }
        assert!(local("/", "").is_some());
    }

    #[test]
    fn t02_a_next_cannot_add_a_parameter_to_the_login_link() {
        let next = local("/ops/queues/a%26b?page=2&admin=1", "/ops").unwrap();
        let login = local("/ops/login", "/ops").unwrap().with_next(Some(&next));
        assert_eq!(login.as_str(), "/ops/login?next=%2Fops%2Fqueues%2Fa%2526b%3Fpage%3D2%26admin%3D1");
    }

    #[test]
    fn t04_a_home_is_the_mount_with_one_slash() {
        for (mount, home) in [("/ops", "/ops/"), ("/ops/", "/ops/"), ("", "/"), ("/", "/")] {
            assert_eq!(LocalPath::home(&Mount::parse(mount).unwrap()).as_str(), home);
        }
    }

    proptest! {
        /// Read the way a browser does (WHATWG), a local path stays on the host and below the mount.
        #[test]
        fn t01_a_browser_stays_below_the_mount(tail in "[/\\\\.%25efcC;?#a:@ \t]{0,24}") {
            let raw = format!("/ops{tail}");
            if let Some(link) = local(&raw, "/ops") {
                let base = url::Url::parse("https://dash.example/ops/login").unwrap();
                let there = base.join(link.as_str()).unwrap();
                prop_assert_eq!(there.host_str(), Some("dash.example"));
                prop_assert!(there.path() == "/ops" || there.path().starts_with("/ops/"), "{}", there);
            }
        }
    }

    #[test]
    fn a_link_prints_as_it_stands() {
        let home = LocalPath::home(&Mount::default());
        assert_eq!((home.to_string(), format!("{home:?}")), ("/".to_owned(), "LocalPath(\"/\")".to_owned()));
    }
}
