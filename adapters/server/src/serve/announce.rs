use std::net::SocketAddr;

use serde_json::json;

use crate::failure::Failure;
use crate::output::say;

/// Where the demo is and how to get in.
pub(super) struct Announcement<'a> {
    pub(super) address: SocketAddr,
    /// As a link starts: empty, or without a slash at its end.
    pub(super) mount: &'a str,
    pub(super) token: Option<&'a str>,
}

impl Announcement<'_> {
    pub(super) fn say(&self, as_json: bool) -> Result<(), Failure> {
        let mount = self.mount;
        let url = format!("http://{}{mount}", self.address);
        if as_json {
            return say(&json!({ "url": url, "mount": mount, "token": self.token }).to_string());
        }
        let Some(token) = self.token else {
            return say(&format!(
                "The dashboard is at {url}/ and lets in whoever has a token of yours. Ctrl-C ends it."
            ));
        };
        say(&format!(
            "The dashboard is at {url}/ and lets nobody in without proof.\n\
             Try it with this administrator's token, valid for 12 hours:\n\n\
             TOKEN='{token}'\n\
             curl -i {url}/\n\
             curl -H \"Authorization: Bearer $TOKEN\" {url}/\n\n\
             Ctrl-C ends it."
        ))
    }
}
