use std::fmt;

/// A setting that the gate refuses, at construction: which one, what is wrong with it, and the remedy.
///
/// It prints as one sentence for the person who configures: `algorithms: no key fits RS256; HS* takes a secret, …`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    field: &'static str,
    problem: String,
    remedy: String,
}

impl ConfigError {
    /// The setting, what is wrong with it, and what to do about it.
    pub fn new(field: &'static str, problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { field, problem: problem.into(), remedy: remedy.into() }
    }

    /// The setting that was refused, as the builder names it.
    pub fn field(&self) -> &'static str {
        self.field
    }

    /// What is wrong with it.
    pub fn problem(&self) -> &str {
        &self.problem
    }

    /// What to do about it.
    pub fn remedy(&self) -> &str {
        &self.remedy
    }

    /// The same error under the name that another front door (a command line, a keyword) gives the setting.
    #[must_use]
    pub fn renamed(mut self, field: &'static str) -> Self {
        self.field = field;
        self
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.field, self.problem, self.remedy)
    }
}

impl std::error::Error for ConfigError {}
