//! `authgate user` and `authgate hash-password`: the file of those who may sign in.

mod change;
mod list;
mod options;
mod password;
mod stdin;
mod terminal;

pub(crate) use self::options::UserCommand;
use crate::failure::Failure;
use crate::output::say;

/// `authgate user`
pub(crate) fn run(command: &UserCommand) -> Result<(), Failure> {
    match command {
        UserCommand::Add(options) => change::add(options),
        UserCommand::List(options) => list::list(options),
        UserCommand::Password(whom) => change::password(whom),
        UserCommand::Disable(whom) => change::disable(whom),
        UserCommand::Enable(whom) => change::enable(whom),
        UserCommand::Remove(whom) => change::remove(whom),
    }
}

/// `authgate hash-password`
pub(crate) fn hash_password() -> Result<(), Failure> {
    say(&password::hash_of_new("Password")?)
}
