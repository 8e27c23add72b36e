use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};

use crate::Peer;

/// Networks in CIDR notation (RFC 4632 §3.1), single addresses among them; IPv4-mapped IPv6 is the IPv4 that it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Networks(Vec<IpNet>);

impl Networks {
    /// Reads `192.0.2.1`, `10.0.0.0/8` or `fd00::/8`. A network of everybody is nobody's, and refused.
    pub(crate) fn parse_one(text: &str) -> Option<IpNet> {
        match text.parse::<IpAddr>() {
            Ok(address) => Some(address.to_canonical().into()),
            Err(_) => text.parse().ok().map(canonical).filter(|network| network.prefix_len() > 0),
        }
    }

    pub(crate) fn push(&mut self, network: IpNet) {
        self.0.push(network);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn contain(&self, peer: Peer) -> bool {
        match peer {
            Peer::Ip(address) => self.0.iter().any(|network| network.contains(&address.to_canonical())),
            Peer::Unix | Peer::Unknown => false,
        }
    }
}

/// A network of IPv4-mapped addresses as the IPv4 network that it is.
fn canonical(network: IpNet) -> IpNet {
    let folded = match network.addr().to_canonical() {
        IpAddr::V4(address) if network.addr().is_ipv6() => {
            network.prefix_len().checked_sub(96).and_then(|length| Ipv4Net::new(address, length).ok())
        }
        _ => None,
    };
    folded.map_or(network, IpNet::V4).trunc()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_contains_its_addresses_however_they_are_written() {
        let mut networks = Networks::default();
        for text in ["10.0.0.0/8", "::ffff:192.0.2.0/120", "fd00::/8", "198.51.100.7"] {
            networks.push(Networks::parse_one(text).unwrap());
        }
        let inside = |text: &str| networks.contain(Peer::Ip(text.parse().unwrap()));
        for text in ["10.1.2.3", "::ffff:10.1.2.3", "192.0.2.9", "fd12::1", "198.51.100.7"] {
            assert!(inside(text), "{text}");
        }
        for text in ["11.0.0.1", "192.0.3.1", "fe80::1", "198.51.100.8"] {
            assert!(!inside(text), "{text}");
        }
        assert!(!networks.contain(Peer::Unix) && !networks.contain(Peer::Unknown));
    }

    #[test]
    fn everybody_is_no_network() {
        for text in ["", "*", "localhost", "10.0.0.0/33", "0.0.0.0/0", "::/0", "::ffff:0:0/96", "10.0.0.1-9"]
        {
            assert!(Networks::parse_one(text).is_none(), "{text}");
        }
    }
}
