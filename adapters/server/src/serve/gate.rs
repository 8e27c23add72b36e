//! The gate that the settings describe, or everything that it refuses.

use std::collections::BTreeSet;
use std::time::Duration;

use authgate_core::{
    Access, ConfigError, Gate, GateBuilder, KeySet, PasswordBackend, Rule, SealingKey, Sessions, Sharing,
    Upstream,
};

use super::entries;
use super::plan::Kept;
use super::problems::Problems;
use super::proof::Proof;
use super::settings::Settings;
use crate::keys::NamedSource;

/// The gate. Whatever it refuses is told and left out, and the rest is tried again, until all is told.
pub(super) fn gate(
    settings: &Settings,
    sharing: Option<Sharing>,
    kept: &mut Kept,
    problems: &mut Problems,
) -> (Option<Gate>, Option<(NamedSource, KeySet)>) {
    let rules = entries::rules(&settings.rule, problems);
    let mut proof = Proof::of(settings, kept, problems);
    let mut left_out = entries::unusable(settings, problems);
    loop {
        let attempt = Attempt { settings, sharing, left_out: &left_out, rules: &rules };
        let refusal = match attempt.gate(&mut proof, kept.gate.as_ref()) {
            Ok(gate) => return (Some(gate), proof.keys),
            Err(refusal) => refusal,
        };
        problems.refuse(&refusal);
        if !left_out.insert(refusal.field()) {
            return (None, None);
        }
    }
}

/// The settings without those that have been refused already.
struct Attempt<'a> {
    settings: &'a Settings,
    sharing: Option<Sharing>,
    left_out: &'a BTreeSet<&'static str>,
    rules: &'a [Rule],
}

impl Attempt<'_> {
    fn gate(&self, proof: &mut Proof, before: Option<&Gate>) -> Result<Gate, ConfigError> {
        let builder = self.network(self.paths(self.backends(proof)?)).upstream(self.upstream());
        // Without proxies that are trusted there is none that could ask.
        let is_asked = self.settings.is_forward_auth() && self.says("trusted_proxies");
        let builder = if is_asked { builder.forward_auth() } else { builder };
        let builder = self.rights(builder)?;
        // Without people who sign in there is nothing to share.
        let builder = match self.sharing.filter(|_| proof.by_password) {
            Some(sharing) => builder.sharing(sharing),
            None => builder,
        };
        match before {
            Some(before) => builder.succeeding(before),
            None => builder,
        }
        .build()
    }

    fn says(&self, field: &str) -> bool {
        !self.left_out.contains(field)
    }

    /// A setting, unless it has been refused.
    fn said<T>(&self, field: &str, setting: Option<T>) -> Option<T> {
        setting.filter(|_| self.says(field))
    }

    /// The tokens' backend is for the first try: where that fails nothing is served, and they have been judged already.
    fn backends(&self, proof: &mut Proof) -> Result<GateBuilder, ConfigError> {
        let (by_password, sessions) = (proof.by_password, self.sessions(proof)?);
        Ok(match proof.tokens.take() {
            Some(tokens) if by_password => {
                Gate::builder(PasswordBackend::new()).backend(tokens).sessions(sessions)
            }
            Some(tokens) => Gate::builder(tokens),
            None => Gate::builder(PasswordBackend::new()).sessions(sessions),
        })
    }

    fn sessions(&self, proof: &Proof) -> Result<Sessions, ConfigError> {
        let sessions = if proof.sealing.is_empty() {
            Sessions::records()
        } else {
            let keys = proof.sealing.iter().map(|secret| SealingKey::new(secret.bytes.expose()));
            Sessions::sealed(keys.collect::<Result<Vec<_>, _>>()?)
        };
        let settings = self.settings;
        let sessions = match self.said("cookie_name", settings.cookie_name.as_deref()) {
            Some(name) => sessions.cookie_name(name),
            None => sessions,
        };
        let lifetime = self.said("session_lifetime", settings.session_lifetime);
        let sessions = match lifetime {
            Some(lifetime) => sessions.lifetime(lifetime.0),
            // Long enough not to be another reason to refuse the idle time.
            None if !self.says("session_lifetime") => sessions.lifetime(Duration::from_hours(24 * 365)),
            None => sessions,
        };
        Ok(match self.said("session_idle", settings.session_idle) {
            Some(idle) => sessions.idle(idle.0),
            None => sessions,
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
        // Rules that let networks pass need hosts: where these are wrong, that has been told, and any others will do.
        let hosts = if self.says("allowed_hosts") {
            settings.allowed_hosts.clone()
        } else {
            vec!["localhost".to_owned()]
        };
        if let Some(family) = self.said("forwarded_fields", settings.forwarded_fields) {
            builder = builder.forwarded_fields(family.into());
        }
        builder
            .trusted_proxies(list("trusted_proxies", &settings.trusted_proxies))
            .allowed_hosts(hosts)
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
