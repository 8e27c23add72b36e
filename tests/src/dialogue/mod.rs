//! A table of dialogues: requests as they are sent, and what must come of them.

mod bless;
mod check;
mod kinds;
mod outcome;
mod placeholders;
mod read;
mod reasons;

use std::collections::BTreeMap;

use serde::Deserialize;

pub use self::bless::bless;
pub use self::kinds::{BodyKind, kinds};
pub use self::outcome::{Outcome, Told};
pub use self::placeholders::{Cookies, placeholder, secrets};
pub use self::read::{folder, tables};
pub use self::reasons::reasons;
use crate::world::Settings;

/// A file of dialogues with one gate.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// The gate's settings.
    #[serde(default)]
    pub gate: Settings,
    /// The dialogues.
    pub dialogue: Vec<Dialogue>,
}

/// One or several visits, in order, to one gate with one clock.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dialogue {
    /// Named for the behaviour, and for the threat row that it shows.
    pub name: String,
    /// The drivers that it is for; empty: all of them.
    #[serde(default)]
    pub only: Vec<String>,
    /// The visits after the first.
    #[serde(default)]
    pub then: Vec<Later>,
    /// The first visit stands in the dialogue itself.
    #[serde(flatten)]
    pub first: Visit,
}

/// A visit that is not the first.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Later {
    /// The visit.
    #[serde(flatten)]
    visit: Visit,
}

/// One request and what must come of it.
#[derive(Debug, Clone, Deserialize)]
pub struct Visit {
    /// Seconds since the visit before.
    #[serde(default)]
    pub after: u64,
    /// How often the same request is sent; each time it must end the same way.
    #[serde(default = "once")]
    pub times: usize,
    /// The questions that cannot be answered meanwhile, by the names of `Step`.
    #[serde(default)]
    pub down: Vec<String>,
    /// The request line and header fields, one a line. `{…}` stands for a token or a cookie; see `tests/tokens.toml`.
    pub request: String,
    /// The form that is posted with it: its content type and length go without saying.
    pub form: Option<String>,
    /// What the gate asks, in order, by the names of `Step`.
    pub asked: Option<Vec<String>>,
    /// The status that the client gets; 200 from the dashboard itself if the request is forwarded.
    pub status: u16,
    /// The kind of body, by its name in `tests/kinds.toml`.
    pub kind: Option<String>,
    /// All header fields of the answer beside those of its kind and of the transport.
    #[serde(default)]
    pub headers: BTreeMap<String, Values>,
    /// The answer's whole body.
    pub body: Option<String>,
    /// Text that must stand in the answer's body.
    pub contains: Option<String>,
    /// `forward`, `respond` or `delegate`.
    pub outcome: String,
    /// The reason in the audit trail.
    pub reason: String,
    /// The sentence in the audit trail, where it is another one than `tests/reasons.toml` has for the reason.
    pub detail: Option<String>,
    /// Method and path of the request that a proxy asks about, in the audit trail.
    pub about: Option<String>,
    /// The user in the audit trail.
    pub user: Option<String>,
    /// What the dashboard is told that the user may do: `admins`, and each role as `role:…`, as rules have it.
    #[serde(default)]
    pub rights: Vec<String>,
    /// The client's address in the audit trail.
    #[serde(default = "loopback")]
    pub client: String,
    /// The kind of client in the audit trail.
    #[serde(default = "page")]
    pub client_kind: String,
    /// Header fields that must reach the dashboard, and no others besides those that every request has.
    pub passed: Option<Vec<String>>,
}

/// One value of a header field, or several fields of one name, in order.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Values {
    /// It stands once.
    One(String),
    /// It stands that often.
    Several(Vec<String>),
}

impl Values {
    /// All of them.
    pub fn all(&self) -> &[String] {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Several(values) => values,
        }
    }
}

impl Dialogue {
    /// All visits, in order.
    pub fn visits(&self) -> impl Iterator<Item = &Visit> {
        std::iter::once(&self.first).chain(self.then.iter().map(|later| &later.visit))
    }

    /// Whether it is for the driver of this name.
    pub fn is_for(&self, driver: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|name| name == driver)
    }
}

impl Visit {
    /// Whether nothing but the head of an answer is asked for.
    pub fn is_head(&self) -> bool {
        self.request.starts_with("HEAD ")
    }
}

fn once() -> usize {
    1
}

fn loopback() -> String {
    "127.0.0.1".to_owned()
}

fn page() -> String {
    "page".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_that_nobody_knows_is_a_mistake() {
        let visit =
            "request = \"GET / HTTP/1.1\"\nstatus = 200\noutcome = \"forward\"\nreason = \"public\"\n";
        let one = format!("[[dialogue]]\nname = \"a\"\n{visit}");
        let two = format!("{one}[[dialogue.then]]\n{visit}");
        for good in [&one, &two] {
            toml::from_str::<Table>(good).unwrap();
            let error = toml::from_str::<Table>(&format!("{good}wihtout = []\n")).unwrap_err();
            assert!(error.to_string().contains("unknown field"), "{error}");
        }
    }
}
