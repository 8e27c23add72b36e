//! `authgate`: the program. It stands in front of a dashboard that nobody wants to change, shows the gate before one of its
//! own, makes keys and tokens to try it with, and edits the file of those who may sign in.

mod cli;
mod dashboard;
mod demo;
mod failure;
mod keys;
mod log;
mod mint;
mod output;
mod serve;
mod sessions;
mod signals;
mod user;

use std::process::ExitCode;

use clap::Parser as _;

use crate::cli::{Cli, Command};

fn main() -> ExitCode {
    let done = match Cli::try_parse() {
        Ok(Cli { command: Command::Demo(options) }) => demo::demo(&options),
        Ok(Cli { command: Command::Serve(options) }) => serve::serve(&options),
        Ok(Cli { command: Command::Check(options) }) => serve::check(&options),
        Ok(Cli { command: Command::Explain(options) }) => serve::explain(&options),
        Ok(Cli { command: Command::SignOut(options) }) => serve::sign_out(&options),
        Ok(Cli { command: Command::Token(options) }) => mint::token(&options),
        Ok(Cli { command: Command::Secret }) => mint::secret(),
        Ok(Cli { command: Command::User(command) }) => user::run(&command),
        Ok(Cli { command: Command::HashPassword }) => user::hash_password(),
        Err(error) => cli::explain(&error),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
