//! What trusted proxies say about a request.

use std::net::IpAddr;

use authgate_core::{ForwardedFields, Peer, Scheme};

use super::head::{Seen, address};
use super::networks::is_in;
use crate::case::Config;

/// The way that a request has come.
pub(super) struct Way {
    pub(super) place: Option<IpAddr>,
    pub(super) scheme: Scheme,
    /// As the proxy says.
    pub(super) host: Option<String>,
    pub(super) port: Option<u16>,
}

pub(super) fn way(config: &Config, seen: &Seen<'_>) -> Way {
    let peer = seen.request.peer;
    let mut way = Way { place: address(peer), scheme: seen.request.scheme, host: None, port: None };
    if !trusts(config, peer) {
        let forwards = ["x-forwarded-for", "forwarded", "via"].iter().any(|name| !seen.all(name).is_empty());
        if forwards {
            way.place = None;
        }
        return way;
    }
    // The nearest proxy's word stands last.
    let last_first = |name| -> Vec<String> {
        let mut items: Vec<_> = seen.all(name).iter().flat_map(|value| value.split(',')).collect();
        items.reverse();
        items.iter().take_while(|item| item.is_ascii()).map(|item| item.trim().to_owned()).collect()
    };
    // Proxies that ask have to say which host, and so are asked for it.
    let fields = if config.forward_auth { ForwardedFields::XForwardedHost } else { config.forwarded };
    if fields == ForwardedFields::Rfc7239 {
        rfc7239(config, seen, &mut way);
        return way;
    }
    let last = |name| last_first(name).into_iter().next();
    way.scheme = last("x-forwarded-proto").and_then(|text| scheme(&text)).unwrap_or(way.scheme);
    if fields == ForwardedFields::XForwardedHost {
        way.host = last("x-forwarded-host");
        way.port = last("x-forwarded-port").and_then(|text| text.parse().ok());
    }
    for hop in last_first("x-forwarded-for").iter().take(32) {
        let Some(client) = node(hop) else { break };
        way.place = Some(client);
        if !trusts(config, Peer::Ip(client)) {
            break;
        }
    }
    way
}

/// `for=…;proto=…;host=…` for every hop, of which the last is the nearest proxy's.
fn rfc7239(config: &Config, seen: &Seen<'_>, way: &mut Way) {
    let arrived = way.scheme;
    let values = seen.all("forwarded");
    if values.iter().any(|value| !value.is_ascii() || unquoted(value, ',').is_none()) {
        way.place = None;
        return;
    }
    let mut elements: Vec<_> = values.iter().filter_map(|value| unquoted(value, ',')).flatten().collect();
    elements.reverse();
    for element in elements.iter().take(32) {
        way.scheme = parameter(element, "proto").and_then(|text| scheme(&text)).unwrap_or(arrived);
        way.host = parameter(element, "host");
        let Some(client) = parameter(element, "for").and_then(|text| node(&text)) else { break };
        way.place = Some(client);
        if !trusts(config, Peer::Ip(client)) {
            break;
        }
    }
}

/// A parameter that stands once; without its quotes, and nothing if there are more in it.
fn parameter(element: &str, name: &str) -> Option<String> {
    let pairs = unquoted(element, ';')?;
    let values: Vec<_> = pairs
        .iter()
        .filter_map(|pair| pair.split_once('='))
        .filter(|(key, _)| key.trim().eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim())
        .collect();
    let [value] = values[..] else { return None };
    let inner = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
    (!inner.contains(['"', '\\'])).then(|| inner.to_owned())
}

/// Split where the separator stands outside of quotes; nothing if quotes do not end.
fn unquoted(text: &str, separator: char) -> Option<Vec<String>> {
    let mut parts = vec![String::new()];
    let (mut quoted, mut characters) = (false, text.chars());
    while let Some(c) = characters.next() {
        let last = parts.last_mut()?;
        if c == '\\' && quoted {
            last.push(c);
            last.extend(characters.next());
        } else if c == separator && !quoted {
            parts.push(String::new());
        } else {
            quoted ^= c == '"';
            last.push(c);
        }
    }
    (!quoted).then_some(parts)
}

pub(super) fn trusts(config: &Config, peer: Peer) -> bool {
    config.trusted_proxies.iter().any(|proxy| match peer {
        Peer::Unix => proxy == "unix",
        other => proxy != "unix" && is_in(proxy, address(other)),
    })
}

fn scheme(text: &str) -> Option<Scheme> {
    match text.to_ascii_lowercase().as_str() {
        "http" | "ws" => Some(Scheme::Http),
        "https" | "wss" => Some(Scheme::Https),
        _ => None,
    }
}

/// An address, maybe with a port.
fn node(text: &str) -> Option<IpAddr> {
    let bare = if let Some(rest) = text.strip_prefix('[') {
        rest.split_once(']')?.0
    } else if text.matches(':').count() == 1 {
        text.split(':').next()?
    } else {
        text
    };
    bare.parse().ok()
}
