use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use authgate_core::Algorithm;
use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand, ValueEnum};
use serde::Deserialize;

use crate::failure::Failure;
use crate::output::say;
use crate::serve::{CheckOptions, ExplainOptions, ServeOptions, SignOutOptions};
use crate::user::UserCommand;

/// An authentication gate in front of web dashboards.
#[derive(Debug, Parser)]
#[command(name = "authgate", version, after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  authgate demo                                   a dashboard that lets nobody in without proof
  authgate secret > secret.txt                    a fresh key
  authgate token --secret-file secret.txt --sub ada --admin
  authgate demo --jwt-secret-file secret.txt      accepts that token
  authgate user add --file users.toml --id ada    asks for ada's password
  authgate demo --users-file users.toml           lets ada sign in
  authgate serve --upstream http://127.0.0.1:5555 --users-file users.toml
                                                  lets ada in to the dashboard there
  authgate check --config authgate.toml           what is wrong with a configuration, if anything";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Stand in front of a dashboard: as a reverse proxy, or for a proxy that asks
    Serve(Box<ServeOptions>),
    /// Name everything that is wrong with a configuration of `authgate serve`
    Check(CheckOptions),
    /// Say which rule of a configuration decides on a request, and why
    Explain(ExplainOptions),
    /// Sign a user out at every gate that shares a store
    #[command(name = "sign-out")]
    SignOut(SignOutOptions),
    /// Show a built-in job-queue dashboard behind the gate
    Demo(DemoOptions),
    /// Make a token to try a gate with (for production, use an identity provider)
    Token(TokenOptions),
    /// Print a fresh HMAC secret, long enough for HS256, HS384 and HS512
    #[command(after_help = "Example:\n  authgate secret > secret.txt && chmod 600 secret.txt")]
    Secret,
    /// Edit a file of users, who may sign in to `authgate serve` and `authgate demo` with `--users-file FILE`
    #[command(subcommand, after_help = USER_EXAMPLES)]
    User(UserCommand),
    /// Print the hash of a password, for a user file that is written by other means
    #[command(name = "hash-password", after_help = HASH_EXAMPLES)]
    HashPassword,
}

const USER_EXAMPLES: &str = "\
A password is typed at the terminal, where it is not shown, or is one line on stdin; it is never an argument.
A gate that is running follows the file: whoever is removed or disabled, or has a new password, is signed out.

Examples:
  authgate user add --file users.toml --id ada --name 'Ada Lovelace' --admin
  authgate user list --file users.toml
  authgate user password --file users.toml --id ada < password.txt
  authgate demo --users-file users.toml
  authgate serve --upstream http://127.0.0.1:5555 --users-file users.toml";

const HASH_EXAMPLES: &str = "\
The password is typed at the terminal, where it is not shown, or is one line on stdin.
The hash (argon2id, in the PHC format) goes into a user's entry as password = \"…\".

Examples:
  authgate hash-password
  authgate hash-password < password.txt";

#[derive(Debug, Args)]
#[command(after_help = "\
People sign in with the username and password that are printed, or as a user of yours (--users-file); programs send a \
token. A ready administrator's token is printed, signed with a fresh secret or with yours; whoever else trusts that secret \
trusts the token as well. With public keys alone there is none.
A secret is read from a file or from the environment variable AUTHGATE_JWT_SECRET, never from an argument.
AUTHGATE_LOG chooses what is logged on stderr: error, warn, info (the default), debug.

Examples:
  authgate demo
  authgate demo --listen 127.0.0.1:0 --runtime smol --json
  authgate demo --jwt-secret-file secret.txt --audience dashboard
  authgate demo --jwks-file keys.json --algorithm RS256 --algorithm ES256
  authgate demo --users-file users.toml --session-store cookie --session-secret-file sealing.txt")]
pub(crate) struct DemoOptions {
    /// The address and port to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080", value_parser = address)]
    pub(crate) listen: SocketAddr,
    /// The path that the dashboard is reached under
    #[arg(long, value_name = "PATH", default_value = "/ops")]
    pub(crate) mount: String,
    /// The runtime that drives it
    #[arg(long, value_enum, default_value_t = Runtime::Tokio)]
    pub(crate) runtime: Runtime,
    /// Print one line of JSON (url, mount, token, username, password) instead of text for people
    #[arg(long)]
    pub(crate) json: bool,
    /// A file with the HMAC secret of the tokens; a line's end after it does not count
    #[arg(long, value_name = "FILE")]
    pub(crate) jwt_secret_file: Option<PathBuf>,
    /// A PEM file with a public key of the tokens
    #[arg(long, value_name = "FILE")]
    pub(crate) public_key_file: Option<PathBuf>,
    /// A JWK Set with public keys of the tokens
    #[arg(long, value_name = "FILE")]
    pub(crate) jwks_file: Option<PathBuf>,
    /// An algorithm that tokens may be signed with; may be given several times [default: HS256]
    #[arg(long = "algorithm", value_name = "NAME")]
    pub(crate) algorithms: Vec<Algorithm>,
    /// An audience that tokens must name; may be given several times
    #[arg(long, value_name = "NAME")]
    pub(crate) audience: Vec<String>,
    /// An issuer that tokens must name; may be given several times
    #[arg(long, value_name = "NAME")]
    pub(crate) issuer: Vec<String>,
    /// A file with the users who may sign in (see `authgate user`), instead of one with a random password
    #[arg(long, value_name = "FILE")]
    pub(crate) users_file: Option<PathBuf>,
    /// Where sessions are kept: in this process's memory, or sealed into the cookie itself
    #[arg(long, value_enum, value_name = "STORE", default_value_t = SessionStore::Memory)]
    pub(crate) session_store: SessionStore,
    /// A file with a secret that seals sessions into cookies, and nothing else; several rotate: the first seals, all of them
    /// open. Who shares it shares sign-ins
    #[arg(long = "session-secret-file", value_name = "FILE")]
    pub(crate) session_secret_files: Vec<PathBuf>,
    /// How long a session may be unused, such as 90s, 15m or 1h [default: 30m, or the lifetime if that is less]
    #[arg(long, value_name = "SPAN", value_parser = humantime::parse_duration)]
    pub(crate) session_idle: Option<Duration>,
    /// How long a session lives at most
    #[arg(long, value_name = "SPAN", default_value = "12h", value_parser = humantime::parse_duration)]
    pub(crate) session_lifetime: Duration,
    /// Let in administrators only
    #[arg(long)]
    pub(crate) admins_only: bool,
    /// Let in users with this role only; may be given several times
    #[arg(long = "role", value_name = "NAME")]
    pub(crate) roles: Vec<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
The secret is read from the file, or else from the environment variable AUTHGATE_JWT_SECRET.

Examples:
  authgate token --secret-file secret.txt --sub ada --name 'Ada Lovelace' --admin
  authgate token --secret-file secret.txt --sub ci --role viewer --ttl 15m --audience dashboard")]
pub(crate) struct TokenOptions {
    /// A file with the HMAC secret; a line's end after it does not count
    #[arg(long, value_name = "FILE")]
    pub(crate) secret_file: Option<PathBuf>,
    /// The user's id (claim `sub`)
    #[arg(long, value_name = "ID")]
    pub(crate) sub: String,
    /// The user's name (claim `name`)
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Make the user an administrator (claim `is_admin`)
    #[arg(long)]
    pub(crate) admin: bool,
    /// A role of the user (claim `roles`); may be given several times
    #[arg(long = "role", value_name = "NAME")]
    pub(crate) roles: Vec<String>,
    /// How long the token is valid, such as 90s, 15m, 1h or 7d
    #[arg(long, value_name = "SPAN", default_value = "1h", value_parser = humantime::parse_duration)]
    pub(crate) ttl: Duration,
    /// The algorithm to sign with: HS256, HS384 or HS512
    #[arg(long, value_name = "NAME", default_value_t = Algorithm::HS256)]
    pub(crate) alg: Algorithm,
    /// An audience (claim `aud`); may be given several times
    #[arg(long, value_name = "NAME")]
    pub(crate) audience: Vec<String>,
    /// The issuer (claim `iss`)
    #[arg(long, value_name = "NAME")]
    pub(crate) issuer: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SessionStore {
    Memory,
    Cookie,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Runtime {
    Tokio,
    Smol,
}

pub(crate) fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse()
        .map_err(|_| "write an IP address and a port, such as 127.0.0.1:8080 or [::1]:8080".to_owned())
}

/// Help is not a mistake; a mistake is told on one line, with clap's hint where it has one.
pub(crate) fn explain(error: &clap::Error) -> Result<(), Failure> {
    let text = error.to_string();
    if matches!(
        error.kind(),
        ErrorKind::DisplayHelp
            | ErrorKind::DisplayVersion
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    ) {
        return say(text.trim_end());
    }
    let told = text.lines().take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more"));
    let words: Vec<_> = told.flat_map(str::split_whitespace).collect();
    let sentence = words.join(" ");
    Err(Failure::new(sentence.strip_prefix("error: ").unwrap_or(&sentence)))
}
