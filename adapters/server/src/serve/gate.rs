//! The gate that the settings describe, or everything that it refuses.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use authgate_core::{
    Access, ConfigError, Gate, GateBuilder, JwtBackend, PasswordBackend, Rule, SealingKey, Sessions, Upstream,
};

use super::plan::Kept;
use super::problems::Problems;
use super::settings::{RuleTable, Settings, Span};
use crate::cli::SessionStore;
use crate::failure::Failure;
use crate::keys::{FoundSecret, SECRET_VARIABLE, TokenKeys};
use crate::sessions;

/// The gate. Whatever it refuses is told and left out, and the rest is tried again, until all is told.
pub(super) fn gate(settings: &Settings, kept: &mut Kept, problems: &mut Problems) -> Option<Gate> {
    let rules = rules(&settings.rule, problems);
    let proof = proof(settings, problems);
    let mut sealing = kept.sealing.take();
    let mut left_out = BTreeSet::new();
    let gate = loop {
        let attempt = Attempt { settings, left_out: &left_out, rules: &rules, proof: &proof };
        let refusal = match attempt.gate(&mut sealing, kept.gate.as_ref()) {
            Ok(gate) => break gate,
            Err(refusal) => refusal,
        };
        if !left_out.insert(refusal.field()) {
            return None;
        }
        match refusal {
            Refusal::Setting(error) => problems.refuse(&error),
            Refusal::Other(_, failure) => problems.fail(failure),
        }
    };
    kept.sealing = sealing;
    Some(gate)
}

/// How people and programs can prove who they are.
struct Proof {
    by_password: bool,
    by_token: bool,
}

/// Where nobody can prove anything, the rest is judged as if people could sign in.
fn proof(settings: &Settings, problems: &mut Problems) -> Proof {
    let by_password = settings.users_file.is_some();
    let by_token = match TokenKeys::find(&settings.tokens()) {
        Ok(keys) => !keys.is_empty(),
        Err(failure) => {
            problems.fail(failure);
            return Proof { by_password: true, by_token: false };
        }
    };
    if by_password || by_token {
        return Proof { by_password, by_token };
    }
    problems.say(
        "users_file",
        format!(
            "nobody could prove who they are; name a file of users (`authgate user add` makes one), a jwt_secret_file \
             (or {SECRET_VARIABLE}), a public_key_file or a jwks_file"
        ),
    );
    Proof { by_password: true, by_token: false }
}

/// The rules that can be read; what is wrong with the others is told.
fn rules(tables: &[RuleTable], problems: &mut Problems) -> Vec<Rule> {
    let mut rules = Vec::new();
    for (place, table) in tables.iter().enumerate() {
        match rule(table) {
            Ok(rule) => rules.push(rule),
            Err(problem) => problems.say("rule", format!("rule {}: {problem}", place + 1)),
        }
    }
    rules
}

fn rule(table: &RuleTable) -> Result<Rule, String> {
    let RuleTable { path, methods, allow } = table;
    let methods = methods.as_deref().unwrap_or_default();
    if table.methods.is_some() && methods.is_empty() {
        return Err("methods: it is empty; name some, or leave it out for all".to_owned());
    }
    Rule::parse(path, &texts(methods), &texts(allow))
        .map_err(|error| format!("{}; {}", error.problem(), error.remedy()))
}

fn texts(list: &[String]) -> Vec<&str> {
    list.iter().map(String::as_str).collect()
}

/// Why there is no gate yet.
enum Refusal {
    Setting(ConfigError),
    Other(&'static str, Failure),
}

impl Refusal {
    fn field(&self) -> &'static str {
        match self {
            Self::Setting(error) => error.field(),
            Self::Other(field, _) => field,
        }
    }
}

/// The settings without those that have been refused already.
struct Attempt<'a> {
    settings: &'a Settings,
    left_out: &'a BTreeSet<&'static str>,
    rules: &'a [Rule],
    proof: &'a Proof,
}

impl Attempt<'_> {
    fn gate(&self, sealing: &mut Option<Arc<FoundSecret>>, before: Option<&Gate>) -> Result<Gate, Refusal> {
        let sessions = self.sessions(sealing).map_err(|failure| Refusal::Other("session_secret", failure))?;
        let builder = self.network(self.paths(self.backends(sessions)?)).upstream(self.upstream());
        let builder = if self.settings.is_forward_auth() { builder.forward_auth() } else { builder };
        let builder = self.rights(builder).map_err(Refusal::Setting)?;
        let builder = match before {
            Some(before) => builder.succeeding(before),
            None => builder,
        };
        builder.build().map_err(Refusal::Setting)
    }

    fn says(&self, field: &str) -> bool {
        !self.left_out.contains(field)
    }

    /// A setting, unless it has been refused.
    fn said<T>(&self, field: &str, setting: Option<T>) -> Option<T> {
        setting.filter(|_| self.says(field))
    }

    fn sessions(&self, sealing: &mut Option<Arc<FoundSecret>>) -> Result<Sessions, Failure> {
        let settings = self.settings;
        let fresh = || {
            let secret = match sealing.take() {
                Some(secret) => secret,
                None => Arc::new(FoundSecret::fresh()?),
            };
            let key = SealingKey::new(secret.bytes.expose())?;
            *sealing = Some(secret);
            Ok(key)
        };
        let (store, files) = match settings.store() {
            store if self.says("session_secret") => (store, settings.session_secret_files.as_slice()),
            _ => (SessionStore::Memory, &[][..]),
        };
        let files = if store == SessionStore::Memory { &[][..] } else { files };
        let mut sessions = sessions::sessions(store, files, fresh)?;
        let unless = |field, span: Option<Span>, or| {
            if self.says(field) { span.map_or(or, |span| span.0) } else { or }
        };
        sessions = sessions.idle(unless("session_idle", settings.session_idle, Duration::from_mins(30)));
        Ok(sessions.lifetime(unless("session_lifetime", settings.session_lifetime, Duration::from_hours(12))))
    }

    fn backends(&self, sessions: Sessions) -> Result<GateBuilder, Refusal> {
        let Proof { by_password, by_token } = *self.proof;
        let tokens = (by_token && self.says("tokens")).then(|| tokens(self.settings)).transpose();
        Ok(match tokens.map_err(|failure| Refusal::Other("tokens", failure))? {
            Some(tokens) if by_password => {
                Gate::builder(PasswordBackend::new()).backend(tokens).sessions(sessions)
            }
            Some(tokens) => Gate::builder(tokens),
            None => Gate::builder(PasswordBackend::new()).sessions(sessions),
        })
    }

    fn paths(&self, mut builder: GateBuilder) -> GateBuilder {
        let settings = self.settings;
        if let Some(mount) = self.said("mount", settings.mount.as_deref()) {
            builder = builder.mount(mount);
        }
        if let Some(path) = self.said("login_path", settings.login_path.as_deref()) {
            builder = builder.login_path(path);
        }
        if let Some(path) = self.said("logout_path", settings.logout_path.as_deref()) {
            builder = builder.logout_path(path);
        }
        if let Some(title) = self.said("title", settings.title.as_deref()) {
            builder = builder.title(title);
        }
        for path in settings.public_paths.iter().filter(|_| self.says("public_path")) {
            builder = builder.public_path(path);
        }
        for path in settings.public_prefixes.iter().filter(|_| self.says("public_prefix")) {
            builder = builder.public_prefix(path);
        }
        builder
    }

    fn network(&self, mut builder: GateBuilder) -> GateBuilder {
        let settings = self.settings;
        let list =
            |field, entries: &'_ [String]| if self.says(field) { entries.to_vec() } else { Vec::new() };
        if let Some(family) = self.said("forwarded_fields", settings.forwarded_fields) {
            builder = builder.forwarded_fields(family.into());
        }
        builder
            .trusted_proxies(list("trusted_proxies", &settings.trusted_proxies))
            .allowed_hosts(list("allowed_hosts", &settings.allowed_hosts))
            .allowed_networks(list("allowed_networks", &settings.allowed_networks))
            .identity_headers(list("identity_headers", &settings.identity_headers))
            .require_tls(settings.require_tls.unwrap_or(true))
    }

    fn upstream(&self) -> Upstream {
        let settings = self.settings;
        let mut upstream = Upstream::new();
        if let Some(name) = self.said("user_header", settings.user_header.as_deref()) {
            upstream = upstream.user_header(name);
        }
        if let Some(name) = self.said("roles_header", settings.roles_header.as_deref()) {
            upstream = upstream.roles_header(name);
        }
        if settings.pass_authorization == Some(true) {
            upstream = upstream.pass_authorization();
        }
        if settings.strip_mount == Some(true) { upstream.strip_mount() } else { upstream }
    }

    fn rights(&self, builder: GateBuilder) -> Result<GateBuilder, ConfigError> {
        let settings = self.settings;
        let access = if settings.admins_only == Some(true) { Access::admins() } else { Access::signed_in() };
        let access = match settings.roles.as_slice() {
            roles if !roles.is_empty() && self.says("access") => access.and_any_role(roles)?,
            _ => access,
        };
        let builder = builder.access(access);
        Ok(if self.says("rules") { builder.rules(self.rules.iter().cloned()) } else { builder })
    }
}

fn tokens(settings: &Settings) -> Result<JwtBackend, Failure> {
    let settings = settings.tokens();
    TokenKeys::find(&settings)?.backend(&settings).map(|(backend, _)| backend)
}
