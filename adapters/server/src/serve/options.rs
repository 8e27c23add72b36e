//! The commands' own flags, and their help.

use std::net::IpAddr;
use std::path::PathBuf;

use authgate_core::Rule;
use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use super::settings::Settings;

#[derive(Debug, Args)]
#[command(after_help = "\
Every flag is a key of the file, too, with _ for -. What may be given several times is a list there, and in the plural but for \
audience and issuer. Rules, [[rule]], are for the file alone. A flag wins over the file. Paths in the file are relative to its \
folder.
At least one of a file of users, a secret and public keys is needed. A secret is read from a file or from the environment \
variable AUTHGATE_JWT_SECRET, never from an argument.
The dashboard must listen where only the gate can reach it. SIGHUP reads everything again.
AUTHGATE_LOG chooses what is logged on stderr: error, warn, info (the default), debug.

Examples:
  authgate serve --upstream http://127.0.0.1:5555 --users-file users.toml
  authgate serve --upstream http://127.0.0.1:9181 --users-file users.toml --trusted-proxy 127.0.0.1 --allowed-host dash.example
  authgate serve --forward-auth --trusted-proxy 127.0.0.1 --users-file users.toml
  authgate serve --config authgate.toml --admin-listen 127.0.0.1:9090")]
pub(crate) struct ServeOptions {
    /// A file with settings (see `authgate check`)
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Print one line of JSON (url, mount, admin) instead of text for people
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) settings: Settings,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Every problem is one line; the exit code is 1 if there is any. Nothing is served.

Example:
  authgate check --config authgate.toml && systemctl reload authgate")]
pub(crate) struct CheckOptions {
    /// The file to check, with everything that it names
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
}

#[derive(Debug, Args)]
#[command(after_help = "\
The exit code is 0 if the request would pass, 1 if it would be refused, and 2 if something is wrong with the question or with \
the configuration. How users prove who they are is taken for granted, and so is how the request came.

Examples:
  authgate explain --config authgate.toml GET /ops/queues --role viewer
  authgate explain --config authgate.toml WEBSOCKET /ops/live --user ada --admin
  authgate explain --config authgate.toml GET /metrics --from 10.1.2.3")]
pub(crate) struct ExplainOptions {
    /// The file with the rules
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// The request's method; a websocket's handshake is WEBSOCKET
    #[arg(value_parser = method)]
    pub(crate) method: String,
    /// The request's path, mount included, as a browser shows it
    #[arg(value_parser = path)]
    pub(crate) path: String,
    /// A role of the user; may be given several times
    #[arg(long = "role", value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) roles: Vec<String>,
    /// The user's id, with the rights that the file of users has, unless a role or --admin is given [default: somebody, if
    /// these are; else nobody]
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) user: Option<String>,
    /// The user is an administrator
    #[arg(long)]
    pub(crate) admin: bool,
    /// The client's address
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub(crate) from: IpAddr,
}

/// Whatever a rule may speak of.
fn method(text: &str) -> Result<String, String> {
    let rule = Rule::parse("/", &[text], &["signed-in"]);
    rule.map(|_| text.to_owned()).map_err(|error| error.remedy().to_owned())
}

fn path(text: &str) -> Result<String, String> {
    if text.starts_with('/') {
        return Ok(text.to_owned());
    }
    Err("write a path as a browser shows it after the host, such as /queues".to_owned())
}
