//! What a proxy asks about (nginx's `auth_request`, Caddy's `forward_auth`, Traefik's `forwardAuth`).

use super::head::Seen;
use super::proxies;
use crate::case::{Config, Request};

/// Where a proxy asks, below the mount.
pub(super) const PATHS: [&str; 2] = ["/authgate/auth-request", "/authgate/forward-auth"];

/// The request that is asked about; nothing if nobody may ask, or if it is not said.
pub(super) fn about(config: &Config, asking: &Seen<'_>) -> Option<Request> {
    if !proxies::trusts(config, asking.request.peer) {
        return None;
    }
    let is_visible = |text: &&str| text.chars().all(|c| c == ' ' || c.is_ascii_graphic());
    let method = asking.one("x-forwarded-method").filter(is_visible)?;
    let target = asking.one("x-forwarded-uri").filter(is_visible).filter(|target| target.starts_with('/'))?;
    let origin = asking.authority.as_ref().map_or(String::new(), |host| format!("http://{host}"));
    Some(Request {
        method: method.to_owned(),
        target: origin + target,
        prefix: String::new(),
        ..asking.request.clone()
    })
}
