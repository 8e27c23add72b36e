//! What a reverse proxy says about the request it passes on, believed only from proxies that were named.

use std::net::IpAddr;

use crate::field_names::{
    FORWARDED, FieldName, VIA, X_FORWARDED_FOR, X_FORWARDED_HOST, X_FORWARDED_PORT, X_FORWARDED_PROTO,
};
use crate::headers::RequestFields;
use crate::networks::Networks;
use crate::origin::Scheme;
use crate::{ConfigError, Peer};

/// Which fields the trusted proxies write. Only these are read: what a proxy does not write itself, it passes on from
/// the client untouched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ForwardedFields {
    /// `X-Forwarded-For` and `X-Forwarded-Proto`; the host is the one in `Host`. The default.
    #[default]
    XForwarded,
    /// These, `X-Forwarded-Host` and `X-Forwarded-Port`, for proxies that rewrite `Host` and set these fields themselves. The
    /// port counts if the host names none.
    XForwardedHost,
    /// `Forwarded` (RFC 7239), its `host` included.
    Rfc7239,
}

/// How many proxies may stand in a row. A longer list is the client's doing.
const MOST_HOPS: usize = 32;

/// The proxies whose word counts. None by default.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct TrustedProxies {
    networks: Networks,
    unix: bool,
    fields: ForwardedFields,
}

impl TrustedProxies {
    /// Reads addresses (`192.0.2.1`), networks (`10.0.0.0/8`, `fd00::/8`) and `unix` for unix sockets.
    ///
    /// # Errors
    /// Anything else, `*` and `0.0.0.0/0` included: to trust every peer is to let every client choose its own address.
    pub(crate) fn parse<'t>(
        entries: impl IntoIterator<Item = &'t str>,
        fields: ForwardedFields,
    ) -> Result<Self, ConfigError> {
        let mut trusted = Self { fields, ..Self::default() };
        for entry in entries {
            match (entry, Networks::parse_one(entry)) {
                ("unix", _) => trusted.unix = true,
                (_, Some(network)) => trusted.networks.push(network),
                (_, None) => {
                    return Err(ConfigError::new(
                        "trusted_proxies",
                        format!("{entry:?} is neither an address nor a network of somebody's"),
                        "write for example \"10.0.0.0/8\", \"192.0.2.1\" or \"unix\"",
                    ));
                }
            }
        }
        Ok(trusted)
    }

    /// Whether the word of whoever connected counts.
    pub(crate) fn trusts(&self, peer: Peer) -> bool {
        self.networks.contain(peer) || (self.unix && peer == Peer::Unix)
    }

    /// Who really asks, and how they reached the outermost trusted proxy.
    pub(crate) fn resolve<'a>(&self, peer: Peer, headers: RequestFields<'a>) -> Forwarded<'a> {
        let trusted = self.trusts(peer);
        let untouched = Forwarded { client: peer, trusted, scheme: None, host: None, port: None };
        if !trusted {
            return untouched;
        }
        match self.fields {
            ForwardedFields::XForwarded => self.x_forwarded(untouched, headers, false),
            ForwardedFields::XForwardedHost => self.x_forwarded(untouched, headers, true),
            ForwardedFields::Rfc7239 => self.rfc7239(untouched, headers),
        }
    }

    /// The addresses are walked from the right, the end that our own proxies write, and the walk stops at the first
    /// one that is not ours. Scheme and host are the nearest proxy's, so also the rightmost.
    fn x_forwarded<'a>(
        &self,
        mut found: Forwarded<'a>,
        headers: RequestFields<'a>,
        host: bool,
    ) -> Forwarded<'a> {
        let rightmost = |name: &FieldName| list_from_right(headers, name).next();
        found.scheme = rightmost(&X_FORWARDED_PROTO).and_then(Scheme::parse);
        if host {
            found.host = rightmost(&X_FORWARDED_HOST);
            found.port = rightmost(&X_FORWARDED_PORT).and_then(|port| port.parse().ok());
        }
        for hop in list_from_right(headers, &X_FORWARDED_FOR).take(MOST_HOPS) {
            let Some(address) = node(hop) else { break };
            found.client = address.into();
            if !self.trusts(found.client) {
                break;
            }
        }
        found
    }

    /// One element a proxy, the rightmost from the nearest; an element tells what that proxy saw. What cannot be read
    /// ends the walk.
    fn rfc7239<'a>(&self, mut found: Forwarded<'a>, headers: RequestFields<'a>) -> Forwarded<'a> {
        let Some(elements) = elements_from_right(headers, &FORWARDED) else {
            // A client's stray quote swallows what our proxy appended; it must not become the proxy for that.
            return Forwarded { client: Peer::Unknown, ..found };
        };
        for element in elements.into_iter().take(MOST_HOPS) {
            let parameter = |name: &str| parameter(element, name);
            found.scheme = parameter("proto").and_then(Scheme::parse);
            found.host = parameter("host");
            let Some(address) = parameter("for").and_then(node) else { break };
            found.client = address.into();
            if !self.trusts(found.client) {
                break;
            }
        }
        found
    }
}

/// What the trusted proxies said; nothing where they said nothing that makes sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Forwarded<'a> {
    pub(crate) client: Peer,
    /// Whether whoever connected is one of the trusted proxies.
    trusted: bool,
    pub(crate) scheme: Option<Scheme>,
    pub(crate) host: Option<&'a str>,
    pub(crate) port: Option<u16>,
}

impl Forwarded<'_> {
    /// Where the client is. A peer that is not one of ours and says that it forwards is no place to tell anything by: a proxy of
    /// whom nobody told us, in one of our own networks, would make everybody one of ours.
    pub(crate) fn place(&self, headers: RequestFields<'_>) -> Peer {
        let forwards = || [&X_FORWARDED_FOR, &FORWARDED, &VIA].into_iter().any(|name| headers.has(name));
        if !self.trusted && forwards() { Peer::Unknown } else { self.client }
    }
}

/// The items of a comma-separated field from the last to the first, up to one that is not ASCII text. What a client
/// wrote before the proxy's own item cannot make that unreadable.
fn list_from_right<'a>(headers: RequestFields<'a>, name: &FieldName) -> impl Iterator<Item = &'a str> {
    let values: Vec<_> = headers.all(name).collect();
    values
        .into_iter()
        .rev()
        .flat_map(|value| value.rsplit(|&byte| byte == b','))
        .map_while(|item| std::str::from_utf8(item).ok().filter(|text| text.is_ascii()))
        .map(str::trim)
}

/// The elements of a `Forwarded` field from the last to the first, or nothing if they cannot be told apart; commas in
/// quoted strings separate nothing.
fn elements_from_right<'a>(headers: RequestFields<'a>, name: &FieldName) -> Option<Vec<&'a str>> {
    let mut elements = Vec::new();
    for value in headers.all(name) {
        elements.extend(split_unquoted(std::str::from_utf8(value).ok()?, b',')?);
    }
    elements.reverse();
    Some(elements)
}

/// The value of a parameter that stands once in an element, quotes taken off. A backslash in a quoted string would have
/// to be undone; no proxy writes one, so it makes the value unreadable.
fn parameter<'a>(element: &'a str, name: &str) -> Option<&'a str> {
    let pairs = split_unquoted(element, b';')?;
    let mut values = pairs.iter().filter_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        key.trim().eq_ignore_ascii_case(name).then(|| value.trim())
    });
    let value = values.next().filter(|_| values.next().is_none())?;
    let bare = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value);
    (!bare.contains(['"', '\\'])).then_some(bare)
}

/// Splits ASCII text where `separator` stands outside of quoted strings (RFC 9110 §5.6.4); nothing if a string does not
/// end.
fn split_unquoted(text: &str, separator: u8) -> Option<Vec<&str>> {
    let (mut parts, mut start, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if byte == separator && !quoted => {
                parts.push(text.get(start..at)?);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text.get(start..)?);
    (!quoted && text.is_ascii()).then_some(parts)
}

/// An address as proxies write it: bare, with a port, or in brackets (RFC 7239 §6).
fn node(text: &str) -> Option<IpAddr> {
    let bare = match text.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?.0,
        None if text.matches(':').count() == 1 => text.split_once(':')?.0,
        None => text,
    };
    bare.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::HeaderView;

    fn resolve(
        trusted: &[&str],
        fields: ForwardedFields,
        peer: &str,
        headers: &[(&'static str, &'static str)],
    ) -> (String, Option<Scheme>, Option<String>) {
        let pairs: Vec<_> = headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
        let peer = peer.parse::<IpAddr>().map_or(Peer::Unix, Peer::from);
        let proxies = TrustedProxies::parse(trusted.iter().copied(), fields).unwrap();
        let found = proxies.resolve(peer, RequestFields::of(HeaderView::Pairs(&pairs)));
        (found.client.to_string(), found.scheme, found.host.map(str::to_owned))
    }

    const SPOOF: &[(&str, &str)] = &[
        ("x-forwarded-for", "1.2.3.4"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "evil.example"),
    ];

    #[test]
    fn t21_nobody_is_trusted_unless_named() {
        for peer in ["198.51.100.7", "127.0.0.1", "unix"] {
            assert_eq!(resolve(&[], ForwardedFields::XForwarded, peer, SPOOF), (peer.into(), None, None));
        }
        assert_eq!(
            resolve(&["10.0.0.0/8"], ForwardedFields::XForwarded, "unix", SPOOF),
            ("unix".into(), None, None)
        );
    }

    #[test]
    fn t21_the_walk_starts_at_the_right_and_stops_at_the_first_stranger() {
        let headers = [("x-forwarded-for", "6.6.6.6, 203.0.113.9"), ("x-forwarded-for", "10.1.1.1:443")];
        let (client, ..) = resolve(&["10.0.0.0/8"], ForwardedFields::XForwarded, "10.0.0.1", &headers);
        assert_eq!(client, "203.0.113.9");
        let garbage = [("x-forwarded-for", "6.6.6.6, garbage, 10.1.1.1")];
        let (client, ..) = resolve(&["10.0.0.0/8"], ForwardedFields::XForwarded, "10.0.0.1", &garbage);
        assert_eq!(client, "10.1.1.1");
    }

    #[test]
    fn t21_mapped_addresses_are_folded_and_unix_counts_by_name() {
        let expected = ("1.2.3.4".to_owned(), Some(Scheme::Https), Some("evil.example".to_owned()));
        assert_eq!(
            resolve(&["10.0.0.0/8"], ForwardedFields::XForwardedHost, "::ffff:10.0.0.1", SPOOF),
            expected
        );
        assert_eq!(
            resolve(&["::ffff:10.0.0.0/104"], ForwardedFields::XForwardedHost, "10.0.0.1", SPOOF),
            expected
        );
        assert_eq!(resolve(&["unix"], ForwardedFields::XForwardedHost, "unix", SPOOF), expected);
    }

    #[test]
    fn t21_the_rightmost_host_and_a_known_scheme_count() {
        let headers =
            [("x-forwarded-host", "evil.example, dash.example"), ("x-forwarded-proto", "javascript")];
        let (_, scheme, host) = resolve(&["10.0.0.1"], ForwardedFields::XForwardedHost, "10.0.0.1", &headers);
        assert_eq!((scheme, host.as_deref()), (None, Some("dash.example")));
        let (_, _, host) = resolve(&["10.0.0.1"], ForwardedFields::XForwarded, "10.0.0.1", &headers);
        assert_eq!(host, None, "a proxy that was not said to set the host passes on the client's");
    }

    #[test]
    fn t21_only_the_family_that_the_proxy_writes_is_read() {
        let both = [("forwarded", "for=6.6.6.6;proto=https"), ("x-forwarded-for", "203.0.113.9")];
        let (client, scheme, _) = resolve(&["10.0.0.1"], ForwardedFields::XForwarded, "10.0.0.1", &both);
        assert_eq!((client.as_str(), scheme), ("203.0.113.9", None));
        let element =
            [("forwarded", "for=6.6.6.6, For=\"[2001:db8::9]:1\";Proto=https;host=\"dash.example\"")];
        assert_eq!(
            resolve(&["10.0.0.1"], ForwardedFields::Rfc7239, "10.0.0.1", &element),
            ("2001:db8::9".into(), Some(Scheme::Https), Some("dash.example".into()))
        );
    }

    #[test]
    fn t21_quoted_text_is_never_read_as_an_address() {
        for value in [
            "host=\"x;for=6.6.6.6;y=\";for=203.0.113.9",
            "host=\"x, for=6.6.6.6;y=\";for=203.0.113.9",
            "for=6.6.6.6, for=203.0.113.9;host=\"a\\\",for=6.6.6.6\"",
            // A backslash escapes within quotes alone.
            "for=6.6.6.6\\, for=203.0.113.9",
        ] {
            let pairs = [("forwarded", value)];
            let pairs: Vec<_> =
                pairs.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
            let proxies = TrustedProxies::parse(["10.0.0.1"], ForwardedFields::Rfc7239).unwrap();
            let peer = Peer::from("10.0.0.1".parse::<IpAddr>().unwrap());
            let found = proxies.resolve(peer, RequestFields::of(HeaderView::Pairs(&pairs)));
            assert_eq!(found.client.to_string(), "203.0.113.9", "{value}");
        }
        for value in ["for=\"_x,for=6.6.6.6\"", "for=6.6.6.6;for=6.6.6.6", "for=6.6.6.6\"x\""] {
            let pairs: [(&[u8], &[u8]); 1] = [(b"forwarded", value.as_bytes())];
            let proxies = TrustedProxies::parse(["10.0.0.1"], ForwardedFields::Rfc7239).unwrap();
            let peer = Peer::from("10.0.0.1".parse::<IpAddr>().unwrap());
            assert_eq!(
                proxies.resolve(peer, RequestFields::of(HeaderView::Pairs(&pairs))).client,
                peer,
                "{value}"
            );
        }
    }

    #[test]
    fn t21_a_client_cannot_hide_behind_what_it_wrote() {
        let peer = Peer::from("10.0.0.1".parse::<IpAddr>().unwrap());
        let client = |fields, name: &[u8], value: &[u8]| {
            let proxies = TrustedProxies::parse(["10.0.0.1"], fields).unwrap();
            proxies.resolve(peer, RequestFields::of(HeaderView::Pairs(&[(name, value)]))).client.to_string()
        };
        for value in [&b"\xff, 203.0.113.9"[..], b"\", 203.0.113.9", b", 203.0.113.9"] {
            assert_eq!(client(ForwardedFields::XForwarded, b"x-forwarded-for", value), "203.0.113.9");
        }
        for value in [&b"for=\", for=203.0.113.9"[..], b"for=\"6.6.6.6", b"\xff, for=203.0.113.9"] {
            assert_eq!(client(ForwardedFields::Rfc7239, b"forwarded", value), "unknown");
        }
    }

    #[test]
    fn t21_a_list_that_no_chain_of_proxies_wrote_is_not_walked_to_its_end() {
        let long = format!("6.6.6.6{}", ", 10.0.0.2".repeat(5000));
        let pairs: [(&[u8], &[u8]); 1] = [(b"x-forwarded-for", long.as_bytes())];
        let proxies = TrustedProxies::parse(["10.0.0.0/8"], ForwardedFields::XForwarded).unwrap();
        let peer = Peer::from("10.0.0.1".parse::<IpAddr>().unwrap());
        assert_eq!(
            proxies.resolve(peer, RequestFields::of(HeaderView::Pairs(&pairs))).client.to_string(),
            "10.0.0.2"
        );
    }

    #[test]
    fn t21_trusting_everybody_is_refused() {
        for entry in ["*", "", "10.0.0.0/33", "localhost", "0.0.0.0/0", "::/0", "::ffff:0:0/96"] {
            assert!(TrustedProxies::parse([entry], ForwardedFields::XForwarded).is_err(), "{entry}");
        }
    }
}
