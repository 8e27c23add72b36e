use std::io::{self, IsTerminal as _};

use authgate_core::Secret;

use super::{stdin, terminal};
use crate::failure::Failure;

/// The hash of a password that somebody chooses now: at the terminal, or with one line on stdin.
pub(super) fn hash_of_new(prompt: &str) -> Result<String, Failure> {
    if io::stdin().is_terminal() {
        let (password, hash) = hash(terminal::ask(prompt)?)?;
        let again = terminal::ask("The same again")?;
        if again != password {
            return Err(Failure::new("the two passwords differ; try again"));
        }
        return Ok(hash);
    }
    let (_, hash) = hash(stdin::line()?)?;
    Ok(hash)
}

/// Hashing first tells what is wrong with a password before it is typed again.
fn hash(password: Secret<String>) -> Result<(Secret<String>, String), Failure> {
    let hash = authgate_users::hash_password(&password).map_err(|error| Failure::new(error.to_string()))?;
    Ok((password, hash))
}
