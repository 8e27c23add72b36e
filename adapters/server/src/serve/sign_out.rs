//! `authgate sign-out`: ends all sessions of a user at every gate that shares a store.

use std::path::{Path, PathBuf};
use std::time::Duration;

use authgate_tower::SharedStore as _;
use clap::builder::NonEmptyStringValueParser;
use clap::{ArgGroup, Args};

use super::names::Names;
use super::plan::load;
use super::problems::Problems;
use super::settings::Settings;
use super::stores::{RedisUrl, Store};
use crate::failure::Failure;
use crate::log;
use crate::output::say;

#[derive(Debug, Args)]
#[group(id = "where")]
#[command(group(ArgGroup::new("which").args(["config", "store"]).required(true)))]
#[command(after_help = "\
Every gate that shares the Redis refuses the user's sessions within its revocation_delay, half a second unless set otherwise; \
streams end a second later at most. Whoever may sign in can do so again: to keep a user out, disable them first.

Examples:
  authgate sign-out ada --config authgate.toml
  authgate sign-out ada --store redis://127.0.0.1:6379/0")]
pub(crate) struct SignOutOptions {
    /// The user's id
    #[arg(value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    user: String,
    /// The configuration of a gate that names the Redis
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The Redis itself
    #[arg(long, value_name = "REDIS")]
    store: Option<RedisUrl>,
    /// What goes before every key in Redis [default: authgate:]
    #[arg(long, value_name = "TEXT", conflicts_with = "config")]
    redis_prefix: Option<String>,
    /// A PEM file with certificates that are trusted for `rediss://`, beside the system's
    #[arg(long, value_name = "FILE", conflicts_with = "config")]
    redis_ca_file: Option<PathBuf>,
}

/// Tells the store, and nobody else.
pub(crate) fn sign_out(options: &SignOutOptions) -> Result<(), Failure> {
    log::start()?;
    let (settings, mut problems) = settings(options)?;
    let shared = settings.shared(None, &mut problems);
    let Some(shared) = problems.unless_any(Some(shared))? else {
        let file = options.config.as_deref().unwrap_or(Path::new("")).display();
        return Err(Failure::new(format!(
            "{file}: its gates share no store; set session_store to a Redis, or revocation_store"
        )));
    };
    let (user, store) = (&options.user, &shared.store.store);
    let is_used = smol::block_on(async {
        store.end_user(user.clone(), Duration::ZERO).await?;
        store.is_used().await
    });
    match is_used {
        Ok(true) => say(&format!("{user:?} is signed out at every gate that shares {store}")),
        Ok(false) => Err(Failure::new(format!(
            "no gate has ever asked {store}; is this the Redis of your gates, and their redis_prefix?"
        ))),
        Err(why) => Err(Failure::new(format!(
            "{user:?} has not been signed out: {why}; try again when it answers, or correct its address or its account"
        ))),
    }
}

fn settings(options: &SignOutOptions) -> Result<(Settings, Problems), Failure> {
    if options.config.is_some() {
        return Ok(load(&Settings::default(), options.config.as_deref())?);
    }
    let settings = Settings {
        session_store: options.store.clone().map(Store::Redis),
        redis_prefix: options.redis_prefix.clone(),
        redis_ca_file: options.redis_ca_file.clone(),
        // Whoever these are.
        users_file: Some(PathBuf::new()),
        ..Settings::default()
    };
    if options.store.as_ref().is_some_and(RedisUrl::has_password) {
        tracing::warn!(
            target: "authgate",
            "--store: everybody on this machine can read the password in a flag; name a configuration with --config instead"
        );
    }
    Ok((settings, Problems::of(Names::of_store())))
}
