use std::time::Duration;

use authgate_core::{
    Access, CrossSite, ForwardedFields, Gate, GateBuilder, KeySet, PasswordBackend, Rule, SealingKey,
    Sessions, Sharing, ThrottleLimits, Timestamp, Upstream,
};

use super::directory::{Directory, Page};
use super::trust::Trust;
use crate::forge;

/// A gate's settings.
#[derive(Debug, Clone)]
#[allow(clippy::struct_excessive_bools, reason = "they are the gate's own")]
pub struct Config {
    /// In the order in which they are asked. People with passwords come first, and no two are alike.
    pub backends: Vec<Backend>,
    /// As it is written: `""`, `"/ops"`, `"/team/ops/"`.
    pub mount: String,
    /// Below the mount.
    pub login_path: String,
    /// Below the mount.
    pub logout_path: String,
    /// Exact public paths.
    pub public_paths: Vec<String>,
    /// Public prefixes.
    pub public_prefixes: Vec<String>,
    /// Administrators only.
    pub admins_only: bool,
    /// These roles are as good as being an administrator, where only those may pass.
    pub admin_roles: Vec<String>,
    /// One of these; empty: no matter.
    pub any_role: Vec<String>,
    /// Instead of the three before.
    pub rules: Vec<RuleText>,
    /// Where clients may ask from; empty: anywhere.
    pub allowed_networks: Vec<String>,
    /// Nothing over plain HTTP.
    pub require_tls: bool,
    /// What becomes of other sites' requests.
    pub cross_site: CrossSite,
    /// Whose word counts.
    pub trusted_proxies: Vec<String>,
    /// What they write.
    pub forwarded: ForwardedFields,
    /// The only hosts; empty: any.
    pub allowed_hosts: Vec<String>,
    /// How many tries to sign in are free.
    pub tries: u32,
    /// How sessions live.
    pub lifetimes: Lifetimes,
    /// Sessions are in the cookie itself.
    pub sealed: bool,
    /// The cookie is `Secure` in any case.
    pub always_secure: bool,
    /// For how many milliseconds what was heard is fresh, where gates share a store.
    pub shared: Option<u64>,
    /// Whether another server is behind the gate.
    pub upstream: bool,
    /// Whether a proxy asks about each request, and nothing is behind the gate.
    pub forward_auth: bool,
    /// More fields that an identity is read from.
    pub identity_headers: Vec<String>,
    /// Users whose sessions until a moment were ended here before.
    pub ended: Vec<(String, i64)>,
}

/// What knows users.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::large_enum_variant, reason = "there are three at most")]
pub enum Backend {
    /// A password, and a session of the gate's.
    People,
    /// Tokens, checked like this.
    Tokens(Trust),
    /// Somebody else's.
    Directory(Directory),
}

/// In seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetimes {
    /// How long a session may be unused.
    pub idle: u64,
    /// How long it lives at most.
    pub lifetime: u64,
    /// How often it is renewed at most.
    pub renew_every: u64,
}

/// A rule as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleText {
    /// The path.
    pub path: String,
    /// Empty: all.
    pub methods: Vec<String>,
    /// Who may pass.
    pub who: Vec<String>,
}

/// A gate, and the keys that its driver fetches.
#[derive(Debug)]
pub struct Built {
    /// The gate.
    pub gate: Gate,
    /// The provider's keys, if it has one.
    pub keys: Option<KeySet>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            backends: vec![Backend::Tokens(Trust::in_key("secret"))],
            mount: "/ops".to_owned(),
            login_path: "/login".to_owned(),
            logout_path: "/logout".to_owned(),
            public_paths: Vec::new(),
            public_prefixes: Vec::new(),
            admins_only: false,
            admin_roles: Vec::new(),
            any_role: Vec::new(),
            rules: Vec::new(),
            allowed_networks: Vec::new(),
            require_tls: false,
            cross_site: CrossSite::Refused,
            trusted_proxies: Vec::new(),
            forwarded: ForwardedFields::XForwarded,
            allowed_hosts: Vec::new(),
            tries: 10,
            lifetimes: Lifetimes { idle: 1800, lifetime: 43_200, renew_every: 60 },
            sealed: false,
            always_secure: false,
            shared: None,
            upstream: false,
            forward_auth: false,
            identity_headers: Vec::new(),
            ended: Vec::new(),
        }
    }
}

impl Config {
    /// Whether people sign in here, and have sessions.
    pub fn has_people(&self) -> bool {
        self.backends.first() == Some(&Backend::People)
    }

    /// How tokens are checked, if they are.
    pub fn trust(&self) -> Option<&Trust> {
        self.backends.iter().find_map(|backend| match backend {
            Backend::Tokens(trust) => Some(trust),
            Backend::People | Backend::Directory(_) => None,
        })
    }

    /// The cookie's name where the browser sees this scheme.
    pub fn cookie(&self, over_tls: bool) -> &'static str {
        if over_tls || self.always_secure { "__Host-authgate" } else { "authgate" }
    }

    /// The gate, at the moment `now`.
    pub fn build(&self, now: Timestamp) -> Built {
        let mut keys = None;
        let mut builder = None;
        for backend in &self.backends {
            builder = Some(match (builder, backend) {
                (None, Backend::People) => Gate::builder(PasswordBackend::new()).sessions(self.sessions()),
                (Some(_), Backend::People) => panic!("people come first"),
                (known, Backend::Directory(directory)) => add(known, *directory),
                (known, Backend::Tokens(trust)) => {
                    let backend = trust.backend();
                    keys = backend.key_set().cloned();
                    add(known, backend)
                }
            });
        }
        let gate = self.settle(builder.unwrap()).build().unwrap();
        for (user, until) in &self.ended {
            gate.end_sessions_begun_until(user, Timestamp::from_millis(*until), now);
        }
        Built { gate, keys }
    }

    fn settle(&self, mut builder: GateBuilder) -> GateBuilder {
        for path in &self.public_paths {
            builder = builder.public_path(path);
        }
        for path in &self.public_prefixes {
            builder = builder.public_prefix(path);
        }
        if let Some(stale) = self.shared.filter(|_| self.has_people()) {
            let stale = Duration::from_millis(stale);
            builder = builder.sharing(Sharing { stale, ..Sharing::default() });
        }
        if self.upstream {
            builder = builder.upstream(Upstream::new());
        }
        // Proxies that ask have fields of their own.
        builder =
            if self.forward_auth { builder.forward_auth() } else { builder.forwarded_fields(self.forwarded) };
        builder
            .mount(&self.mount)
            .login_path(&self.login_path)
            .logout_path(&self.logout_path)
            .access(self.access())
            .rules(self.rules.iter().map(RuleText::rule))
            .allowed_networks(&self.allowed_networks)
            .require_tls(self.require_tls)
            .cross_site(self.cross_site)
            .trusted_proxies(&self.trusted_proxies)
            .allowed_hosts(&self.allowed_hosts)
            .identity_headers(&self.identity_headers)
            // Room for few, since there is a gate for every case.
            .throttle(ThrottleLimits { tries: self.tries, entries: 100, ..ThrottleLimits::default() })
    }

    fn access(&self) -> Access {
        let access = match (self.admins_only, self.admin_roles.is_empty()) {
            (false, _) => Access::signed_in(),
            (true, true) => Access::admins(),
            (true, false) => Access::admins_or(&self.admin_roles).unwrap(),
        };
        if self.any_role.is_empty() { access } else { access.and_any_role(&self.any_role).unwrap() }
    }

    fn sessions(&self) -> Sessions {
        let seconds = Duration::from_secs;
        let Lifetimes { idle, lifetime, renew_every } = self.lifetimes;
        let kind = if self.sealed {
            Sessions::sealed([SealingKey::new(forge::SECRET).unwrap()])
        } else {
            Sessions::records()
        };
        let sessions = kind.idle(seconds(idle)).lifetime(seconds(lifetime)).renew_every(seconds(renew_every));
        if self.always_secure { sessions.always_secure() } else { sessions }
    }
}

fn add(builder: Option<GateBuilder>, backend: impl authgate_core::AuthBackend) -> GateBuilder {
    match builder {
        None => Gate::builder(backend),
        Some(builder) => builder.backend(backend),
    }
}

impl RuleText {
    fn rule(&self) -> Rule {
        Rule::parse(&self.path, &as_texts(&self.methods), &as_texts(&self.who)).unwrap()
    }
}

impl Backend {
    /// What its login path answers.
    pub fn login(&self) -> Page {
        match self {
            Self::People | Self::Tokens(_) => Page::Gate,
            Self::Directory(directory) => directory.login,
        }
    }

    /// What its logout path answers.
    pub fn logout(&self) -> Page {
        match self {
            Self::People | Self::Tokens(_) => Page::Gate,
            Self::Directory(directory) => directory.logout,
        }
    }
}

fn as_texts(list: &[String]) -> Vec<&str> {
    list.iter().map(String::as_str).collect()
}
