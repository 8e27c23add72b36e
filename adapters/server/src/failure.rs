use std::fmt::Display;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use authgate_core::ConfigError;
use authgate_users::UserFileError;

/// Why the program cannot do what it was asked: one line for the person who asked.
#[derive(Debug)]
pub(crate) struct Failure(String);

impl Failure {
    pub(crate) fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }

    /// A failure that a file is to blame for.
    pub(crate) fn at(path: &Path, what: impl Display) -> Self {
        Self(format!("{}: {what}", path.display()))
    }

    /// Says so on stderr, on one line whatever the text holds, and ends with 2.
    pub(crate) fn report(self) -> ExitCode {
        let line: String = self.0.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        // Nobody is left to tell if stderr is closed.
        let _ = writeln!(io::stderr().lock(), "authgate: {line}");
        ExitCode::from(2)
    }
}

/// The flags behind the settings that a [`ConfigError`] names.
const FLAGS: [(&str, &str); 8] = [
    ("mount", "--mount"),
    ("algorithms", "--algorithm"),
    ("audience", "--audience"),
    ("issuer", "--issuer"),
    ("session_idle", "--session-idle"),
    ("session_lifetime", "--session-lifetime"),
    ("session_renewal", "--session-idle"),
    ("session_secret", "--session-secret-file"),
];

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let flag = FLAGS.iter().find(|(field, _)| *field == error.field());
        Self(flag.map_or(error.clone(), |(_, flag)| error.renamed(flag)).to_string())
    }
}

impl From<UserFileError> for Failure {
    fn from(error: UserFileError) -> Self {
        Self(error.to_string())
    }
}
