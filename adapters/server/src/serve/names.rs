//! Where a setting is said: by which flag, or by which key of which file.

use std::path::{Path, PathBuf};

use super::key::Key;
use super::settings::Settings;

/// Where each setting is said, as the person who has to change it knows it.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    /// The file that settings are from; none if flags say it all.
    file: Option<PathBuf>,
    /// The keys that flags say, whatever the file says.
    flags: Vec<&'static str>,
    /// Another command, whose flag for the session store is `--store`.
    is_of_store: bool,
}

impl Names {
    pub(crate) fn of(file: Option<&Path>, flags: &Settings) -> Self {
        Self { file: file.map(Path::to_owned), flags: flags.given(), is_of_store: false }
    }

    /// Those of a command that is told a store and nothing else.
    pub(crate) fn of_store() -> Self {
        Self { file: None, flags: Vec::new(), is_of_store: true }
    }

    pub(crate) fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// Whether a flag says it.
    pub(crate) fn is_flag(&self, key: &str) -> bool {
        self.flags.contains(&key)
    }

    /// `authgate.toml: trusted_proxies`, or `--trusted-proxy`.
    pub(crate) fn of_key(&self, key: &str) -> String {
        match &self.file {
            None if self.is_of_store && key == "session_store" => "--store".to_owned(),
            Some(file) if !self.is_flag(key) => format!("{}: {key}", file.display()),
            _ => match Key::find(key) {
                Some(key) => format!("--{}", key.flag()),
                None => key.to_owned(),
            },
        }
    }
}
