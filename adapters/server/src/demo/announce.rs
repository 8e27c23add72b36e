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
    /// Username and password.
    pub(super) credentials: Option<(&'a str, &'a str)>,
}

impl Announcement<'_> {
    pub(super) fn say(&self, as_json: bool) -> Result<(), Failure> {
        let mount = self.mount;
        let url = format!("http://{}{mount}", self.address);
        let (username, password) = self.credentials.unzip();
        if as_json {
            return say(&json!({
                "url": url, "mount": mount, "token": self.token, "username": username, "password": password,
            })
            .to_string());
        }
        let people = match self.credentials {
            Some((username, password)) => format!("Sign in there as {username} with the password {password}"),
            None => "Sign in there as one of your users.".to_owned(),
        };
        let programs = match self.token {
            Some(token) => format!(
                "Programs send a token, such as this administrator's, valid for 12 hours:\n\n\
                 TOKEN='{token}'\n\
                 curl -i {url}/\n\
                 curl -H \"Authorization: Bearer $TOKEN\" {url}/"
            ),
            None => "Programs send a token of yours.".to_owned(),
        };
        say(&format!(
            "The dashboard is at {url}/ and lets nobody in without proof.\n\n{people}\n{programs}\n\nCtrl-C ends it."
        ))
    }
}
