use std::fmt;

use crate::gate::Settings;
use crate::kind::Kind;
use crate::mount::below;
use crate::rules::WEBSOCKET;
use crate::{Peer, User};

/// Whether somebody may send a request, and what decides that; see [`Gate::explain`](crate::Gate::explain). It prints as one
/// line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    allows: bool,
    why: String,
}

impl Explanation {
    /// Whether the request would pass.
    pub fn allows(&self) -> bool {
        self.allows
    }

    /// Asks whatever [`flow`](crate::flow) asks, in the same order.
    pub(crate) fn of(
        settings: &Settings,
        method: &str,
        path: &str,
        user: Option<&User>,
        client: Peer,
    ) -> Self {
        let (allows, why) = decide(settings, method, path, user, client);
        Self { allows, why }
    }
}

fn decide(
    settings: &Settings,
    method: &str,
    path: &str,
    user: Option<&User>,
    client: Peer,
) -> (bool, String) {
    if !settings.allowed_networks.is_empty() && !settings.allowed_networks.contain(client) {
        return (false, format!("the client {client} is in none of the allowed networks"));
    }
    let Some(path) = path.split(['?', '#']).next().and_then(|path| below(path, settings.mount.as_str()))
    else {
        return (false, format!("the path is not below the mount {}", settings.mount));
    };
    if settings.answers_itself(path) {
        return (true, "the gate answers it itself, for everybody".to_owned());
    }
    if settings.public.contains(path) {
        return (true, "the path is public".to_owned());
    }
    match (&settings.rules, user) {
        (Some(rules), user) => {
            let (kind, method) =
                if method == WEBSOCKET { (Kind::WebSocket, "GET") } else { (Kind::Api, method) };
            let verdict = rules.judge(&rules.demand(kind, method, path), user, client);
            let whom = user.map_or_else(|| format!("nobody in particular at {client}"), describe);
            let tail = if verdict.allows() { String::new() } else { format!(": {whom}") };
            (verdict.allows(), format!("{verdict}{tail}"))
        }
        (None, None) => (false, "there are no rules, and nobody has signed in".to_owned()),
        (None, Some(user)) if settings.access.allows(user) => {
            (true, format!("there are no rules, and the gate is open to {}", describe(user)))
        }
        (None, Some(user)) => {
            (false, format!("there are no rules, and the gate is not open to {}", describe(user)))
        }
    }
}

fn describe(user: &User) -> String {
    let mut told = format!("user {:?}", user.id);
    if user.is_admin {
        told.push_str(", an administrator");
    }
    match user.roles.as_slice() {
        [] => told.push_str(", without roles"),
        roles => {
            told.push_str(", role ");
            told.push_str(&roles.join(" "));
        }
    }
    told
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", if self.allows { "allowed" } else { "refused" }, self.why)
    }
}
