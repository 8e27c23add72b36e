//! Who can prove what: the users, the keys of tokens, and what seals sessions.

use std::sync::Arc;

use authgate_core::{JwtBackend, KeySet, SealingKey};

use super::plan::Kept;
use super::problems::Problems;
use super::settings::Settings;
use super::stores::Store;
use crate::failure::Failure;
use crate::keys::{FoundSecret, NamedSource, SECRET_VARIABLE, TokenFault, TokenKeys, TokenSettings, Tokens};

/// How people and programs can prove who they are. Each file is read once: it may be a pipe.
pub(super) struct Proof {
    pub(super) by_password: bool,
    /// None if there are none, or if something about them is wrong.
    pub(super) tokens: Option<JwtBackend>,
    /// Where the keys of tokens are fetched from, and what for, if a provider publishes them.
    pub(super) keys: Option<(NamedSource, KeySet)>,
    /// What seals sessions into cookies; none where they are elsewhere.
    pub(super) sealing: Vec<Arc<FoundSecret>>,
}

impl Proof {
    /// Where nobody can prove anything, the rest is judged as if people could sign in.
    pub(super) fn of(settings: &Settings, kept: &mut Kept, problems: &mut Problems) -> Self {
        let mut is_whole = true;
        let keys = TokenKeys::read(&settings.tokens(), |key, failure| {
            is_whole = false;
            blame(key, failure, settings, problems);
        });
        let by_password = settings.users_file.is_some();
        let files =
            ["users_file", "jwt_secret_file", "public_key_file", "jwks_file", "jwks_url", "jwks_ca_file"];
        if is_whole && keys.is_empty() && !by_password && !files.iter().any(|key| problems.are_about(key)) {
            problems.say(
                "users_file",
                format!(
                    "nobody could prove who they are; name a file of users (`authgate user add` makes one), a \
                     jwt_secret_file (or {SECRET_VARIABLE}), a public_key_file, a jwks_file or a jwks_url"
                ),
            );
        }
        let demands = demands(settings, problems);
        let tokens =
            (is_whole && !keys.is_empty()).then(|| tokens(keys, &demands, settings, problems)).flatten();
        let source = tokens.as_ref().and_then(|tokens| tokens.source.clone());
        let tokens = tokens.map(|tokens| tokens.backend);
        let keys = source.zip(tokens.as_ref().and_then(|tokens| tokens.key_set().cloned()));
        Self { by_password, tokens, keys, sealing: sealing(settings, kept, problems) }
    }
}

/// What tokens must say, without whatever nobody could demand.
fn demands<'s>(settings: &'s Settings, problems: &mut Problems) -> TokenSettings<'s> {
    let mut demands = settings.tokens();
    for (key, names) in [("audience", &mut demands.audience), ("issuer", &mut demands.issuer)] {
        if names.iter().any(String::is_empty) {
            problems.say(key, "a name in it is empty; write it, or leave it out");
            *names = &[];
        }
    }
    demands
}

fn tokens(
    keys: TokenKeys,
    demands: &TokenSettings<'_>,
    settings: &Settings,
    problems: &mut Problems,
) -> Option<Tokens> {
    match keys.backend(demands) {
        Ok(tokens) => return Some(tokens),
        Err(TokenFault::Secret(failure)) => blame("jwt_secret_file", failure, settings, problems),
        Err(TokenFault::Setting(error)) => problems.refuse(&error),
    }
    None
}

/// Tells of a file that a key names. A secret from the environment says itself where it is from.
fn blame(key: &'static str, failure: Failure, settings: &Settings, problems: &mut Problems) {
    if key == "jwt_secret_file" && settings.jwt_secret_file.is_none() {
        problems.fail(failure);
    } else {
        problems.say(key, failure.into_sentence());
    }
}

/// The secrets in the files, or else one of this run, which is made when it is first needed.
fn sealing(settings: &Settings, kept: &mut Kept, problems: &mut Problems) -> Vec<Arc<FoundSecret>> {
    if settings.store() != Store::Cookie {
        return Vec::new();
    }
    if settings.session_secret_files.is_empty() {
        if kept.sealing.is_none() {
            let fresh = FoundSecret::fresh().map_err(|failure| problems.fail(failure));
            kept.sealing = fresh.ok().map(Arc::new);
        }
        return kept.sealing.iter().cloned().collect();
    }
    let mut secrets = Vec::new();
    for path in &settings.session_secret_files {
        let good = FoundSecret::in_file(path).and_then(|secret| {
            // Whether it is good enough; the key itself is made anew for each gate.
            SealingKey::new(secret.bytes.expose())
                .map_err(|error| Failure::at(path, format!("{}; {}", error.problem(), error.remedy())))?;
            Ok(Arc::new(secret))
        });
        match good {
            Ok(secret) => secrets.push(secret),
            Err(failure) => problems.say("session_secret_files", failure.into_sentence()),
        }
    }
    secrets
}
