use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use authgate_core::Algorithm;
use clap::Args;
use serde::{Deserialize, Deserializer};

use super::stores::{RedisUrl, Store};
use super::values::{Address, Family, Span};
use crate::cli::Runtime;

/// Everything that `authgate serve` can be told: by flags, and by the keys of `authgate.toml`, which are these names.
/// What is not said is decided where it is used.
#[derive(Debug, Clone, Default, PartialEq, Args, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    /// The dashboard, as http://host:port; its paths are the request's own
    #[arg(long, value_name = "URL", help_heading = "What is behind it")]
    pub(crate) upstream: Option<String>,
    /// Answer a proxy that asks about each request: nginx's `auth_request`, Caddy's `forward_auth`, Traefik's `forwardAuth`
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", help_heading = "What is behind it")]
    pub(crate) forward_auth: Option<bool>,
    /// The path that the dashboard is reached under; it is passed on as it is [default: /]
    #[arg(long, value_name = "PATH", help_heading = "What is behind it")]
    pub(crate) mount: Option<String>,
    /// Cut the mount off the path that is passed on, and tell it in X-Forwarded-Prefix
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", help_heading = "What is behind it")]
    pub(crate) strip_mount: Option<bool>,
    /// Tell the dashboard the Host that the browser asked for; false: its own [default: true]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", help_heading = "What is behind it")]
    pub(crate) keep_host: Option<bool>,
    /// Pass Authorization on to the dashboard
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", help_heading = "What is behind it")]
    pub(crate) pass_authorization: Option<bool>,
    /// The field that tells the dashboard the user's id, percent-encoded [default: X-Auth-User]
    #[arg(long, value_name = "NAME", help_heading = "What is behind it")]
    pub(crate) user_header: Option<String>,
    /// The field that tells it the user's roles, separated by commas [default: X-Auth-Roles]
    #[arg(long, value_name = "NAME", help_heading = "What is behind it")]
    pub(crate) roles_header: Option<String>,
    /// Another field that no client may send, because the dashboard reads an identity from it; may be given several times
    #[arg(long = "identity-header", value_name = "NAME", help_heading = "What is behind it")]
    #[serde(deserialize_with = "one_or_many")]
    pub(crate) identity_headers: Vec<String>,
    /// How long connecting to the dashboard may take [default: 5s]
    #[arg(long, value_name = "SPAN", help_heading = "What is behind it")]
    #[serde(deserialize_with = "one")]
    pub(crate) connect_timeout: Option<Span>,
    /// How long the dashboard may say nothing while an answer is due; event streams and websockets may forever [default:
    /// 60s]
    #[arg(long, value_name = "SPAN", help_heading = "What is behind it")]
    #[serde(deserialize_with = "one")]
    pub(crate) upstream_timeout: Option<Span>,
    /// The longest request body that is passed on, in bytes [default: any]
    #[arg(long, value_name = "BYTES", help_heading = "What is behind it")]
    pub(crate) max_body: Option<u64>,

    /// The address and port to listen on; port 0 takes a free one [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS", help_heading = "Where it listens")]
    #[serde(deserialize_with = "one")]
    pub(crate) listen: Option<Address>,
    /// Another address, for /-/healthz and /-/metrics alone [default: none]
    #[arg(long, value_name = "ADDRESS", help_heading = "Where it listens")]
    #[serde(deserialize_with = "one")]
    pub(crate) admin_listen: Option<Address>,
    /// The runtime that drives it; HTTP/2 is for tokio [default: tokio]
    #[arg(long, value_enum, help_heading = "Where it listens")]
    pub(crate) runtime: Option<Runtime>,
    /// Most connections at one time; further ones wait [default: 10000]
    #[arg(long, value_name = "NUMBER", help_heading = "Where it listens")]
    pub(crate) max_connections: Option<usize>,

    /// A file with the users who may sign in (see `authgate user`)
    #[arg(long, value_name = "FILE", help_heading = "Who is let in")]
    pub(crate) users_file: Option<PathBuf>,
    /// A file with the HMAC secret of tokens; a line's end after it does not count
    #[arg(long, value_name = "FILE", help_heading = "Who is let in")]
    pub(crate) jwt_secret_file: Option<PathBuf>,
    /// A PEM file with a public key of tokens
    #[arg(long, value_name = "FILE", help_heading = "Who is let in")]
    pub(crate) public_key_file: Option<PathBuf>,
    /// A JWK Set with public keys of tokens
    #[arg(long, value_name = "FILE", help_heading = "Who is let in")]
    pub(crate) jwks_file: Option<PathBuf>,
    /// Where an identity provider publishes the keys of its tokens, as https://…; fetched, and fetched again as it changes
    #[arg(long, value_name = "URL", help_heading = "Who is let in")]
    pub(crate) jwks_url: Option<String>,
    /// A PEM file with certificates that are trusted for `--jwks-url`, beside the system's
    #[arg(long, value_name = "FILE", help_heading = "Who is let in")]
    pub(crate) jwks_ca_file: Option<PathBuf>,
    /// An algorithm that tokens may be signed with; may be given several times [default: HS256]
    #[arg(long = "algorithm", value_name = "NAME", help_heading = "Who is let in")]
    #[serde(deserialize_with = "one_or_many")]
    pub(crate) algorithms: Vec<Algorithm>,
    /// An audience that tokens must name; may be given several times
    #[arg(long, value_name = "NAME", help_heading = "Who is let in")]
    #[serde(deserialize_with = "one_or_many")]
    pub(crate) audience: Vec<String>,
    /// An issuer that tokens must name; may be given several times
    #[arg(long, value_name = "NAME", help_heading = "Who is let in")]
    #[serde(deserialize_with = "one_or_many")]
    pub(crate) issuer: Vec<String>,
    /// Let in administrators only
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", help_heading = "Who is let in")]
    pub(crate) admins_only: Option<bool>,
    /// Let in users with this role only; may be given several times
    #[arg(long = "role", value_name = "NAME", help_heading = "Who is let in")]
    #[serde(deserialize_with = "one_or_many")]
    pub(crate) roles: Vec<String>,
    /// A path that is open to everybody, exactly; may be given several times
    #[arg(long = "public-path", value_name = "PATH", help_heading = "Who is let in")]
    #[serde(deserialize_with = "one_or_many")]
    pub(crate) public_paths: Vec<String>,
    /// A path that is open to everybody with all below it; may be given several times
    #[arg(long = "public-prefix", value_name = "PATH", help_heading = "Who is let in")]
    #[serde(deserialize_with = "one_or_many")]
    pub(crate) public_prefixes: Vec<String>,
    /// Who may send which requests: `[[rule]]` tables with `path`, `methods` and `allow`; in the file alone
    #[arg(skip)]
    #[serde(skip)]
    pub(crate) rule: Vec<RuleTable>,

    /// Where sessions are kept: `memory` of this process, sealed into the `cookie` itself, or a Redis that several gates
    /// share, as `redis://host:6379/0`, or `rediss://` for TLS [default: memory]
    #[arg(long, value_name = "STORE", help_heading = "Sessions")]
    #[serde(deserialize_with = "one")]
    pub(crate) session_store: Option<Store>,
    /// With sessions in cookies: the Redis by which gates tell each other of sign-outs and count tries to sign in
    /// [default: none]
    #[arg(long, value_name = "REDIS", help_heading = "Sessions")]
    #[serde(deserialize_with = "one")]
    pub(crate) revocation_store: Option<RedisUrl>,
    /// How long a sign-out at another gate may go unheard here [default: 500ms]
    #[arg(long, value_name = "SPAN", help_heading = "Sessions")]
    #[serde(deserialize_with = "one")]
    pub(crate) revocation_delay: Option<Span>,
    /// What goes before every key in Redis; gates that share sign-ins share it [default: authgate:]
    #[arg(long, value_name = "TEXT", help_heading = "Sessions")]
    pub(crate) redis_prefix: Option<String>,
    /// A PEM file with certificates that are trusted for `rediss://`, beside the system's
    #[arg(long, value_name = "FILE", help_heading = "Sessions")]
    pub(crate) redis_ca_file: Option<PathBuf>,
    /// A file with a secret that seals sessions into cookies; several rotate: the first seals, all of them open
    #[arg(long = "session-secret-file", value_name = "FILE", help_heading = "Sessions")]
    #[serde(deserialize_with = "one_or_many")]
    pub(crate) session_secret_files: Vec<PathBuf>,
    /// How long a session may be unused [default: 30m, or the lifetime if that is less]
    #[arg(long, value_name = "SPAN", help_heading = "Sessions")]
    #[serde(deserialize_with = "one")]
    pub(crate) session_idle: Option<Span>,
    /// How long a session lives at most [default: 12h]
    #[arg(long, value_name = "SPAN", help_heading = "Sessions")]
    #[serde(deserialize_with = "one")]
    pub(crate) session_lifetime: Option<Span>,
    /// The session cookie's name; gates on one host need one each, or must share their sign-ins [default: authgate]
    #[arg(long, value_name = "NAME", help_heading = "Sessions")]
    pub(crate) cookie_name: Option<String>,
    /// The login page's path below the mount [default: /login, or /authgate/login with --forward-auth]
    #[arg(long, value_name = "PATH", help_heading = "Sessions")]
    pub(crate) login_path: Option<String>,
    /// The logout path below the mount [default: /logout, or /authgate/logout with --forward-auth]
    #[arg(long, value_name = "PATH", help_heading = "Sessions")]
    pub(crate) logout_path: Option<String>,
    /// The dashboard's name on the gate's pages [default: Dashboard]
    #[arg(long, value_name = "TEXT", help_heading = "Sessions")]
    pub(crate) title: Option<String>,

    /// A proxy whose X-Forwarded-* are believed: an address or a network; may be given several times
    #[arg(long = "trusted-proxy", value_name = "NETWORK", help_heading = "Networks and proxies")]
    #[serde(deserialize_with = "one_or_many")]
    pub(crate) trusted_proxies: Vec<String>,
    /// Which fields the trusted proxies write [default: x-forwarded, or x-forwarded-host with --forward-auth]
    #[arg(long, value_enum, value_name = "FAMILY", help_heading = "Networks and proxies")]
    pub(crate) forwarded_fields: Option<Family>,
    /// A host that requests may name; others are refused; may be given several times [default: any]
    #[arg(long = "allowed-host", value_name = "HOST", help_heading = "Networks and proxies")]
    #[serde(deserialize_with = "one_or_many")]
    pub(crate) allowed_hosts: Vec<String>,
    /// A network that clients may ask from; others are refused; may be given several times [default: any]
    #[arg(long = "allowed-network", value_name = "NETWORK", help_heading = "Networks and proxies")]
    #[serde(deserialize_with = "one_or_many")]
    pub(crate) allowed_networks: Vec<String>,
    /// Refuse requests that came without TLS, except from this machine [default: true]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", help_heading = "Networks and proxies")]
    pub(crate) require_tls: Option<bool>,
}

/// A `[[rule]]`, as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RuleTable {
    /// Its place among the rules, counted from one, and its line.
    pub(crate) number: usize,
    pub(crate) line: usize,
    pub(crate) path: String,
    /// Empty: all of them.
    pub(crate) methods: Vec<String>,
    pub(crate) allow: Vec<String>,
}

/// Hands every field to another macro: those that are said once, and lists.
macro_rules! with_fields {
    ($act:ident!($($with:expr),*)) => {
        $act!($($with),*;
            upstream forward_auth mount strip_mount keep_host pass_authorization user_header roles_header
            connect_timeout upstream_timeout max_body listen admin_listen runtime max_connections users_file
            jwt_secret_file public_key_file jwks_file jwks_url jwks_ca_file admins_only session_store revocation_store
            revocation_delay redis_prefix redis_ca_file session_idle session_lifetime
            cookie_name login_path logout_path title forwarded_fields require_tls;
            identity_headers algorithms audience issuer roles public_paths public_prefixes rule session_secret_files
            trusted_proxies allowed_hosts allowed_networks)
    };
}

/// Every field, or it does not compile: those that are said here win over those below.
macro_rules! overlay {
    ($over:expr, $below:expr; $($option:ident)*; $($list:ident)*) => {
        Settings {
            $($option: $over.$option.or($below.$option),)*
            $($list: if $over.$list.is_empty() { $below.$list } else { $over.$list },)*
        }
    };
}

/// The names of those that are said.
macro_rules! given {
    ($settings:expr; $($option:ident)*; $($list:ident)*) => {
        [
            $((stringify!($option), $settings.$option.is_some()),)*
            $((stringify!($list), !$settings.$list.is_empty()),)*
        ]
    };
}

impl Settings {
    /// These, and for whatever they leave open the ones `below`. A list that is given replaces the other.
    pub(crate) fn over(self, below: Self) -> Self {
        with_fields!(overlay!(self, below))
    }

    /// The keys of what is said.
    pub(super) fn given(&self) -> Vec<&'static str> {
        let all = with_fields!(given!(self));
        all.into_iter().filter(|(_, said)| *said).map(|(key, _)| key).collect()
    }

    /// Files are found from `folder`, where the file that names them is.
    pub(super) fn found_from(mut self, folder: &Path) -> Self {
        let one = [
            &mut self.users_file,
            &mut self.jwt_secret_file,
            &mut self.public_key_file,
            &mut self.jwks_file,
            &mut self.jwks_ca_file,
            &mut self.redis_ca_file,
        ];
        for path in one.into_iter().flatten().chain(&mut self.session_secret_files) {
            *path = folder.join(&*path);
        }
        self
    }
}

fn one<'de, D: Deserializer<'de>, T: FromStr<Err: Display>>(from: D) -> Result<Option<T>, D::Error> {
    let text = String::deserialize(from)?;
    text.parse().map(Some).map_err(|error| serde::de::Error::custom(format!("{text:?}: {error}")))
}

fn one_or_many<'de, D: Deserializer<'de>, T: FromStr<Err: Display>>(from: D) -> Result<Vec<T>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "expected a string or a list of strings")]
    enum OneOrMany {
        One(String),
        Many(Vec<String>),
    }
    let texts = match OneOrMany::deserialize(from)? {
        OneOrMany::One(text) => vec![text],
        OneOrMany::Many(texts) => texts,
    };
    texts.into_iter().map(|text| text.parse().map_err(serde::de::Error::custom)).collect()
}
