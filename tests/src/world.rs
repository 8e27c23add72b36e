//! A world in which nothing happens by itself: the clock stands still and a directory answers by rote.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use authgate_core::{
    Access, AuthBackend, Decision, Delegation, ForwardedFields, Gate, Head, HeaderView, JwtBackend, Key,
    LoginAnswer, LogoutAnswer, PasswordBackend, Proof, Proven, SealingKey, Sessions, Step, Timestamp,
    Unavailable, User, Verdict,
};
use authgate_tower::{Host, Record, RequestBody};
use bytes::Bytes;
use http::header::COOKIE;
use http::request::Parts;
use http::{Request, Response};
use serde::Deserialize;

use crate::dialogue::Told;
use crate::forge;

/// The moment at which all dialogues take place.
pub const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

/// A gate's settings, as a table of dialogues writes them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Any of `password`, `jwt` and `directory`, in order. Sessions are sealed, so that a cookie is all there is to them.
    pub backends: Vec<String>,
    /// The mount.
    pub mount: String,
    /// The login path.
    pub login_path: String,
    /// Exact public paths.
    pub public_paths: Vec<String>,
    /// Public prefixes.
    pub public_prefixes: Vec<String>,
    /// Only administrators.
    pub admins_only: bool,
    /// Only users with one of these.
    pub roles: Vec<String>,
    /// Networks of proxies.
    pub trusted_proxies: Vec<String>,
    /// `X-Forwarded-Host` as well.
    pub forwarded_host: bool,
    /// The only hosts.
    pub allowed_hosts: Vec<String>,
    /// More identity headers.
    pub identity_headers: Vec<String>,
    /// What an outer router has cut off the path.
    pub below: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            backends: vec!["jwt".to_owned()],
            mount: "/ops".to_owned(),
            login_path: "/login".to_owned(),
            public_paths: vec!["/healthz".to_owned()],
            public_prefixes: vec!["/static".to_owned()],
            admins_only: false,
            roles: Vec::new(),
            trusted_proxies: Vec::new(),
            forwarded_host: false,
            allowed_hosts: Vec::new(),
            identity_headers: Vec::new(),
            below: String::new(),
        }
    }
}

impl Settings {
    /// The gate.
    pub fn gate(&self) -> Gate {
        let mut builder = match self.backends[0].as_str() {
            "jwt" => Gate::builder(jwt()),
            "password" => Gate::builder(PasswordBackend::new()).sessions(sealed()),
            "directory" => Gate::builder(Directory),
            other => panic!("no backend {other}"),
        };
        for backend in &self.backends[1..] {
            builder = match backend.as_str() {
                "jwt" => builder.backend(jwt()),
                "directory" => builder.backend(Directory),
                other => panic!("no backend {other}"),
            };
        }
        for path in &self.public_paths {
            builder = builder.public_path(path);
        }
        for path in &self.public_prefixes {
            builder = builder.public_prefix(path);
        }
        let mut access = if self.admins_only { Access::admins() } else { Access::signed_in() };
        if !self.roles.is_empty() {
            access = access.and_any_role(&self.roles).unwrap();
        }
        let fields =
            if self.forwarded_host { ForwardedFields::XForwardedHost } else { ForwardedFields::XForwarded };
        builder
            .mount(&self.mount)
            .login_path(&self.login_path)
            .access(access)
            .trusted_proxies(&self.trusted_proxies)
            .forwarded_fields(fields)
            .allowed_hosts(&self.allowed_hosts)
            .identity_headers(&self.identity_headers)
            .build()
            .unwrap()
    }
}

/// Tokens that the forger signs honestly.
pub fn jwt() -> JwtBackend {
    JwtBackend::builder().key(Key::secret(forge::SECRET).unwrap()).build().unwrap()
}

/// Sessions under a key that everybody knows.
fn sealed() -> Sessions {
    Sessions::sealed([SealingKey::new(forge::SECRET).unwrap()])
}

/// The cookie of somebody who signed in at the moment `since`.
pub fn session(user: &str, since: Timestamp) -> String {
    let gate = Gate::builder(PasswordBackend::new()).sessions(sealed()).build().unwrap();
    let fields: [(&[u8], &[u8]); 2] =
        [(b"content-type", b"application/x-www-form-urlencoded"), (b"sec-fetch-site", b"same-origin")];
    let mut step = gate.begin(&Head::new("POST", "/login", HeaderView::Pairs(&fields)), since);
    loop {
        step = match step {
            Step::ReadBody(limit, then) => {
                then.resume(limit.body(format!("username={user}&password=right").into()), since)
            }
            Step::CheckPassword(who, then) => {
                then.resume(verdict(&who.username, who.password.expose()), since)
            }
            Step::DrawBytes(then) => then.resume(Ok([7; 32]), since),
            Step::Done(decision) => {
                let Decision::Respond(reply) = decision else { panic!("a login is answered") };
                let (_, cookie) = reply.headers().iter().find(|(name, _)| name == "set-cookie").unwrap();
                return cookie.to_str().unwrap().split(';').next().unwrap().to_owned();
            }
            other => panic!("a sealed session is not asked about: {other:?}"),
        };
    }
}

/// Whose a password is.
pub fn verdict(username: &str, password: &str) -> Result<Verdict, Unavailable> {
    match (username, password) {
        (_, "down") => Err(Unavailable::new("the user store is down")),
        ("ada", "right") => Ok(Some(User { name: "Ada".to_owned(), ..User::new("ada") }).into()),
        (_, "nonsense") => Ok(Some(User::new("")).into()),
        _ => Ok(Verdict::Rejected),
    }
}

/// A backend that must wait: its users show a cookie, and the driver asks who that is.
struct Directory;

impl AuthBackend for Directory {
    fn name(&self) -> &'static str {
        "directory"
    }

    fn authenticate(&self, head: &Head<'_>, _now: Timestamp) -> Proof {
        if head.headers().has(&COOKIE) { Proof::Wait } else { Proof::Absent }
    }

    fn login(&self) -> LoginAnswer {
        LoginAnswer::Delegate
    }

    fn logout(&self) -> LogoutAnswer {
        LogoutAnswer::Delegate
    }

    fn routes(&self) -> Vec<String> {
        vec!["/callback".to_owned()]
    }
}

/// Answers for the directory on any runtime, with a clock that stands still, and keeps what it is told to record.
#[derive(Clone)]
pub struct StillHost<R> {
    runtime: R,
    records: Arc<Mutex<Vec<Told>>>,
}

impl<R> StillHost<R> {
    /// On the timers of `runtime`.
    pub fn new(runtime: R) -> Self {
        Self { runtime, records: Arc::default() }
    }

    /// Takes what has been recorded since the last time.
    pub fn take(&self) -> Vec<Told> {
        std::mem::take(&mut self.records.lock().unwrap())
    }
}

impl<R: Host> Host for StillHost<R> {
    fn now(&self) -> Timestamp {
        NOW
    }

    fn sleep(&self, span: Duration) -> impl Future<Output = ()> + Send + 'static {
        self.runtime.sleep(span)
    }

    async fn authenticate(
        &self,
        _backend: &'static str,
        request: &Parts,
    ) -> Result<Option<Proven>, Unavailable> {
        who(request.headers.get(COOKIE).and_then(|cookie| cookie.to_str().ok()))
    }

    async fn answer(
        &self,
        page: &Delegation,
        _request: Request<RequestBody>,
    ) -> Result<Response<Bytes>, Unavailable> {
        Ok(Response::new(Bytes::from(own_page(page))))
    }

    fn record(&self, record: &Record<'_>) {
        record.trace();
        self.records.lock().unwrap().push(Told::of(&record.event));
    }
}

/// Whom the directory knows by a cookie.
pub fn who(cookie: Option<&str>) -> Result<Option<Proven>, Unavailable> {
    match cookie {
        Some("session=ada") => Ok(Some(User { name: "Ada".to_owned(), ..User::new("ada") }.into())),
        Some("session=down") => Err(Unavailable::new("the directory is down")),
        _ => Ok(None),
    }
}

/// What the directory's own pages say.
pub fn own_page(page: &Delegation) -> String {
    format!("{}: {:?}", page.backend, page.page)
}
