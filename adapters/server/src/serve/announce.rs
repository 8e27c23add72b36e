//! The first line: where everything is.

use std::net::SocketAddr;

use authgate_core::Gate;
use serde_json::json;

use super::settings::Settings;
use crate::failure::Failure;
use crate::output::say;

/// Where everything is.
pub(super) struct Announcement<'a> {
    pub(super) address: SocketAddr,
    pub(super) admin: Option<SocketAddr>,
    pub(super) gate: &'a Gate,
    pub(super) settings: &'a Settings,
}

impl Announcement<'_> {
    pub(super) fn say(&self, as_json: bool) -> Result<(), Failure> {
        let mount = self.gate.mount();
        let url = format!("http://{}{mount}", self.address);
        let admin = self.admin.map(|admin| format!("http://{admin}"));
        if as_json {
            return say(&json!({ "url": url, "mount": mount.as_str(), "admin": admin }).to_string());
        }
        let what = match &self.settings.upstream {
            Some(upstream) => format!("{upstream} is at {url}/ and lets nobody in without proof."),
            None => format!(
                "Proxies ask at {url}{} (nginx's auth_request) or {url}{} (Caddy, Traefik).",
                Gate::AUTH_REQUEST,
                Gate::FORWARD_AUTH
            ),
        };
        let admin = admin.map_or_else(String::new, |admin| {
            format!("\nHealth and metrics are at {admin}/-/healthz and {admin}/-/metrics.")
        });
        say(&format!("{what}{admin}\n\nCtrl-C ends it; SIGHUP reads its configuration again."))
    }
}
