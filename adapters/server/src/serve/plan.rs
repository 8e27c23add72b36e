//! What the settings come to: everything that is needed to serve, or everything that is wrong.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use authgate_core::{ConfigError, Gate, KeySet};
use authgate_jwks::KeySource;
use authgate_proxy::{ProxyLimits, Target};
use authgate_redis::RedisStore;
use authgate_tokio::Limits;
use authgate_users::UserFile;

use super::file;
use super::gate::gate;
use super::names::Names;
use super::problems::Problems;
use super::settings::Settings;
use super::stores::KeptStore;
use super::values::Span;
use crate::cli::Runtime;
use crate::keys::{FoundSecret, NamedSource, TokenSettings};

/// Everything that is needed to serve.
pub(crate) struct Plan {
    pub(crate) gate: Gate,
    /// None where proxies only ask.
    pub(super) target: Option<Target>,
    pub(super) limits: ProxyLimits,
    pub(super) keep_host: bool,
    /// Where the keys of tokens are fetched from, and what for.
    pub(super) keys: Option<(KeySource, KeySet)>,
    /// What gates share.
    pub(super) shared: Option<Arc<RedisStore>>,
    pub(super) kept: Kept,
}

/// What outlives the configuration that it was made for.
#[derive(Clone, Default)]
pub(super) struct Kept {
    /// Whose memory goes on.
    pub(super) gate: Option<Gate>,
    pub(super) users: Option<(PathBuf, Arc<UserFile>)>,
    /// What seals sessions where no file does.
    pub(super) sealing: Option<Arc<FoundSecret>>,
    /// What gates share.
    pub(super) store: Option<KeptStore>,
    /// Keys that a provider published, and where.
    pub(super) key_set: Option<(NamedSource, KeySet)>,
}

impl Kept {
    /// Whose sessions end because the users are those of another file now.
    pub(super) fn lost_to(&self, next: &Self) -> Vec<String> {
        match (&self.users, &next.users) {
            (Some((_, users)), Some((_, others))) => users.lost_to(others).collect(),
            _ => Vec::new(),
        }
    }
}

impl Plan {
    /// Reads whatever the settings name, and puts it together. What was `kept` from before goes on, where it still fits.
    pub(crate) fn of(settings: &Settings, mut problems: Problems, kept: &Kept) -> Result<Self, Problems> {
        contradictions(settings, &mut problems);
        let mut kept = kept.clone();
        let target =
            settings.upstream.as_deref().and_then(|upstream| noted(Target::parse(upstream), &mut problems));
        kept.users = users(settings, &kept, &mut problems);
        let shared = settings.shared(kept.store.as_ref(), &mut problems);
        let (store, sharing) = shared.map(|shared| (shared.store, shared.sharing)).unzip();
        kept.store = store;
        let (gate, keys) = gate(settings, sharing, &mut kept, &mut problems);
        kept.gate.clone_from(&gate);
        if let (Some((source, new)), Some((before, old))) = (&keys, &kept.key_set)
            && source.made_of == before.made_of
        {
            new.succeed(old);
        }
        kept.key_set.clone_from(&keys);
        let plan = gate.map(|gate| Self {
            gate,
            keys: keys.map(|(named, set)| (named.source, set)),
            shared: kept.store.as_ref().map(|kept| Arc::clone(&kept.store)),
            target,
            limits: limits(settings),
            keep_host: settings.keep_host.unwrap_or(true),
            kept,
        });
        problems.unless_any(plan)
    }

    /// Who may sign in, if anybody may.
    pub(super) fn users(&self) -> Option<&Arc<UserFile>> {
        self.kept.users.as_ref().map(|(_, users)| users)
    }
}

impl Settings {
    pub(super) fn is_forward_auth(&self) -> bool {
        self.forward_auth.unwrap_or(false)
    }

    pub(super) fn listen(&self) -> SocketAddr {
        self.listen.map_or(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080), |listen| listen.0)
    }

    pub(super) fn max_connections(&self) -> usize {
        self.max_connections.unwrap_or(Limits::default().connections)
    }

    pub(super) fn runtime(&self) -> Runtime {
        self.runtime.unwrap_or(Runtime::Tokio)
    }

    pub(super) fn tokens(&self) -> TokenSettings<'_> {
        TokenSettings {
            secret_file: self.jwt_secret_file.as_deref(),
            public_key_file: self.public_key_file.as_deref(),
            jwks_file: self.jwks_file.as_deref(),
            jwks_url: self.jwks_url.as_deref(),
            jwks_ca_file: self.jwks_ca_file.as_deref(),
            algorithms: &self.algorithms,
            audience: &self.audience,
            issuer: &self.issuer,
        }
    }
}

/// Settings that are good each for itself, and not together.
fn contradictions(settings: &Settings, problems: &mut Problems) {
    let forward_auth = settings.is_forward_auth();
    match (&settings.upstream, forward_auth) {
        (None, false) => problems.say(
            "upstream",
            "nothing is behind the gate; name the dashboard, such as http://127.0.0.1:5555, or set forward_auth (--forward-auth)",
        ),
        (Some(_), true) => {
            problems.say("upstream", "it stands beside forward_auth, where the proxy passes requests on; leave one out");
        }
        _ => {}
    }
    let for_upstreams = [
        ("strip_mount", settings.strip_mount == Some(true)),
        ("keep_host", settings.keep_host == Some(false)),
        ("pass_authorization", settings.pass_authorization == Some(true)),
        ("connect_timeout", settings.connect_timeout.is_some()),
        ("upstream_timeout", settings.upstream_timeout.is_some()),
        ("max_body", settings.max_body.is_some()),
    ];
    for (key, _) in for_upstreams.into_iter().filter(|(_, said)| forward_auth && *said) {
        problems.say(
            key,
            "it is for an upstream, and with forward_auth the proxy passes requests on; leave it out",
        );
    }
    let zero = |span: Option<Span>| span.is_some_and(|span| span.0.is_zero());
    for (key, span) in
        [("connect_timeout", settings.connect_timeout), ("upstream_timeout", settings.upstream_timeout)]
    {
        if zero(span) {
            problems.say(key, "nothing can be answered in no time; choose some seconds");
        }
    }
    if settings.max_connections == Some(0) {
        problems.say("max_connections", "nobody could connect; choose at least 1");
    }
    if settings.admin_listen.is_some_and(|admin| admin.0.port() != 0 && settings.listen() == admin.0) {
        problems.say("admin_listen", "it is the address of the dashboard, too; choose another");
    }
}

/// The file of users; what was opened before, if it is the same. It must be good now, either way.
fn users(settings: &Settings, kept: &Kept, problems: &mut Problems) -> Option<(PathBuf, Arc<UserFile>)> {
    let path = settings.users_file.as_ref()?;
    let opened = match UserFile::open(path) {
        Ok(opened) => opened,
        Err(error) => {
            problems.say("users_file", error);
            return None;
        }
    };
    match &kept.users {
        Some((before, users)) if before == path => Some((before.clone(), Arc::clone(users))),
        _ => Some((path.clone(), Arc::new(opened))),
    }
}

fn limits(settings: &Settings) -> ProxyLimits {
    let defaults = ProxyLimits::default();
    let or = |span: Option<Span>, default: Duration| span.map_or(default, |span| span.0);
    ProxyLimits {
        connect: or(settings.connect_timeout, defaults.connect),
        silence: or(settings.upstream_timeout, defaults.silence),
        body_bytes: settings.max_body,
        ..defaults
    }
}

/// What was made, or nothing and a problem.
fn noted<T>(made: Result<T, ConfigError>, problems: &mut Problems) -> Option<T> {
    made.map_err(|error| problems.refuse(&error)).ok()
}

/// What the flags say, and below it what the file says; or why that cannot be read at all.
pub(super) fn load(flags: &Settings, file: Option<&Path>) -> Result<(Settings, Problems), Problems> {
    let mut problems = Problems::of(Names::of(file, flags));
    let Some(path) = file else { return Ok((flags.clone(), problems)) };
    match file::read(path, &mut problems) {
        Some(below) => Ok((flags.clone().over(below), problems)),
        None => Err(problems),
    }
}
