//! Whether another site may be behind a request.

use authgate_core::{CrossSite, Scheme};

use super::head::{Host, Seen};
use crate::case::Config;

pub(super) fn is_foreign(config: &Config, seen: &Seen<'_>) -> bool {
    if config.cross_site == CrossSite::Allowed {
        return false;
    }
    match seen.all("sec-fetch-site")[..] {
        [] => match seen.all("origin")[..] {
            [origin] => !is_ours(origin, seen),
            _ => true,
        },
        [site] => !["same-origin", "none"].contains(&site),
        _ => true,
    }
}

/// A post that signs in or out may be silent about where it comes from, if that is allowed.
pub(super) fn is_foreign_sign_in(config: &Config, seen: &Seen<'_>) -> bool {
    let is_silent = seen.all("sec-fetch-site").is_empty() && seen.all("origin").is_empty();
    is_foreign(config, seen) && !(config.cross_site == CrossSite::SilentSignIn && is_silent)
}

fn is_ours(origin: &str, seen: &Seen<'_>) -> bool {
    let Some((scheme, host)) = origin.split_once("://") else { return false };
    let scheme = match scheme.to_ascii_lowercase().as_str() {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        _ => return false,
    };
    match (Host::read(host), &seen.host) {
        (Some(theirs), Some(ours)) => scheme == seen.scheme && theirs.is(ours, scheme),
        _ => false,
    }
}
