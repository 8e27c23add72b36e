//! A table of dialogues: a request as it is sent, and what must come of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use authgate_core::Event;
use serde::Deserialize;

use crate::forge;
use crate::world::{NOW, Settings, session};

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

/// One request and what must come of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dialogue {
    /// Named for the behaviour, and for the threat row that it shows.
    pub name: String,
    /// The request line and header fields, one a line. `{…}` stands for a token; see `tokens` below.
    pub request: String,
    /// The form that is posted with it: its content type and length go without saying.
    pub form: Option<String>,
    /// The status that the client gets; 200 from the dashboard itself if the request is forwarded.
    pub status: u16,
    /// Header fields that the answer must have, with these values.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Header fields that the answer must not have.
    #[serde(default)]
    pub without: Vec<String>,
    /// The answer's whole body.
    pub body: Option<String>,
    /// Text that must stand in the answer's body.
    pub contains: Option<String>,
    /// `forward`, `respond` or `delegate`.
    pub outcome: String,
    /// The reason in the audit trail.
    pub reason: String,
    /// The user in the audit trail.
    pub user: Option<String>,
    /// The client's address in the audit trail.
    #[serde(default = "loopback")]
    pub client: String,
    /// Header fields that must reach the dashboard, and no others besides those that every request has.
    pub passed: Option<Vec<String>>,
}

fn loopback() -> String {
    "127.0.0.1".to_owned()
}

/// What an audit trail was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// `forward`, `respond` or `delegate`.
    pub outcome: String,
    /// The reason's slug.
    pub reason: String,
    /// The user's id.
    pub user: Option<String>,
    /// The client's address.
    pub client: String,
}

impl Told {
    /// The parts of an event that a dialogue names.
    pub fn of(event: &Event<'_>) -> Self {
        Self {
            outcome: event.outcome.as_str().to_owned(),
            reason: event.reason.slug().to_owned(),
            user: event.user.map(str::to_owned),
            client: event.client.to_string(),
        }
    }
}

/// What came of a dialogue through some driver.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The status.
    pub status: u16,
    /// The answer's fields, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The answer's body.
    pub body: String,
    /// What the audit trail was told.
    pub told: Told,
}

impl Dialogue {
    /// The bytes on the wire.
    pub fn raw(&self) -> Vec<u8> {
        let mut text = self.request.trim_end().replace('\n', "\r\n");
        if let Some(form) = &self.form {
            text.push_str("\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ");
            text.push_str(&form.len().to_string());
        }
        for (name, token) in tokens() {
            text = text.replace(&format!("{{{name}}}"), &token);
        }
        text.push_str("\r\n\r\n");
        text.push_str(self.form.as_deref().unwrap_or_default());
        text.into_bytes()
    }

    /// Compares; says what differs.
    pub fn check(&self, found: &Outcome) -> Result<(), String> {
        let mut faults = Vec::new();
        // Comes beside a removed cookie when somebody signs out; its own test has it.
        let farewell = |value: &str| value.starts_with("authgate-left=1;");
        let mut expect = |what: &str, wanted: &dyn std::fmt::Debug, got: &dyn std::fmt::Debug| {
            if format!("{wanted:?}") != format!("{got:?}") {
                faults.push(format!("{what}: wanted {wanted:?}, got {got:?}"));
            }
        };
        let told = Told {
            outcome: self.outcome.clone(),
            reason: self.reason.clone(),
            user: self.user.clone(),
            client: self.client.clone(),
        };
        expect("status", &self.status, &found.status);
        expect("audit", &told, &found.told);
        for (name, value) in &self.headers {
            let got: Vec<_> = found
                .headers
                .iter()
                .filter(|(field, value)| field == name && !farewell(value))
                .map(|(_, value)| value.clone())
                .collect();
            expect(name, &[value], &got);
        }
        for name in &self.without {
            expect(name, &false, &found.headers.iter().any(|(field, _)| field == name));
        }
        if found.headers.iter().filter(|(field, value)| field == "set-cookie" && !farewell(value)).count() > 1
        {
            expect("set-cookie", &"one at most", &found.headers);
        }
        if let Some(body) = &self.body {
            expect("body", body, &found.body);
        }
        if let Some(text) = &self.contains
            && !found.body.contains(text.as_str())
        {
            expect("body holds", text, &found.body);
        }
        if let Some(passed) = &self.passed {
            expect("passed", &format!("passed: {}", passed.join(" ")), &found.body);
        }
        for (name, value) in &found.headers {
            if value.bytes().any(|byte| !(b' '..=b'~').contains(&byte)) {
                expect(name, &"plain ASCII", value);
            }
        }
        if faults.is_empty() { Ok(()) } else { Err(faults.join("\n")) }
    }
}

/// All tables, by file name.
pub fn tables() -> Vec<(String, Table)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
        .into_iter()
        .map(|path| {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            let table = toml::from_str(&fs::read_to_string(&path).unwrap());
            (name, table.unwrap_or_else(|error| panic!("{}: {error}", path.display())))
        })
        .collect()
}

/// What the placeholders in requests stand for.
fn tokens() -> Vec<(&'static str, String)> {
    let ada = |more: &str| format!(r#"{{"sub":"ada","name":"Ada"{more}}}"#);
    let forged = forge::token(r#"{"alg":"HS256"}"#, &ada(""), &forge::hs256(&"x".repeat(64)));
    vec![
        ("ada", forge::honest(&ada(""))),
        ("admin", forge::honest(&ada(r#","is_admin":true"#))),
        ("ops", forge::honest(&ada(r#","roles":["ops"]"#))),
        (
            "sneaky",
            forge::honest(&ada(r#","is_admin":[true],"role":"admin","roles":{"ops":true},"admin":true"#)),
        ),
        ("expired", forge::honest(&ada(r#","exp":1799999999"#))),
        ("none", forge::token(r#"{"alg":"none"}"#, &ada(r#","is_admin":true"#), &|_| Vec::new())),
        ("forged", forged),
        ("long", forge::honest(&ada(&format!(r#","x":"{}""#, "x".repeat(40_000))))),
        ("x4096", "x".repeat(4096)),
        ("session", session("ada", NOW)),
        ("idle", session("ada", NOW.before(Duration::from_mins(31)))),
    ]
}
