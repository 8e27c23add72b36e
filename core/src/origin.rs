//! Who a page belongs to: scheme, host and port (RFC 6454), always parsed and never compared as text.

use std::fmt;
use std::net::Ipv6Addr;

use crate::byte_class::ByteClass;

/// How the browser reached us. A server that ends TLS itself puts it into the request's extensions; else it is HTTP, unless a
/// trusted proxy says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scheme {
    /// Plain HTTP.
    #[default]
    Http,
    /// HTTP over TLS.
    Https,
}

impl Scheme {
    /// Reads `http`, `https`, `ws` or `wss`, whatever the case.
    pub fn parse(text: &str) -> Option<Self> {
        let is = |names: [&str; 2]| names.iter().any(|name| text.eq_ignore_ascii_case(name));
        if is(["http", "ws"]) {
            Some(Self::Http)
        } else if is(["https", "wss"]) {
            Some(Self::Https)
        } else {
            None
        }
    }

    /// The name, as a URL starts with it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// A host and maybe a port, as in the `Host` field (RFC 9110 §7.2): no user, no path, nothing that another parser
/// could read as one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Authority<'a> {
    host: &'a str,
    port: Option<u16>,
}

impl<'a> Authority<'a> {
    /// Reads `name`, `name:port`, `192.0.2.1:port` or `[2001:db8::1]:port`.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let (host, port) = text.split_at_checked(host_length(text)?)?;
        let port = match port.strip_prefix(':') {
            // RFC 3986 §3.2.3: an empty port is the default one.
            Some("") => None,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => Some(digits.parse().ok()?),
            None if port.is_empty() => None,
            _ => return None,
        };
        Some(Self { host, port })
    }

    /// A host that was parsed before.
    pub(crate) fn host_only(host: &'a str) -> Self {
        Self { host, port: None }
    }

    /// The same with this port, if none is written.
    pub(crate) fn or_port(self, port: Option<u16>) -> Self {
        Self { port: self.port.or(port), ..self }
    }

    /// The host, without the port.
    pub(crate) fn host(&self) -> &'a str {
        self.host
    }

    /// Whether both name the same host: names whatever their case, addresses however they are written. A final dot
    /// makes another name, as it does for browsers.
    pub(crate) fn same_host(&self, other: &Authority<'_>) -> bool {
        let address = |host: &str| host.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok();
        match (address(self.host), address(other.host)) {
            (Some(ours), Some(theirs)) => ours == theirs,
            _ => self.host.eq_ignore_ascii_case(other.host),
        }
    }

    /// The port, if one is written.
    pub(crate) fn port(&self) -> Option<u16> {
        self.port
    }

    pub(crate) fn port_over(&self, scheme: Scheme) -> u16 {
        self.port.unwrap_or(scheme.default_port())
    }
}

/// What a host's name may be made of; container names have `_`.
static NAME: ByteClass = ByteClass::alphanumeric_and(b"-._");

/// How many bytes at the start of `text` are a name, an IPv4 address, or an IPv6 address in brackets.
fn host_length(text: &str) -> Option<usize> {
    match text.strip_prefix('[') {
        Some(rest) => {
            let (address, _) = rest.split_once(']')?;
            address.parse::<Ipv6Addr>().is_ok().then_some(address.len() + 2)
        }
        None => Some(NAME.length_in(text.as_bytes())).filter(|&length| length > 0),
    }
}

/// A scheme and an authority, comparable: `HTTP://Dash.example` is `http://dash.example:80`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin<'a> {
    scheme: Scheme,
    authority: Authority<'a>,
}

impl<'a> Origin<'a> {
    /// The origin of a request to `authority`.
    pub(crate) fn new(scheme: Scheme, authority: Authority<'a>) -> Self {
        Self { scheme, authority }
    }

    /// Reads the `Origin` field (RFC 6454 §7). `null` is nobody's origin.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        match Self::split_url(text)? {
            (origin, "") => Some(origin),
            _ => None,
        }
    }

    /// Reads an absolute http URL into its origin and what follows, which is empty or starts with `/`, `?` or `#`.
    pub(crate) fn split_url(url: &'a str) -> Option<(Self, &'a str)> {
        let (scheme, rest) = url.split_once("://")?;
        if !(scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")) {
            return None;
        }
        let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
        let (authority, tail) = rest.split_at_checked(end)?;
        Some((Self::new(Scheme::parse(scheme)?, Authority::parse(authority)?), tail))
    }

    /// The host and maybe the port, as they were written.
    pub(crate) fn authority(&self) -> Authority<'a> {
        self.authority
    }

    fn port(&self) -> u16 {
        self.authority.port_over(self.scheme)
    }
}

impl fmt::Display for Authority<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.host)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

impl PartialEq for Origin<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.scheme == other.scheme
            && self.port() == other.port()
            && self.authority.same_host(&other.authority)
    }
}

impl Eq for Origin<'_> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t18_origins_are_compared_by_meaning() {
        let same = |a, b| Origin::parse(a).unwrap() == Origin::parse(b).unwrap();
        assert!(same("http://dash.example", "HTTP://Dash.Example:80"));
        assert!(same("https://[2001:db8::1]", "https://[2001:db8::1]:443"));
        assert!(same("https://[2001:DB8:0::1]", "https://[2001:db8::1]"));
        assert!(same("https://dash.example", "https://dash.example:"));
        assert!(!same("http://dash.", "http://dash"));
        assert!(!same("http://dash.example", "https://dash.example"));
        assert!(!same("http://dash.example", "http://dash.example:8080"));
        assert!(!same("http://dash.example", "http://dash.example.evil.example"));
    }

    #[test]
    fn t18_what_is_no_origin_is_nobodys() {
        for text in [
            "null",
            "",
            "dash.example",
            "http://",
            "http://a/",
            "http://a@b",
            "http://a b",
            "ftp://a",
            "ws://a",
        ] {
            assert!(Origin::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn t20_an_authority_has_one_reading() {
        for text in ["dash.example", "dash.example:", "a_b:1", "127.0.0.1:65535", "[::1]", "[::1]:80"] {
            assert!(Authority::parse(text).is_some(), "{text}");
        }
        for text in [
            "",
            ":",
            ":80",
            "a:b",
            "a:65536",
            "a:+1",
            "a/b",
            "a?b",
            "a#b",
            "a@b",
            "a b",
            "a\\b",
            "a,b",
            "[::1",
            "::1",
            "[::1]x",
            "[x]",
            "é.example",
            "a%2fb",
        ] {
            assert!(Authority::parse(text).is_none(), "{text}");
        }
    }
}
