//! The keys of `authgate.toml`: the flags' own, and what may stand there.

use clap::{Arg, ArgAction, Args as _};
use toml::de::DeValue;

use super::settings::Settings;

/// A key that a file may have, beside `rule`: one for each flag.
pub(super) struct Key(Arg);

/// Secrets that somebody may want to write down here, and what to write instead.
const SECRETS: [(&str, &str); 5] = [
    ("jwt_secret", "jwt_secret_file"),
    ("secret", "jwt_secret_file"),
    ("session_secret", "session_secret_files"),
    ("password", "users_file"),
    ("users", "users_file"),
];

impl Key {
    pub(super) fn all() -> Vec<Self> {
        let command = Settings::augment_args(clap::Command::new("serve"));
        command.get_arguments().cloned().map(Self).collect()
    }

    pub(super) fn find(name: &str) -> Option<Self> {
        Self::all().into_iter().find(|key| key.name() == name)
    }

    pub(super) fn name(&self) -> &str {
        self.0.get_id().as_str()
    }

    /// The flag's name, which for a list is that of one entry.
    pub(super) fn flag(&self) -> &str {
        self.0.get_long().unwrap_or_else(|| self.name())
    }

    /// What is wrong with the type of a value, if it is another than this key's.
    pub(super) fn mistyped(&self, value: &DeValue<'_>) -> Option<String> {
        let is_list = matches!(self.0.get_action(), ArgAction::Append);
        let example = match self.kind() {
            "BOOL" if value.is_bool() => return None,
            "BOOL" => "true or false, without quotes",
            "BYTES" | "NUMBER" if value.is_integer() => return None,
            "BYTES" | "NUMBER" => "a whole number, such as 1000",
            "FILE" if has_empty_string(value) => {
                return Some("it is empty; name a file, or leave it out".to_owned());
            }
            _ if value.is_str() || (is_list && is_list_of_strings(value)) => return None,
            "SPAN" => "a span in quotes, such as \"90s\" or \"15m\"",
            "ADDRESS" => "an address and a port in quotes, such as \"127.0.0.1:8080\"",
            _ if is_list => "a string in quotes, or a list of such, [\"one\", \"another\"]",
            _ => "a string in quotes",
        };
        let found = match value {
            DeValue::Array(_) if is_list => "a list with something else than strings",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
            DeValue::String(_) => "a string",
            DeValue::Integer(_) => "a number",
            DeValue::Float(_) => "a number with a point",
            DeValue::Boolean(_) => "a boolean",
            DeValue::Datetime(_) => "a date or a time",
        };
        Some(format!("it is {found}; write {example}"))
    }

    /// What is wrong with a value of the right type that could not be read, as far as the key itself knows.
    pub(super) fn misfit(&self) -> Option<String> {
        let choices: Vec<_> =
            self.0.get_possible_values().iter().map(|value| format!("{:?}", value.get_name())).collect();
        match self.kind() {
            "BYTES" | "NUMBER" => Some("it is out of range; write a whole number, such as 1000".to_owned()),
            "BOOL" => None,
            _ if choices.is_empty() => None,
            _ => Some(format!("there is no such choice; write {}", choices.join(" or "))),
        }
    }

    fn kind(&self) -> &str {
        self.0.get_value_names().and_then(<[_]>::first).map_or("", |name| name.as_str())
    }
}

fn has_empty_string(value: &DeValue<'_>) -> bool {
    let is_empty = |value: &DeValue<'_>| value.as_str() == Some("");
    is_empty(value)
        || value.as_array().is_some_and(|entries| entries.iter().any(|entry| is_empty(entry.get_ref())))
}

fn is_list_of_strings(value: &DeValue<'_>) -> bool {
    value.as_array().is_some_and(|entries| entries.iter().all(|entry| entry.get_ref().is_str()))
}

/// A key that there is not.
pub(super) struct Unknown {
    pub(super) problem: String,
    /// The key that it was probably meant to be.
    pub(super) meant: Option<String>,
}

impl Unknown {
    /// Nothing if `key` is one of `known`.
    pub(super) fn among(known: &[&str], key: &str) -> Option<Self> {
        if known.contains(&key) {
            return None;
        }
        let named = quoted(key);
        if let Some((_, instead)) = SECRETS.iter().find(|(secret, _)| *secret == key) {
            let problem = format!(
                "{named} does not belong here; keep it in a file of its own, and name that as {instead}"
            );
            return Some(Self { problem, meant: Some((*instead).to_owned()) });
        }
        // A part of a name, such as `hosts`, says more than a few letters that are alike.
        let part = |known: &str| if key.len() > 3 && known.contains(key) { 0.5 } else { 0.0 };
        let likeness = |known: &&&str| strsim::jaro_winkler(key, known) + part(known);
        let nearest = known.iter().max_by(|one, other| likeness(one).total_cmp(&likeness(other)));
        let meant = nearest.filter(|known| likeness(known) > 0.8).map(|&known| known.to_owned());
        let problem = match &meant {
            Some(meant) => format!("unknown key {named}; did you mean {meant}?"),
            None => format!("unknown key {named}; see `authgate serve --help` for those that there are"),
        };
        Some(Self { problem, meant })
    }
}

/// A key as it would have to be written.
fn quoted(key: &str) -> String {
    let is_bare =
        !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if is_bare { key.to_owned() } else { format!("{key:?}") }
}
