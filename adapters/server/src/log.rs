use std::env;
use std::io::{self, IsTerminal as _};

use tracing_subscriber::EnvFilter;

use crate::failure::Failure;

/// Logs to stderr, as much as `AUTHGATE_LOG` (or, failing that, `RUST_LOG`) asks for.
pub(crate) fn start() -> Result<(), Failure> {
    let found = ["AUTHGATE_LOG", "RUST_LOG"].into_iter().find_map(|name| Some((name, env::var(name).ok()?)));
    let (name, wanted) = found.unwrap_or(("", "info".to_owned()));
    let filter = EnvFilter::try_new(wanted)
        .map_err(|error| Failure::new(format!("{name}: {error}; set it to info")))?;
    let format = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    format.with_ansi(io::stderr().is_terminal()).init();
    Ok(())
}
