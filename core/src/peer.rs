use std::net::{IpAddr, SocketAddr};

/// The other end of the connection that a request arrived on.
///
/// Adapters put it into the request's extensions; it is who *connected*, which behind a proxy is the proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Peer {
    /// A network peer. IPv4-mapped IPv6 addresses are folded to IPv4 by [`Peer::from`].
    Ip(IpAddr),
    /// A unix domain socket.
    Unix,
    /// The host did not say. Nothing is ever trusted because of it.
    #[default]
    Unknown,
}

impl Peer {
    /// Whether it is a loopback address: nothing has travelled.
    pub(crate) fn is_this_machine(self) -> bool {
        matches!(self, Self::Ip(address) if address.to_canonical().is_loopback())
    }
}

impl From<IpAddr> for Peer {
    fn from(address: IpAddr) -> Self {
        Self::Ip(address.to_canonical())
    }
}

impl From<SocketAddr> for Peer {
    fn from(address: SocketAddr) -> Self {
        address.ip().into()
    }
}

impl std::fmt::Display for Peer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Ip(address) => address.fmt(f),
            Self::Unix => f.write_str("unix"),
            Self::Unknown => f.write_str("unknown"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_is_its_address_whatever_its_port() {
        let socket = SocketAddr::from(([192, 0, 2, 1], 80));
        assert_eq!(Peer::from(socket), Peer::from(socket.ip()));
        let shown = [Peer::from(socket), Peer::Unix, Peer::Unknown].map(|peer| peer.to_string());
        assert_eq!(shown, ["192.0.2.1", "unix", "unknown"]);
    }
}
