use std::fmt;

use ipnet::IpNet;

use crate::networks::Networks;
use crate::{ConfigError, Peer, User};

/// Somebody whom a rule lets pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Allow {
    Role(String),
    User(String),
    Network(IpNet),
    Admins,
    SignedIn,
}

impl Allow {
    pub(super) fn parse(text: &str) -> Result<Self, ConfigError> {
        let named = |name: &str| Some(name.to_owned()).filter(|name| !name.is_empty());
        let read = match text.split_once(':') {
            None if text == "admins" => Some(Self::Admins),
            None if text == "signed-in" => Some(Self::SignedIn),
            Some(("role", name)) => named(name).map(Self::Role),
            Some(("user", id)) => named(id).map(Self::User),
            Some(("network", network)) => {
                let network = Networks::parse_one(network).ok_or_else(|| {
                    let problem = format!("allow: {text:?} names no network of somebody's");
                    let remedy = "write for example \"network:10.0.0.0/8\"; what is open to everybody is a public path";
                    ConfigError::new("rule", problem, remedy)
                })?;
                Some(Self::Network(network))
            }
            _ => None,
        };
        read.ok_or_else(|| {
            let problem = format!("allow: {text:?} names nobody");
            ConfigError::new(
                "rule",
                problem,
                "write role:NAME, user:ID, network:10.0.0.0/8, admins or signed-in",
            )
        })
    }

    /// Whether it lets this user, or nobody in particular, at this address pass.
    pub(super) fn covers(&self, user: Option<&User>, client: Peer) -> bool {
        match (self, user) {
            (Self::Network(network), _) => {
                matches!(client, Peer::Ip(address) if network.contains(&address.to_canonical()))
            }
            (_, None) => false,
            (Self::Role(role), Some(user)) => user.has_role(role),
            (Self::User(id), Some(user)) => user.id == *id,
            (Self::Admins, Some(user)) => user.is_admin,
            (Self::SignedIn, Some(_)) => true,
        }
    }
}

impl fmt::Display for Allow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Role(name) => write!(f, "role:{name}"),
            Self::User(id) => write!(f, "user:{id}"),
            Self::Network(network) => write!(f, "network:{network}"),
            Self::Admins => f.write_str("admins"),
            Self::SignedIn => f.write_str("signed-in"),
        }
    }
}
