//! `authgate`: the program. It shows the gate before a dashboard of its own, and makes keys and tokens to try it with.

mod cli;
mod demo;
mod failure;
mod keys;
mod mint;
mod output;
mod serve;

use std::process::ExitCode;

use clap::Parser as _;

use crate::cli::{Cli, Command};

fn main() -> ExitCode {
    let done = match Cli::try_parse() {
        Ok(Cli { command: Command::Demo(options) }) => serve::demo(&options),
        Ok(Cli { command: Command::Token(options) }) => mint::token(&options),
        Ok(Cli { command: Command::Secret }) => mint::secret(),
        Err(error) => cli::explain(&error),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
