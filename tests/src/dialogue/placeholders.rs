//! What the placeholders in requests stand for.

use std::collections::BTreeMap;
use std::fs;
use std::sync::OnceLock;
use std::time::Duration;

use serde::Deserialize;

use super::read::folder;
use super::{Outcome, Visit};
use crate::forge;
use crate::world::{NOW, session};

/// A token, as `tests/tokens.toml` writes it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Token {
    #[serde(default = "usual_header")]
    header: String,
    payload: String,
    #[serde(default)]
    signed: Signed,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
enum Signed {
    /// By the secret that the gate knows.
    #[default]
    Well,
    /// By another secret.
    Otherwise,
    /// Not at all.
    Not,
    /// By the key of the provider, with ES256.
    Es256,
}

impl Visit {
    /// The bytes on the wire; without the last of them, if the body cannot be read.
    pub fn raw(&self, cookies: &Cookies) -> Vec<u8> {
        let mut text = self.request.trim_end().replace('\n', "\r\n");
        if let Some(form) = &self.form {
            text.push_str("\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ");
            text.push_str(&form.len().to_string());
        }
        for (name, meaning) in constant().iter().chain(&cookies.0) {
            text = text.replace(&format!("{{{name}}}"), meaning);
        }
        text.push_str("\r\n\r\n");
        text.push_str(self.form.as_deref().unwrap_or_default());
        if self.down.iter().any(|question| question == "ReadBody") {
            text.pop();
        }
        text.into_bytes()
    }
}

/// The session cookies that the gate has set so far, by the names of their placeholders.
#[derive(Default)]
pub struct Cookies(BTreeMap<String, String>);

impl Cookies {
    /// Remembers what visit `number`, counted from 1, has set.
    pub fn keep(&mut self, number: usize, outcome: &Outcome) {
        let set = outcome.headers.iter().filter(|(name, _)| name == "set-cookie");
        let mut pairs = set.filter_map(|(_, value)| value.split(';').next());
        let is_session = |pair: &&str| {
            let name = pair.split_once('=').filter(|(_, value)| !value.is_empty()).map(|(name, _)| name);
            matches!(name, Some("authgate" | "__Host-authgate"))
        };
        if let Some(pair) = pairs.rfind(is_session) {
            self.0.insert("cookie".to_owned(), pair.to_owned());
            self.0.insert(format!("cookie.{number}"), pair.to_owned());
        }
    }

    /// What opens the gate, and must not stand in any log.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        self.0.values().filter_map(|pair| Some(pair.split_once('=')?.1))
    }
}

/// All tokens, and whatever else must not stand in any log.
pub fn secrets() -> impl Iterator<Item = &'static str> {
    let constant = constant().iter().filter(|(name, _)| !name.starts_with('x'));
    constant.map(|(_, text)| text.split_once('=').map_or(text.as_str(), |(_, value)| value))
}

/// What a placeholder stands for, in every dialogue.
pub fn placeholder(name: &str) -> &'static str {
    &constant()[name]
}

fn constant() -> &'static BTreeMap<String, String> {
    static CONSTANT: OnceLock<BTreeMap<String, String>> = OnceLock::new();
    CONSTANT.get_or_init(|| {
        let file = fs::read_to_string(folder().join("tokens.toml")).unwrap();
        let tokens: BTreeMap<String, Token> = toml::from_str(&file).unwrap();
        let mut all: BTreeMap<_, _> =
            tokens.iter().map(|(name, token)| (name.clone(), token.made())).collect();
        all.insert("x4096".to_owned(), "x".repeat(4096));
        all.insert("x70000".to_owned(), "x".repeat(70_000));
        all.insert("session".to_owned(), session("ada", NOW));
        all.insert("idle".to_owned(), session("ada", NOW.before(Duration::from_mins(31))));
        all
    })
}

impl Token {
    fn made(&self) -> String {
        let Self { header, payload, signed } = self;
        let payload = payload.replace("{x40000}", &"x".repeat(40_000));
        match signed {
            Signed::Well => forge::token(header, &payload, &forge::hs256(forge::SECRET)),
            Signed::Otherwise => forge::token(header, &payload, &forge::hs256(&"x".repeat(64))),
            Signed::Not => forge::token(header, &payload, &|_| Vec::new()),
            Signed::Es256 => forge::token(header, &payload, &forge::signer("ES256")),
        }
    }
}

fn usual_header() -> String {
    r#"{"alg":"HS256","typ":"JWT"}"#.to_owned()
}
