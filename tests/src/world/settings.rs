use std::time::Duration;

use authgate_core::{
    Access, Algorithm, ForwardedFields, Gate, GateBuilder, JwtBackend, Key, KeySet, KeySetLimits,
    PasswordBackend, Rule, SealingKey, Sessions, Sharing, ThrottleLimits,
};
use serde::Deserialize;

use super::directory::Directory;
use crate::forge;

/// A gate's settings, as a table of dialogues writes them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[allow(clippy::struct_excessive_bools, reason = "each is a setting of its own in the tables")]
pub struct Settings {
    /// Any of `password`, `jwt` (the secret is known), `keys` (a provider's keys are fetched), `directory` and `annex` (the
    /// same once more), in order.
    pub backends: Vec<String>,
    /// Whom tokens must be for.
    pub audience: Vec<String>,
    /// Who must have issued them.
    pub issuer: Vec<String>,
    /// `sealed` into the cookie, which is all there is to them then; or `records` in a store.
    pub sessions: String,
    /// How long a session may be unused, in seconds.
    pub idle: Option<u64>,
    /// How long a session lives, in seconds.
    pub lifetime: Option<u64>,
    /// The store of sessions is one that gates share.
    pub sharing: bool,
    /// The limits of tries to sign in.
    pub throttle: Option<Throttle>,
    /// The mount.
    pub mount: String,
    /// The login path.
    pub login_path: Option<String>,
    /// Exact public paths.
    pub public_paths: Vec<String>,
    /// Public prefixes.
    pub public_prefixes: Vec<String>,
    /// Only administrators.
    pub admins_only: bool,
    /// Only users with one of these.
    pub roles: Vec<String>,
    /// Who may send what, instead of the two before.
    pub rules: Vec<RuleText>,
    /// The only networks that may ask at all.
    pub allowed_networks: Vec<String>,
    /// Plain HTTP is refused.
    pub require_tls: bool,
    /// Networks of proxies.
    pub trusted_proxies: Vec<String>,
    /// `X-Forwarded-Host` as well.
    pub forwarded_host: bool,
    /// Proxies ask, and nothing is behind the gate.
    pub forward_auth: bool,
    /// The only hosts.
    pub allowed_hosts: Vec<String>,
    /// More identity headers.
    pub identity_headers: Vec<String>,
    /// What an outer router has cut off the path.
    pub below: String,
}

/// Limits of tries to sign in; what is not said is as by default.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Throttle {
    tries: Option<u32>,
    /// In seconds.
    first_delay: Option<u64>,
    /// In seconds.
    longest_delay: Option<u64>,
}

/// A rule, as it is written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleText {
    path: String,
    #[serde(default)]
    methods: Vec<String>,
    allow: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            backends: vec!["jwt".to_owned()],
            audience: Vec::new(),
            issuer: Vec::new(),
            sessions: "sealed".to_owned(),
            idle: None,
            lifetime: None,
            sharing: false,
            throttle: None,
            mount: "/ops".to_owned(),
            login_path: None,
            public_paths: vec!["/healthz".to_owned()],
            public_prefixes: vec!["/static".to_owned()],
            admins_only: false,
            roles: Vec::new(),
            rules: Vec::new(),
            allowed_networks: Vec::new(),
            require_tls: false,
            trusted_proxies: Vec::new(),
            forwarded_host: false,
            forward_auth: false,
            allowed_hosts: Vec::new(),
            identity_headers: Vec::new(),
            below: String::new(),
        }
    }
}

impl Settings {
    /// The gate.
    pub fn gate(&self) -> Gate {
        self.build().0
    }

    /// The gate, and its provider's keys, which are still to be fetched, if it has one.
    pub fn build(&self) -> (Gate, Option<KeySet>) {
        let keys = self.backends.iter().any(|name| name == "keys").then(provider);
        let set = keys.as_ref().and_then(JwtBackend::key_set).cloned();
        let builder = self.rights(self.places(self.people(keys)));
        (builder.build().unwrap(), set)
    }

    /// Who knows people, and how they stay known.
    fn people(&self, mut keys: Option<JwtBackend>) -> GateBuilder {
        let mut builder: Option<GateBuilder> = None;
        for name in &self.backends {
            builder = Some(match (name.as_str(), builder) {
                ("password", None) => Gate::builder(PasswordBackend::new()).sessions(self.sessions()),
                ("jwt", None) => Gate::builder(self.jwt()),
                ("jwt", Some(builder)) => builder.backend(self.jwt()),
                ("keys", None) => Gate::builder(keys.take().unwrap()),
                ("keys", Some(builder)) => builder.backend(keys.take().unwrap()),
                ("directory", None) => Gate::builder(Directory("directory")),
                ("directory", Some(builder)) => builder.backend(Directory("directory")),
                ("annex", Some(builder)) => builder.backend(Directory("annex")),
                (other, _) => panic!("no backend {other}, or not there"),
            });
        }
        let mut builder = builder.unwrap();
        if let Some(Throttle { tries, first_delay, longest_delay }) = self.throttle {
            let usual = ThrottleLimits::default();
            builder = builder.throttle(ThrottleLimits {
                tries: tries.unwrap_or(usual.tries),
                first_delay: first_delay.map_or(usual.first_delay, Duration::from_secs),
                longest_delay: longest_delay.map_or(usual.longest_delay, Duration::from_secs),
                ..usual
            });
        }
        if self.sharing { builder.sharing(Sharing::default()) } else { builder }
    }

    fn jwt(&self) -> JwtBackend {
        let mut backend = JwtBackend::builder().key(Key::secret(forge::SECRET).unwrap());
        if !self.audience.is_empty() {
            backend = backend.audience(&self.audience);
        }
        if !self.issuer.is_empty() {
            backend = backend.issuer(&self.issuer);
        }
        backend.build().unwrap()
    }

    fn sessions(&self) -> Sessions {
        let mut sessions = match self.sessions.as_str() {
            "sealed" => sealed(),
            "records" => Sessions::records(),
            other => panic!("sessions cannot be {other}"),
        };
        if let Some(idle) = self.idle {
            sessions = sessions.idle(Duration::from_secs(idle));
        }
        if let Some(lifetime) = self.lifetime {
            sessions = sessions.lifetime(Duration::from_secs(lifetime));
        }
        sessions
    }

    /// Where the gate stands, and who stands before it.
    fn places(&self, mut builder: GateBuilder) -> GateBuilder {
        for path in &self.public_paths {
            builder = builder.public_path(path);
        }
        for path in &self.public_prefixes {
            builder = builder.public_prefix(path);
        }
        if let Some(path) = &self.login_path {
            builder = builder.login_path(path);
        }
        if self.forward_auth {
            builder = builder.forward_auth();
        } else if self.forwarded_host {
            builder = builder.forwarded_fields(ForwardedFields::XForwardedHost);
        }
        builder
            .mount(&self.mount)
            .trusted_proxies(&self.trusted_proxies)
            .allowed_hosts(&self.allowed_hosts)
            .allowed_networks(&self.allowed_networks)
            .require_tls(self.require_tls)
    }

    /// Who may do what, and who they are to the dashboard.
    fn rights(&self, builder: GateBuilder) -> GateBuilder {
        let mut access = if self.admins_only { Access::admins() } else { Access::signed_in() };
        if !self.roles.is_empty() {
            access = access.and_any_role(&self.roles).unwrap();
        }
        let rules = self.rules.iter().map(RuleText::rule);
        builder.access(access).rules(rules).identity_headers(&self.identity_headers)
    }
}

impl RuleText {
    fn rule(&self) -> Rule {
        let methods: Vec<_> = self.methods.iter().map(String::as_str).collect();
        let allow: Vec<_> = self.allow.iter().map(String::as_str).collect();
        Rule::parse(&self.path, &methods, &allow).unwrap()
    }
}

/// Tokens that the forger signs honestly.
pub fn jwt() -> JwtBackend {
    Settings::default().jwt()
}

/// Sessions under a key that everybody knows.
pub(super) fn sealed() -> Sessions {
    Sessions::sealed([SealingKey::new(forge::SECRET).unwrap()])
}

/// Tokens of an identity provider, whose keys must be fetched.
fn provider() -> JwtBackend {
    let limits = KeySetLimits::default();
    JwtBackend::builder().key_set(limits).algorithms([Algorithm::ES256]).build().unwrap()
}
