use std::fmt::Display;
use std::path::{Path, PathBuf};

use authgate_core::ConfigError;

use crate::failure::Failure;

/// Everything that is wrong with a configuration, so that nobody has to find it out one by one.
#[derive(Debug)]
pub(crate) struct Problems {
    /// The file that the settings are from; none if flags say it all.
    file: Option<PathBuf>,
    found: Vec<String>,
}

/// What the core's builders call a setting, where its key has another name.
const KEYS: [(&str, &str); 6] = [
    ("public_path", "public_paths"),
    ("public_prefix", "public_prefixes"),
    ("session_renewal", "session_idle"),
    ("session_secret", "session_secret_files"),
    ("access", "roles"),
    ("rules", "rule"),
];

/// Keys whose flags are said once for every entry.
const LISTS: [(&str, &str); 11] = [
    ("identity_headers", "identity-header"),
    ("algorithms", "algorithm"),
    ("roles", "role"),
    ("public_paths", "public-path"),
    ("public_prefixes", "public-prefix"),
    ("session_secret_files", "session-secret-file"),
    ("trusted_proxies", "trusted-proxy"),
    ("allowed_hosts", "allowed-host"),
    ("allowed_networks", "allowed-network"),
    ("secret", "jwt-secret-file"),
    ("rule", "rule"),
];

impl Problems {
    pub(crate) fn of(file: Option<&Path>) -> Self {
        Self { file: file.map(Path::to_owned), found: Vec::new() }
    }

    /// Something about one setting, by its key.
    pub(crate) fn say(&mut self, key: &str, what: impl Display) {
        let named = self.name(key);
        self.found.push(format!("{named}: {what}"));
    }

    /// Something about a place in the file.
    pub(crate) fn say_at(&mut self, line: usize, what: impl Display) {
        let file = self.file.as_deref().unwrap_or(Path::new("authgate.toml")).display();
        self.found.push(format!("{file}: line {line}: {what}"));
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

    fn name(&self, key: &str) -> String {
        match &self.file {
            Some(file) => format!("{}: {key}", file.display()),
            None => match LISTS.iter().find(|(list, _)| *list == key) {
                Some((_, flag)) => format!("--{flag}"),
                None => format!("--{}", key.replace('_', "-")),
            },
        }
    }
}

/// The key of the setting that an error is about.
pub(crate) fn key_of(error: &ConfigError) -> &'static str {
    KEYS.iter().find(|(field, _)| *field == error.field()).map_or(error.field(), |(_, key)| key)
}

impl From<Problems> for Failure {
    fn from(problems: Problems) -> Self {
        Self::all(problems.found)
    }
}
