use std::fmt;
use std::path::{Path, PathBuf};

/// Why a user file cannot be read or changed: where, who, what is wrong, and the remedy.
///
/// It prints as one line, without any password or hash:
/// `users.toml:7: user "ada": roles is not a list of names; write it like roles = ["ops"]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserFileError {
    path: PathBuf,
    line: Option<usize>,
    user: Option<String>,
    problem: String,
    remedy: String,
}

impl UserFileError {
    pub(crate) fn new(path: &Path, problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line: None, user: None, problem: problem.into(), remedy: remedy.into() }
    }

    pub(crate) fn at_line(self, line: Option<usize>) -> Self {
        Self { line, ..self }
    }

    pub(crate) fn about(self, user: Option<&str>) -> Self {
        Self { user: user.map(str::to_owned), ..self }
    }

    /// The user file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The line that is to blame, if it is one.
    pub fn line(&self) -> Option<usize> {
        self.line
    }

    /// The id of the user whose entry is to blame, if it is one.
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// What is wrong.
    pub fn problem(&self) -> &str {
        &self.problem
    }

    /// What to do about it.
    pub fn remedy(&self) -> &str {
        &self.remedy
    }
}

impl fmt::Display for UserFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = self.line.map(|line| format!(":{line}")).unwrap_or_default();
        let user = self.user.as_ref().map(|id| format!("user \"{id}\": ")).unwrap_or_default();
        let text = format!("{}{line}: {user}{}; {}", self.path.display(), self.problem, self.remedy);
        f.write_str(&text.replace(is_odd, " "))
    }
}

impl std::error::Error for UserFileError {}

/// Whether a character could begin another line, or turn this one around.
pub(crate) fn is_odd(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_line_whatever_the_path_holds() {
        let error = UserFileError::new(Path::new("a\nb\u{202e}"), "is missing", "add a user");
        assert_eq!(error.to_string(), "a b : is missing; add a user");
        let error = error.at_line(Some(7)).about(Some("ada"));
        assert_eq!(error.to_string(), "a b :7: user \"ada\": is missing; add a user");
    }
}
