use std::sync::{Arc, Mutex};

use http::HeaderValue;

use crate::allowed_hosts::AllowedHosts;
use crate::backend::{AuthBackend, LoginAnswer};
use crate::cross_site::CrossSite;
use crate::forwarded::{ForwardedFields, TrustedProxies};
use crate::gate::{Gate, PublicPaths, Route, Settings};
use crate::head::{HeadLimits, is_token};
use crate::identity::IdentityHeaders;
use crate::mount::{Mount, is_prefix};
use crate::networks::Networks;
use crate::page::{Pages, Texts};
use crate::rules::RuleSet;
use crate::session::{SessionRules, Sessions};
use crate::throttle::{Throttle, ThrottleLimits};
use crate::upstream::Upstream;
use crate::{Access, ConfigError, LocalPath, Rule, Sharing};

/// The settings of a [`Gate`]; each says its default.
///
/// ```
/// use authgate_core::{Access, Gate, JwtBackend, Key};
///
/// let backend = JwtBackend::builder().key(Key::secret([7; 32])?).build()?;
/// let gate = Gate::builder(backend)
///     .mount("/ops")
///     .public_prefix("/static")
///     .public_path("/healthz")
///     .access(Access::admins())
///     .build()?;
/// # Ok::<(), authgate_core::ConfigError>(())
/// ```
#[must_use = "a builder does nothing until it is built"]
pub struct GateBuilder {
    backends: Vec<Box<dyn AuthBackend>>,
    mount: String,
    login_path: Option<String>,
    logout_path: Option<String>,
    exact: Vec<String>,
    prefixes: Vec<String>,
    access: Access,
    rules: Vec<Rule>,
    allowed_networks: Vec<String>,
    require_tls: bool,
    cross_site: CrossSite,
    proxies: Vec<String>,
    forwarded_fields: Option<ForwardedFields>,
    allowed_hosts: Vec<String>,
    identity_headers: Vec<String>,
    realm: String,
    title: String,
    logo: Option<String>,
    texts: Texts,
    sessions: Option<Sessions>,
    sharing: Option<Sharing>,
    throttle: ThrottleLimits,
    limits: HeadLimits,
    upstream: Option<Upstream>,
    forward_auth: bool,
    predecessor: Option<Gate>,
}

impl GateBuilder {
    pub(crate) fn new(backend: Box<dyn AuthBackend>) -> Self {
        Self {
            backends: vec![backend],
            mount: String::new(),
            login_path: None,
            logout_path: None,
            exact: Vec::new(),
            prefixes: Vec::new(),
            access: Access::default(),
            rules: Vec::new(),
            allowed_networks: Vec::new(),
            require_tls: false,
            cross_site: CrossSite::default(),
            proxies: Vec::new(),
            forwarded_fields: None,
            allowed_hosts: Vec::new(),
            identity_headers: Vec::new(),
            realm: "dashboard".to_owned(),
            title: "Dashboard".to_owned(),
            logo: None,
            texts: Texts::default(),
            sessions: None,
            sharing: None,
            throttle: ThrottleLimits::default(),
            limits: HeadLimits::default(),
            upstream: None,
            forward_auth: false,
            predecessor: None,
        }
    }

    /// Adds a backend. Backends are asked in order; login and logout are the first one's.
    pub fn backend(mut self, backend: impl AuthBackend) -> Self {
        self.backends.push(Box::new(backend));
        self
    }

    /// The prefix of the dashboard: every link and redirect carries it, and nothing outside is passed on. Default: none.
    pub fn mount(mut self, mount: impl Into<String>) -> Self {
        self.mount = mount.into();
        self
    }

    /// The login page's path below the mount; public whatever it is called. Default `/login`, or `/authgate/login` with
    /// [`forward_auth`](Self::forward_auth).
    pub fn login_path(mut self, path: impl Into<String>) -> Self {
        self.login_path = Some(path.into());
        self
    }

    /// The logout path below the mount. Default `/logout`, or `/authgate/logout` with [`forward_auth`](Self::forward_auth).
    pub fn logout_path(mut self, path: impl Into<String>) -> Self {
        self.logout_path = Some(path.into());
        self
    }

    /// Opens exactly this path below the mount to everybody, such as `/healthz`. Default: none.
    pub fn public_path(mut self, path: impl Into<String>) -> Self {
        self.exact.push(path.into());
        self
    }

    /// Opens this path below the mount and everything under it, such as `/static`. It ends at a segment boundary:
    /// `/static` does not open `/statics`. Default: none.
    pub fn public_prefix(mut self, path: impl Into<String>) -> Self {
        self.prefixes.push(path.into());
        self
    }

    /// What a user must be, beyond being signed in. Default: nothing.
    pub fn access(mut self, access: Access) -> Self {
        self.access = access;
        self
    }

    /// Who may send which requests, by path and method, instead of [`access`](Self::access). Public paths stay public.
    /// Default: no rules, and whoever satisfies `access` may do everything. Where one allows a network, the
    /// [`allowed_hosts`](Self::allowed_hosts) must be named, too.
    pub fn rules(mut self, rules: impl IntoIterator<Item = Rule>) -> Self {
        self.rules = rules.into_iter().collect();
        self
    }

    /// The networks that clients may ask from at all, even for the login page: addresses, or networks in CIDR notation.
    /// Default: any.
    pub fn allowed_networks(mut self, networks: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.allowed_networks = networks.into_iter().map(Into::into).collect();
        self
    }

    /// Refuses requests that came over plain HTTP, unless their client is on this machine. Behind a proxy that ends TLS,
    /// that one must be among [`trusted_proxies`](Self::trusted_proxies) to be believed. Default: no.
    pub fn require_tls(mut self, required: bool) -> Self {
        self.require_tls = required;
        self
    }

    /// What becomes of requests that another site may have made a browser send. Default: they are refused.
    pub fn cross_site(mut self, cross_site: CrossSite) -> Self {
        self.cross_site = cross_site;
        self
    }

    /// The proxies whose forwarded fields are believed: addresses, networks in CIDR notation, or `unix`. Default: none.
    pub fn trusted_proxies(mut self, proxies: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.proxies = proxies.into_iter().map(Into::into).collect();
        self
    }

    /// Which forwarded fields the trusted proxies write. Default: [`ForwardedFields::XForwarded`], or
    /// [`ForwardedFields::XForwardedHost`] with [`forward_auth`](Self::forward_auth), which needs it.
    pub fn forwarded_fields(mut self, fields: ForwardedFields) -> Self {
        self.forwarded_fields = Some(fields);
        self
    }

    /// The hosts that requests may name, with or without a port; any other is 400. Default: any.
    pub fn allowed_hosts(mut self, hosts: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.allowed_hosts = hosts.into_iter().map(Into::into).collect();
        self
    }

    /// More header fields that are stripped from requests because the dashboard reads an identity from them. The
    /// usual ones (`X-Auth-User`, `X-Forwarded-User`, `Remote-User`…) always are.
    pub fn identity_headers(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.identity_headers = names.into_iter().map(Into::into).collect();
        self
    }

    /// The realm in challenges (RFC 9110 §11.5), and of sealed sessions: gates that share keys share sign-ins only if they
    /// share it, too, and changing it ends all sealed sessions. Default `dashboard`.
    pub fn realm(mut self, realm: impl Into<String>) -> Self {
        self.realm = realm.into();
        self
    }

    /// The dashboard's name on the gate's pages. Default `Dashboard`.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// The line above the heading on the gate's pages. Default: the title.
    pub fn logo(mut self, text: impl Into<String>) -> Self {
        self.logo = Some(text.into());
        self
    }

    /// Every other text on the gate's pages. Default: English.
    pub fn texts(mut self, texts: Texts) -> Self {
        self.texts = texts;
        self
    }

    /// How sessions are kept. Default, where a backend signs people in by password: [`Sessions::records`].
    pub fn sessions(mut self, sessions: Sessions) -> Self {
        self.sessions = Some(sessions);
        self
    }

    /// Shares sessions, their ends, and the count of tries to sign in with other gates, by way of a store that the driver
    /// asks. It is for a store that many processes share, whether sessions are records in it or sealed. Default: no.
    pub fn sharing(mut self, sharing: Sharing) -> Self {
        self.sharing = Some(sharing);
        self
    }

    /// How many tries to sign in are allowed. Default: 10 for a network and 10 for a user, then ever longer delays.
    pub fn throttle(mut self, limits: ThrottleLimits) -> Self {
        self.throttle = limits;
        self
    }

    /// How large a request head may be. Default 64 KiB and 100 fields.
    pub fn head_limits(mut self, limits: HeadLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Puts the gate in front of another server. Default: what is behind it is this process's own.
    pub fn upstream(mut self, upstream: Upstream) -> Self {
        self.upstream = Some(upstream);
        self
    }

    /// Answers a proxy that asks about each request before it passes that on itself: nginx's `auth_request` at
    /// [`Gate::AUTH_REQUEST`], Caddy's `forward_auth` and Traefik's `forwardAuth` at [`Gate::FORWARD_AUTH`], both below the mount.
    /// Beside them there are the login and logout pages, and nothing else. Needs [`trusted_proxies`](Self::trusted_proxies).
    ///
    /// Whoever is let in is announced on the empty 204, in the fields that [`upstream`](Self::upstream) names, with
    /// `Cookie` as the dashboard should see it. Default: no.
    pub fn forward_auth(mut self) -> Self {
        self.forward_auth = true;
        self
    }

    /// Takes the place of a gate that has been built before, with other settings: tries to sign in stay counted, and
    /// sessions that have ended stay so. Both gates go on with one memory. Default: nothing is known.
    ///
    /// Limits of the [`throttle`](Self::throttle) that differ begin to count anew.
    pub fn succeeding(mut self, predecessor: &Gate) -> Self {
        self.predecessor = Some(predecessor.clone());
        self
    }

    /// Checks all settings and prepares what can be.
    ///
    /// # Errors
    /// The first setting that is unusable, what is wrong with it and the remedy.
    pub fn build(self) -> Result<Gate, ConfigError> {
        let mount = Mount::parse(&self.mount)?;
        let prefix = if self.forward_auth { "/authgate" } else { "" };
        let login_path = self.login_path.unwrap_or_else(|| format!("{prefix}/login"));
        let logout_path = self.logout_path.unwrap_or_else(|| format!("{prefix}/logout"));
        for (field, path) in [("login_path", &login_path), ("logout_path", &logout_path)] {
            check_path(field, path)?;
            if self.forward_auth && [Gate::AUTH_REQUEST, Gate::FORWARD_AUTH].contains(&path.as_str()) {
                return Err(ConfigError::new(
                    field,
                    format!("{path:?} is where proxies ask"),
                    "choose another",
                ));
            }
        }
        if login_path == logout_path {
            return Err(ConfigError::new("logout_path", "it is the login path, too", "choose another"));
        }
        let routes = routes(&self.backends, [&login_path, &logout_path])?;
        let forwarded_fields = forwarded_fields(self.forward_auth, self.forwarded_fields, &self.proxies)?;
        let upstream = self.upstream.or_else(|| self.forward_auth.then(Upstream::new));
        let mut sessions = sessions(&self.backends, self.sessions)?
            .map(|sessions| sessions.prepare(&self.realm, self.sharing))
            .transpose()?;
        if self.sharing.is_some() && sessions.is_none() {
            let problem = "no backend makes sessions that could be shared";
            return Err(ConfigError::new("sharing", problem, "add a `PasswordBackend`, or leave it out"));
        }
        let before = self.predecessor.as_ref().map(Gate::settings);
        let ended_before = before.and_then(|old| old.endings.clone());
        if let (Some(sessions), Some(endings)) = (&mut sessions, &ended_before) {
            sessions.succeed(endings);
        }
        let endings = sessions.as_ref().map(SessionRules::shared_endings).or(ended_before);
        let throttle = Throttle::new(self.throttle)?;
        let throttle = match &self.predecessor {
            Some(old) if old.throttle().limits() == self.throttle => Arc::clone(&old.settings().throttle),
            _ => Arc::new(Mutex::new(throttle)),
        };
        let cookies = sessions.iter().flat_map(SessionRules::cookie_names).map(str::to_owned);
        let upstream_rules =
            upstream.as_ref().map(|upstream| upstream.prepare(cookies.collect())).transpose()?;
        let mut identity_headers = self.identity_headers;
        identity_headers.extend(upstream.iter().flat_map(Upstream::identity_headers));
        Ok(Gate::from_settings(Settings {
            login: LocalPath::at(&login_path, &mount),
            mount,
            routes,
            public: public_paths(&self.exact, &self.prefixes)?,
            proxies: TrustedProxies::parse(self.proxies.iter().map(String::as_str), forwarded_fields)?,
            allowed_hosts: AllowedHosts::parse(&self.allowed_hosts)?,
            identity: Arc::new(IdentityHeaders::new(&identity_headers)?),
            challenges: challenges(&self.backends, &self.realm)?,
            pages: Pages::new(&self.title, self.logo, self.texts)?,
            sessions,
            endings,
            throttle,
            limits: check_limits(self.limits)?,
            backends: self.backends,
            login_path,
            logout_path,
            rules: rules(self.rules, &self.access, !self.allowed_hosts.is_empty())?,
            access: self.access,
            allowed_networks: allowed_networks(&self.allowed_networks)?,
            require_tls: self.require_tls,
            cross_site: self.cross_site,
            upstream: upstream_rules.map(Arc::new),
            forward_auth: self.forward_auth,
        }))
    }
}

/// Sessions are for the backend that makes them, which is the first; it has some, whether they were asked for or not.
fn sessions(
    backends: &[Box<dyn AuthBackend>],
    asked: Option<Sessions>,
) -> Result<Option<Sessions>, ConfigError> {
    let signs_in = |backend: &dyn AuthBackend| {
        matches!(backend.login(), LoginAnswer::Password | LoginAnswer::PasswordForHost)
    };
    if backends.iter().skip(1).any(|backend| signs_in(backend.as_ref())) {
        return Err(ConfigError::new(
            "backend",
            "the password backend is not the first",
            "give it to `Gate::builder`, and the others to `backend`",
        ));
    }
    let first = backends.first().map(|backend| backend.login());
    match (matches!(first, Some(LoginAnswer::Password)), asked) {
        (true, asked) => Ok(Some(asked.unwrap_or_default())),
        (false, None) => Ok(None),
        (false, Some(_)) => Err(ConfigError::new(
            "sessions",
            "no backend makes any",
            "add a `PasswordBackend`, or leave them out",
        )),
    }
}

/// Two tables of who may pass would have to agree. And where a network is proof enough, any page could have its name lead
/// here and read along (DNS rebinding), were it not for the names that are ours.
fn rules(rules: Vec<Rule>, access: &Access, hosts_are_known: bool) -> Result<Option<RuleSet>, ConfigError> {
    if rules.is_empty() {
        return Ok(None);
    }
    if *access != Access::default() {
        let problem = "they stand beside `access`, which says who may pass, too";
        return Err(ConfigError::new("rules", problem, "say it in the rules alone"));
    }
    let rules = RuleSet::new(rules);
    if rules.has_networks() && !hosts_are_known {
        let problem = "rules let networks pass, and every host is allowed, so any web page could come in through a browser there";
        return Err(ConfigError::new(
            "allowed_hosts",
            problem,
            "name the hosts of the dashboard, such as \"dash.example\"",
        ));
    }
    Ok(Some(rules))
}

fn allowed_networks(entries: &[String]) -> Result<Networks, ConfigError> {
    let mut networks = Networks::default();
    for entry in entries {
        networks.push(Networks::parse_one(entry).ok_or_else(|| {
            let problem = format!("{entry:?} is neither an address nor a network of somebody's");
            let remedy = "write for example \"10.0.0.0/8\", or leave it out to let in every network";
            ConfigError::new("allowed_networks", problem, remedy)
        })?);
    }
    Ok(networks)
}

/// What a proxy that asks must write, it must be able to be believed for.
fn forwarded_fields(
    forward_auth: bool,
    asked: Option<ForwardedFields>,
    proxies: &[String],
) -> Result<ForwardedFields, ConfigError> {
    if !forward_auth {
        return Ok(asked.unwrap_or_default());
    }
    if proxies.is_empty() {
        return Err(ConfigError::new(
            "trusted_proxies",
            "forward-auth believes only proxies that are named, and none is",
            "name the proxy's address, such as \"127.0.0.1\"",
        ));
    }
    match asked {
        None | Some(ForwardedFields::XForwardedHost) => Ok(ForwardedFields::XForwardedHost),
        Some(_) => Err(ConfigError::new(
            "forwarded_fields",
            "forward-auth is told of requests in X-Forwarded-*, with the host",
            "leave it out",
        )),
    }
}

fn check_path(field: &'static str, path: &str) -> Result<(), ConfigError> {
    if path.starts_with('/') && is_prefix(path) {
        return Ok(());
    }
    Err(ConfigError::new(
        field,
        format!("{path:?} is not a plain absolute path"),
        "write for example \"/static\"",
    ))
}

fn public_paths(exact: &[String], prefixes: &[String]) -> Result<PublicPaths, ConfigError> {
    let mut public = PublicPaths::default();
    for path in exact {
        check_path("public_path", path)?;
        public.exact.insert(path.clone());
    }
    for path in prefixes {
        check_path("public_prefix", path)?;
        let prefix = path.strip_suffix('/').unwrap_or(path);
        if prefix.is_empty() {
            return Err(ConfigError::new(
                "public_prefix",
                "\"/\" would open everything",
                "name the directories that are public, or use no gate",
            ));
        }
        public.prefixes.insert(prefix.to_owned());
    }
    Ok(public)
}

/// The backends' own paths. Each has one meaning, and each backend one name.
fn routes(backends: &[Box<dyn AuthBackend>], taken: [&str; 2]) -> Result<Vec<Route>, ConfigError> {
    let mut routes: Vec<Route> = Vec::new();
    for (index, backend) in backends.iter().enumerate() {
        if backends.iter().take(index).any(|other| other.name() == backend.name()) {
            return Err(ConfigError::new(
                "backend",
                format!("two backends are called {:?}", backend.name()),
                "give each a name of its own",
            ));
        }
        for path in backend.routes() {
            check_path("routes", &path)?;
            if taken.contains(&path.as_str()) || routes.iter().any(|route| route.path == path) {
                let problem = format!("{path:?} of the backend {:?} is taken", backend.name());
                return Err(ConfigError::new("routes", problem, "choose another path"));
            }
            routes.push(Route { path, backend: backend.name() });
        }
    }
    Ok(routes)
}

fn challenges(backends: &[Box<dyn AuthBackend>], realm: &str) -> Result<Vec<HeaderValue>, ConfigError> {
    if realm.bytes().any(|byte| !(b' '..=b'~').contains(&byte) || matches!(byte, b'"' | b'\\')) {
        let problem = format!("{realm:?} cannot stand in a header");
        return Err(ConfigError::new("realm", problem, "use visible ASCII without \" and \\"));
    }
    let challenge = |backend: &dyn AuthBackend| {
        let scheme = backend.challenge();
        let text = format!("{scheme} realm=\"{realm}\"");
        let is_scheme = !scheme.is_empty() && scheme.bytes().all(is_token);
        is_scheme.then(|| HeaderValue::from_str(&text).ok()).flatten().ok_or_else(|| {
            let problem = format!("{scheme:?} of the backend {:?} is no scheme", backend.name());
            ConfigError::new("challenge", problem, "answer one word, such as \"Bearer\"")
        })
    };
    backends.iter().map(|backend| challenge(backend.as_ref())).collect()
}

fn check_limits(limits: HeadLimits) -> Result<HeadLimits, ConfigError> {
    if (1024..=1024 * 1024).contains(&limits.bytes) && (8..=1000).contains(&limits.headers) {
        return Ok(limits);
    }
    Err(ConfigError::new(
        "head_limits",
        format!("{} bytes and {} fields are out of range", limits.bytes, limits.headers),
        "choose 1 KiB to 1 MiB and 8 to 1000 fields",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Head, JwtBackend, Key, LogoutAnswer, PasswordBackend, Proof, Timestamp};

    fn gate() -> GateBuilder {
        Gate::builder(JwtBackend::builder().key(Key::secret([7; 32]).unwrap()).build().unwrap())
    }

    fn people() -> GateBuilder {
        Gate::builder(PasswordBackend::new())
    }

    /// A name, a route if it is not empty, and a challenge.
    struct Custom(&'static str, &'static str, &'static str);

    impl AuthBackend for Custom {
        fn name(&self) -> &'static str {
            self.0
        }
        fn authenticate(&self, _: &Head<'_>, _: Timestamp) -> Proof {
            Proof::Absent
        }
        fn login(&self) -> LoginAnswer {
            LoginAnswer::Delegate
        }
        fn logout(&self) -> LogoutAnswer {
            LogoutAnswer::Delegate
        }
        fn routes(&self) -> Vec<String> {
            Some(self.1.to_owned()).filter(|path| !path.is_empty()).into_iter().collect()
        }
        fn challenge(&self) -> &str {
            self.2
        }
    }

    #[test]
    fn every_unusable_setting_is_refused_by_name() {
        let refused: Vec<(&str, GateBuilder)> = vec![
            ("backend", gate().backend(Custom("jwt", "", "Bearer"))),
            ("routes", gate().backend(Custom("custom", "callback", "Bearer"))),
            ("routes", gate().backend(Custom("custom", "/login", "Bearer"))),
            ("routes", gate().backend(Custom("a", "/x", "Bearer")).backend(Custom("b", "/x", "Bearer"))),
            ("challenge", gate().backend(Custom("custom", "/x", ""))),
            ("mount", gate().mount("//evil.example")),
            ("mount", gate().mount("ops")),
            ("login_path", gate().login_path("")),
            ("login_path", gate().login_path("login")),
            ("login_path", gate().login_path("/login?x")),
            ("logout_path", gate().logout_path("/login")),
            ("public_path", gate().public_path("")),
            ("public_prefix", gate().public_prefix("")),
            ("public_prefix", gate().public_prefix("/")),
            ("public_prefix", gate().public_prefix("/a/../b")),
            ("trusted_proxies", gate().trusted_proxies(["*"])),
            ("allowed_hosts", gate().allowed_hosts(["a/b"])),
            ("identity_headers", gate().identity_headers(["a b"])),
            ("realm", gate().realm("a\"b")),
            ("title", gate().title(" ")),
            ("head_limits", gate().head_limits(HeadLimits { bytes: 1, headers: 100 })),
            ("head_limits", gate().head_limits(HeadLimits { bytes: 4096, headers: 0 })),
            ("backend", gate().backend(PasswordBackend::new())),
            ("sessions", gate().sessions(Sessions::records())),
            ("sessions", Gate::builder(PasswordBackend::for_host()).sessions(Sessions::records())),
            ("session_secret", people().sessions(Sessions::sealed([]))),
            ("throttle", people().throttle(ThrottleLimits { tries: 0, ..ThrottleLimits::default() })),
        ];
        for (field, builder) in refused {
            let error = builder.build().unwrap_err();
            assert_eq!(error.field(), field, "{error}");
            assert!(!error.remedy().is_empty());
        }
        assert!(gate().build().is_ok() && people().build().is_ok());
    }
}
