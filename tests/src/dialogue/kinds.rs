use std::collections::BTreeMap;
use std::fs;
use std::sync::OnceLock;

use serde::Deserialize;

use super::read::folder;

/// A kind of body: the fields that come with each of it, and what it looks like.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BodyKind {
    /// The fields that every answer of this kind has.
    pub headers: BTreeMap<String, String>,
    /// Fields that are the dashboard's own, and nothing to the gate.
    pub aside: Vec<String>,
    /// How it begins.
    pub begins: String,
    /// What stands in it.
    pub contains: String,
    /// Whether there is none.
    pub empty: bool,
    /// Whether a visit must say the whole of it.
    pub told: bool,
}

impl BodyKind {
    /// Why a body is none of this kind, if it is not.
    pub fn fault(&self, body: &str) -> Option<String> {
        let wants = |what: &str, text: &str| Some(format!("a body that {what} {text:?}"));
        match self {
            Self { begins, .. } if !body.starts_with(begins.as_str()) => wants("begins with", begins),
            Self { contains, .. } if !body.contains(contains.as_str()) => wants("contains", contains),
            Self { empty: true, .. } if !body.is_empty() => Some("no body".to_owned()),
            Self { empty: false, .. } if body.is_empty() => Some("a body".to_owned()),
            _ => None,
        }
    }
}

/// All kinds of bodies, by name.
pub fn kinds() -> &'static BTreeMap<String, BodyKind> {
    static KINDS: OnceLock<BTreeMap<String, BodyKind>> = OnceLock::new();
    KINDS.get_or_init(|| toml::from_str(&fs::read_to_string(folder().join("kinds.toml")).unwrap()).unwrap())
}
