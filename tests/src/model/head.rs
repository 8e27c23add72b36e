use std::net::IpAddr;

use authgate_core::{Peer, Scheme};

use super::proxies::{self, Way};
use super::{networks, paths};
use crate::case::{Config, Request};

/// A request as anybody would read it.
pub(super) struct Seen<'a> {
    pub(super) request: &'a Request,
    /// The host in an absolute target.
    pub(super) authority: Option<String>,
    /// The path, without the query.
    pub(super) path: String,
    /// Where the client is, for rules about networks; nothing if that cannot be said.
    pub(super) place: Option<IpAddr>,
    pub(super) scheme: Scheme,
    /// The host and the port that the browser has in its address bar.
    pub(super) host: Option<Host>,
}

/// A host and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Host {
    pub(super) name: String,
    pub(super) port: Option<u16>,
}

impl<'a> Seen<'a> {
    /// Nothing if the request is refused before anybody asks who sent it.
    pub(super) fn of(config: &Config, request: &'a Request) -> Option<Self> {
        let (authority, path) = target(&request.target);
        let seen = Self { request, authority, path, place: None, scheme: request.scheme, host: None };
        let prefix = paths::without_slash(&request.prefix);
        if !seen.is_sound() || !paths::may_begin_a_link(prefix) {
            return None;
        }
        let Way { place, scheme, host, port } = proxies::way(config, &seen);
        let networks = &config.allowed_networks;
        if !networks.is_empty() && !networks.iter().any(|network| networks::is_in(network, place)) {
            return None;
        }
        let named = seen.named_host(seen.authority.as_deref()).ok()?;
        let host = match host {
            Some(text) => Some(Host::read(&text)?),
            None => named,
        };
        let host = host.map(|host| Host { port: host.port.or(port), ..host });
        if !is_allowed(config, host.as_ref(), scheme) {
            return None;
        }
        let is_here = place.is_some_and(networks::is_here);
        if config.require_tls && scheme == Scheme::Http && !is_here {
            return None;
        }
        Some(Self { place, scheme, host, ..seen })
    }

    /// All values of a field.
    pub(super) fn all(&self, name: &str) -> Vec<&'a str> {
        let fields = self.request.fields.iter();
        fields
            .filter(|(field, _)| field.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
            .collect()
    }

    pub(super) fn is_safe(&self) -> bool {
        ["GET", "HEAD", "OPTIONS"].contains(&self.request.method.as_str())
    }

    /// Whether it may begin a websocket.
    pub(super) fn is_handshake(&self) -> bool {
        let lists = |name, word: &str| {
            self.all(name)
                .iter()
                .flat_map(|value| value.split(','))
                .any(|item| item.trim().eq_ignore_ascii_case(word))
        };
        self.request.websocket
            || (lists("upgrade", "websocket") && lists("connection", "upgrade"))
            || !self.all("sec-websocket-key").is_empty()
            || self.all("sec-fetch-mode").contains(&"websocket")
    }

    /// The value of a field that stands once.
    pub(super) fn one(&self, name: &str) -> Option<&'a str> {
        let [value] = self.all(name)[..] else { return None };
        Some(value)
    }

    /// What no honest client sends.
    fn is_sound(&self) -> bool {
        let Request { method, target, fields, .. } = self.request;
        let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        let size: usize = fields.iter().map(|(name, value)| name.len() + value.len()).sum();
        let has = |name| !self.all(name).is_empty();
        !method.is_empty()
            && method.chars().all(is_token)
            && self.path.starts_with('/')
            && self.path.chars().all(|c| c.is_ascii_graphic())
            && !target.contains('#')
            && fields.len() <= 100
            && size + target.len() <= 64 * 1024
            && !(has("content-length") && has("transfer-encoding"))
    }

    /// The one host that target and `Host` agree on, if any is named; an error if they do not agree.
    fn named_host(&self, authority: Option<&str>) -> Result<Option<Host>, ()> {
        let read = |text: &str| Host::read(text).ok_or(());
        let field = match self.all("host")[..] {
            [] => None,
            [one] => Some(read(one)?),
            _ => return Err(()),
        };
        match (authority.map(read).transpose()?, field) {
            (Some(target), Some(field)) if !target.is(&field, self.request.scheme) => Err(()),
            (target, field) => Ok(target.or(field)),
        }
    }
}

impl Host {
    /// A name, an IPv4 address, or an IPv6 address in brackets; then maybe a port.
    pub(super) fn read(text: &str) -> Option<Self> {
        let is_name = |name: &str| {
            !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-._".contains(c))
        };
        let (name, rest) = match text.find(']') {
            Some(end) => text.split_at(end + 1),
            None => text.split_at(text.find(':').unwrap_or(text.len())),
        };
        let inner = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
        let name = match inner {
            // However it is written.
            Some(address) => format!("[{}]", address.parse::<std::net::Ipv6Addr>().ok()?),
            None if is_name(name) => name.to_ascii_lowercase(),
            None => return None,
        };
        let digits = rest.strip_prefix(':').unwrap_or_default();
        if !digits.chars().all(|c| c.is_ascii_digit()) || (!rest.is_empty() && !rest.starts_with(':')) {
            return None;
        }
        let port = if digits.is_empty() { None } else { Some(digits.parse().ok()?) };
        Some(Self { name, port })
    }

    fn port_over(&self, scheme: Scheme) -> u16 {
        self.port.unwrap_or(if scheme == Scheme::Https { 443 } else { 80 })
    }

    pub(super) fn is(&self, other: &Self, scheme: Scheme) -> bool {
        self.name == other.name && self.port_over(scheme) == other.port_over(scheme)
    }
}

/// The authority of an absolute target, and the path.
fn target(text: &str) -> (Option<String>, String) {
    let until_query = |text: &str| text.split('?').next().unwrap_or_default().to_owned();
    let schemes = ["http", "https", "ws", "wss"];
    let absolute =
        text.split_once("://").filter(|(scheme, _)| schemes.contains(&scheme.to_ascii_lowercase().as_str()));
    let Some((_, rest)) = absolute else { return (None, until_query(text)) };
    let (authority, rest) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let path = until_query(rest);
    (Some(authority.to_owned()), if path.is_empty() { "/".to_owned() } else { path })
}

fn is_allowed(config: &Config, host: Option<&Host>, scheme: Scheme) -> bool {
    let mut allowed = config.allowed_hosts.iter().map(|text| Host::read(text).unwrap());
    config.allowed_hosts.is_empty()
        || host.is_some_and(|host| {
            allowed.any(|one| {
                one.name == host.name && one.port.is_none_or(|port| port == host.port_over(scheme))
            })
        })
}

/// An address, if the peer has one.
pub(super) fn address(peer: Peer) -> Option<IpAddr> {
    match peer {
        Peer::Ip(address) => Some(address),
        Peer::Unix | Peer::Unknown => None,
    }
}
