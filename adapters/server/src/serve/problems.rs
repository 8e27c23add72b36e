//! All problems of a configuration, collected.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::path::Path;

use authgate_core::ConfigError;

use super::names::Names;
use crate::failure::Failure;

/// Everything that is wrong with a configuration, so that nobody has to find it out one by one.
#[derive(Debug)]
pub(crate) struct Problems {
    names: Names,
    found: Vec<String>,
    /// Keys of which nothing more is told.
    spoilt: BTreeSet<String>,
}

/// What the core's builders call a setting, where its key has another name.
const KEYS: [(&str, &str); 7] = [
    ("public_path", "public_paths"),
    ("public_prefix", "public_prefixes"),
    ("session_renewal", "session_idle"),
    ("session_secret", "session_secret_files"),
    ("rules", "rule"),
    ("key_set", "jwks_url"),
    ("sharing", "session_store"),
];

impl Problems {
    pub(crate) fn of(names: Names) -> Self {
        Self { names, found: Vec::new(), spoilt: BTreeSet::new() }
    }

    /// Something about one setting, by its key.
    pub(crate) fn say(&mut self, key: &'static str, what: impl Display) {
        if !self.spoilt.contains(key) {
            let named = self.names.of_key(key);
            self.found.push(format!("{named}: {what}"));
        }
    }

    /// Something about a place in the file.
    pub(crate) fn say_at(&mut self, line: usize, what: impl Display) {
        let file = self.names.file().unwrap_or(Path::new("authgate.toml")).display();
        self.found.push(format!("{file}: line {line}: {what}"));
    }

    /// A key that is there and cannot be read: that has been told, and whatever seems wrong without it is not worth telling.
    pub(crate) fn spoil(&mut self, key: impl Into<String>) {
        self.spoilt.insert(key.into());
    }

    pub(crate) fn are_about(&self, key: &str) -> bool {
        self.spoilt.contains(key)
    }

    /// A setting that the core refuses.
    pub(crate) fn refuse(&mut self, error: &ConfigError) {
        let key = key_of(error);
        self.say(key, format!("{}; {}", error.problem(), error.remedy()));
    }

    /// Something that says itself what it is about.
    pub(crate) fn fail(&mut self, failure: Failure) {
        self.found.push(failure.into_sentence());
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// One sentence each.
    pub(crate) fn sentences(&self) -> &[String] {
        &self.found
    }

    /// What was made, if nothing is wrong with it.
    pub(crate) fn unless_any<T>(self, made: Option<T>) -> Result<T, Self> {
        match made {
            Some(made) if self.is_empty() => Ok(made),
            _ => Err(self),
        }
    }
}

/// The key of the setting that an error is about.
fn key_of(error: &ConfigError) -> &'static str {
    KEYS.iter().find(|(field, _)| *field == error.field()).map_or(error.field(), |(_, key)| key)
}

impl From<Problems> for Failure {
    fn from(problems: Problems) -> Self {
        Self::all(problems.found)
    }
}
