//! Values that stand in flags and in the file alike.

use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

use authgate_core::ForwardedFields;
use clap::ValueEnum;
use serde::Deserialize;

use crate::cli::address;

/// A span of time, as people write it: `90s`, `15m`, `1h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span(pub(crate) Duration);

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        humantime::parse_duration(text)
            .map(Self)
            .map_err(|_| "write a span such as 90s, 15m, 1h or 7d".to_owned())
    }
}

/// An address and a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Address(pub(crate) SocketAddr);

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        address(text).map(Self)
    }
}

/// The families of [`ForwardedFields`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Family {
    /// X-Forwarded-For and X-Forwarded-Proto; the host is in Host
    XForwarded,
    /// These, X-Forwarded-Host and X-Forwarded-Port
    XForwardedHost,
    /// Forwarded (RFC 7239)
    Forwarded,
}

impl From<Family> for ForwardedFields {
    fn from(family: Family) -> Self {
        match family {
            Family::XForwarded => Self::XForwarded,
            Family::XForwardedHost => Self::XForwardedHost,
            Family::Forwarded => Self::Rfc7239,
        }
    }
}
