use std::fmt::Display;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use authgate_core::ConfigError;
use authgate_users::UserFileError;

/// Why the program cannot do what it was asked: for the person who asked, a line for each reason, and as a rule one.
#[derive(Debug)]
pub(crate) struct Failure {
    sentences: Vec<String>,
    code: u8,
}

impl Failure {
    pub(crate) fn new(sentence: impl Into<String>) -> Self {
        Self::all(vec![sentence.into()])
    }

    /// Several reasons at once.
    pub(crate) fn all(sentences: Vec<String>) -> Self {
        Self { sentences, code: 2 }
    }

    /// The same with another exit code than 2.
    pub(crate) fn ending_with(self, code: u8) -> Self {
        Self { code, ..self }
    }

    /// All of it in one sentence.
    pub(crate) fn into_sentence(self) -> String {
        self.sentences.join("; ")
    }

    /// A failure that a file is to blame for.
    pub(crate) fn at(path: &Path, what: impl Display) -> Self {
        Self::new(format!("{}: {what}", path.display()))
    }

    /// Says so on stderr, each reason on one line whatever its text holds, and ends with 2 unless told otherwise.
    pub(crate) fn report(self) -> ExitCode {
        for sentence in self.sentences {
            let line: String = sentence.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            // Nobody is left to tell if stderr is closed.
            let _ = writeln!(io::stderr().lock(), "authgate: {line}");
        }
        ExitCode::from(self.code)
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
        Self::new(flag.map_or(error.clone(), |(_, flag)| error.renamed(flag)).to_string())
    }
}

impl From<UserFileError> for Failure {
    fn from(error: UserFileError) -> Self {
        Self::new(error.to_string())
    }
}
