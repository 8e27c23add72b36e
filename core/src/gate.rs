use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::HeaderValue;

use crate::allowed_hosts::AllowedHosts;
use crate::backend::AuthBackend;
use crate::builder::GateBuilder;
use crate::cross_site::CrossSite;
use crate::flow;
use crate::forwarded::TrustedProxies;
use crate::head::HeadLimits;
use crate::identity::IdentityHeaders;
use crate::lease::Holder;
use crate::local_path::LocalPath;
use crate::mount::Mount;
use crate::networks::Networks;
use crate::page::Pages;
use crate::path::is_plain;
use crate::rules::RuleSet;
use crate::session::{Endings, SessionRules};
use crate::throttle::Throttle;
use crate::upstream::UpstreamRules;
use crate::{Access, EndingsNews, EndingsSince, Explanation, Head, Peer, Step, Timestamp, User};

/// The gate: settings, keys and backends, prepared once and shared by all requests. Cloning is cheap.
#[derive(Clone)]
pub struct Gate(Arc<Settings>);

/// Everything a decision depends on besides the request and the time.
pub(crate) struct Settings {
    pub(crate) backends: Vec<Box<dyn AuthBackend>>,
    pub(crate) mount: Mount,
    pub(crate) login_path: String,
    /// Its address below our own mount.
    pub(crate) login: LocalPath,
    pub(crate) logout_path: String,
    pub(crate) routes: Vec<Route>,
    pub(crate) public: PublicPaths,
    pub(crate) access: Access,
    /// None where all that is behind the gate is alike.
    pub(crate) rules: Option<RuleSet>,
    /// Empty: all of them.
    pub(crate) allowed_networks: Networks,
    pub(crate) require_tls: bool,
    pub(crate) cross_site: CrossSite,
    pub(crate) proxies: TrustedProxies,
    pub(crate) allowed_hosts: AllowedHosts,
    pub(crate) identity: Arc<IdentityHeaders>,
    pub(crate) challenges: Vec<HeaderValue>,
    pub(crate) pages: Pages,
    /// None where no backend makes sessions.
    pub(crate) sessions: Option<SessionRules>,
    /// What has ended before its time, here or behind a gate that this one took the place of, even if it made sessions
    /// and this one does not.
    pub(crate) endings: Option<Arc<Mutex<Endings>>>,
    pub(crate) throttle: Arc<Mutex<Throttle>>,
    pub(crate) limits: HeadLimits,
    /// None where nothing but this process's own service is behind the gate.
    pub(crate) upstream: Option<Arc<UpstreamRules>>,
    /// Whether a proxy asks, and nothing is behind the gate.
    pub(crate) forward_auth: bool,
}

impl Settings {
    /// Whether a path below the mount is the gate's own, or a backend's: for everybody, and never the dashboard's.
    pub(crate) fn answers_itself(&self, path: &str) -> bool {
        path == self.login_path
            || path == self.logout_path
            || self.routes.iter().any(|route| route.path == path)
    }
}

/// A public path that a backend answers itself.
pub(crate) struct Route {
    pub(crate) path: String,
    pub(crate) backend: &'static str,
}

/// Paths below the mount that need no proof.
#[derive(Debug, Default)]
pub(crate) struct PublicPaths {
    pub(crate) exact: BTreeSet<String>,
    pub(crate) prefixes: BTreeSet<String>,
}

impl Gate {
    /// Where nginx's `auth_request` asks, below the mount: the answer is 204, 401 or 403, always empty.
    pub const AUTH_REQUEST: &str = "/authgate/auth-request";

    /// Where Caddy's `forward_auth` and Traefik's `forwardAuth` ask, below the mount: the answer is 204, or what the
    /// client is to be sent.
    pub const FORWARD_AUTH: &str = "/authgate/forward-auth";

    /// Starts a gate whose users `backend` knows. Everything else has a default.
    pub fn builder(backend: impl AuthBackend) -> GateBuilder {
        GateBuilder::new(Box::new(backend))
    }

    /// The prefix that the dashboard is reached under, folded.
    pub fn mount(&self) -> &Mount {
        &self.0.mount
    }

    /// Begins with a request at the moment `now`.
    ///
    /// For bearer tokens whose key is known, for public paths, and for sealed sessions that are not due for renewal
    /// (where gates share a store: if what has ended was heard a moment ago), the first step is already [`Step::Done`].
    pub fn begin(&self, head: &Head<'_>, now: Timestamp) -> Step {
        flow::begin(self, head, now)
    }

    /// Ends all sessions of the user with this id that have begun until `now`: somebody was disabled, has a new password,
    /// or has lost a machine. Open streams end as well. It holds for this gate and its clones. Where gates
    /// [share](crate::Sharing) a store, tell that as well, which an adapter's function of this name does; without,
    /// another process must be told, too, and a process that starts anew has forgotten it: with a store of your own, also
    /// remove that user's records, or those that nobody has shown since are good again.
    pub fn sign_out_everywhere(&self, user: &str, now: Timestamp) {
        self.end_sessions_begun_until(user, now, now);
    }

    /// As [`sign_out_everywhere`](Self::sign_out_everywhere), for those that have begun up to the moment `until`, when it
    /// was noticed that something had changed: who signed in since did so as things are.
    pub fn end_sessions_begun_until(&self, user: &str, until: Timestamp, now: Timestamp) {
        if let Some(sessions) = &self.0.sessions {
            sessions.end_user(user, until, now);
        }
    }

    /// What a store that gates [share](crate::Sharing) is to be asked for what has ended; nothing if what it told is new
    /// enough, or if none is shared. A request finds out by itself; whoever asks before the first one comes spares it the
    /// wait.
    pub fn asks(&self, now: Timestamp) -> Option<EndingsSince> {
        self.0.sessions.as_ref()?.news_wanted(now)
    }

    /// Takes what the store told when it was asked at the moment `asked`.
    pub fn hear(&self, news: EndingsNews, asked: Timestamp, now: Timestamp) {
        if let Some(sessions) = &self.0.sessions {
            sessions.hear(news, asked, now);
        }
    }

    /// Whether somebody at `client` may send a request for `path`, as a browser sees it, and what decides that: for whoever
    /// writes the rules. Where the request comes from and how it proves who sends it is taken for granted.
    ///
    /// `method` is that of the request, or `WEBSOCKET` for a websocket's handshake.
    pub fn explain(&self, method: &str, path: &str, user: Option<&User>, client: Peer) -> Explanation {
        Explanation::of(&self.0, method, path, user, client)
    }

    /// Whether a session has not been ended before its time.
    pub(crate) fn spares(&self, holder: &Holder, now: Timestamp) -> bool {
        let Holder { id, user, issued, .. } = holder;
        let sessions = self.0.sessions.as_ref();
        sessions.is_some_and(|sessions| sessions.is_in_touch(now) && sessions.spares(id, user, *issued))
    }

    pub(crate) fn throttle(&self) -> MutexGuard<'_, Throttle> {
        // Every change of it is whole before anything could panic.
        self.0.throttle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.0
    }

    pub(crate) fn from_settings(settings: Settings) -> Self {
        Self(Arc::new(settings))
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let backends: Vec<_> = self.0.backends.iter().map(|backend| backend.name()).collect();
        f.debug_struct("Gate")
            .field("mount", &self.0.mount)
            .field("backends", &backends)
            .finish_non_exhaustive()
    }
}

impl PublicPaths {
    /// Whether `path` needs no proof: it is listed, or below a listed prefix at a segment boundary, and everyone
    /// behind the gate reads it as we do.
    pub(crate) fn contains(&self, path: &str) -> bool {
        self.lists(path) && is_plain(path)
    }

    // One lookup a segment, however many prefixes there are.
    fn lists(&self, path: &str) -> bool {
        let is_prefix = |end: usize| path.get(..end).is_some_and(|head| self.prefixes.contains(head));
        self.exact.contains(path)
            || (!self.prefixes.is_empty()
                && (memchr::memchr_iter(b'/', path.as_bytes()).any(is_prefix) || is_prefix(path.len())))
    }
}
