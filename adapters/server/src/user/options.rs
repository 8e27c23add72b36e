use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Add a user; the first one makes the file
    Add(AddOptions),
    /// Show who is in the file
    List(ListOptions),
    /// Give a user a new password
    #[command(after_help = "Example:\n  authgate user password --file users.toml --id ada")]
    Password(Whom),
    /// Keep a user from signing in, and end their sessions
    #[command(after_help = "Example:\n  authgate user disable --file users.toml --id ada")]
    Disable(Whom),
    /// Let a user sign in again
    #[command(after_help = "Example:\n  authgate user enable --file users.toml --id ada")]
    Enable(Whom),
    /// Remove a user, and end their sessions
    #[command(after_help = "Example:\n  authgate user remove --file users.toml --id ada")]
    Remove(Whom),
}

/// One user of one file.
#[derive(Debug, Args)]
pub(crate) struct Whom {
    /// The user file
    #[arg(long, value_name = "FILE")]
    pub(super) file: PathBuf,
    /// What the user signs in with
    #[arg(long, value_name = "ID")]
    pub(super) id: String,
}

#[derive(Debug, Args)]
#[command(after_help = "\
The password is typed at the terminal, where it is not shown, or is one line on stdin.

Examples:
  authgate user add --file users.toml --id ada --name 'Ada Lovelace' --admin
  authgate user add --file users.toml --id bob --role ops --role dev < password.txt")]
pub(crate) struct AddOptions {
    #[command(flatten)]
    pub(super) whom: Whom,
    /// What to call the user [default: the id]
    #[arg(long, value_name = "NAME")]
    pub(super) name: Option<String>,
    /// Make the user an administrator
    #[arg(long)]
    pub(super) admin: bool,
    /// A role of the user; may be given several times
    #[arg(long = "role", value_name = "NAME")]
    pub(super) roles: Vec<String>,
    /// If the user is in the file already, write their entry anew
    #[arg(long)]
    pub(super) replace: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
A user is outdated if their password is hashed with older parameters than today's; a new password mends that.

Examples:
  authgate user list --file users.toml
  authgate user list --file users.toml --json")]
pub(crate) struct ListOptions {
    /// The user file
    #[arg(long, value_name = "FILE")]
    pub(super) file: PathBuf,
    /// Print one line of JSON, an array, instead of a table for people
    #[arg(long)]
    pub(super) json: bool,
}
