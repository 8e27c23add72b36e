//! A person with a browser's habits, before a gate that is driven here: no runtime, no sockets, a clock that stands
//! still, a store in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use authgate_core::{
    Account, BodyError, Credentials, Decision, Fingerprint, Gate, GateBuilder, Head, HeaderView, Lookup,
    MemoryStore, PasswordBackend, Peer, SealingKey, SessionId, Sessions, Step, Timestamp, Unavailable, User,
    Verdict,
};
use http::Response;

/// Sealed sessions with one key.
pub(crate) fn sealed() -> Sessions {
    Sessions::sealed([key("the first key")])
}

pub(crate) fn key(name: &str) -> SealingKey {
    SealingKey::new(format!("{name:-^64}")).unwrap()
}

/// The time, for everybody who shares it.
#[derive(Clone)]
pub(crate) struct Clock(Arc<Mutex<Timestamp>>);

impl Clock {
    pub(crate) fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    pub(crate) fn pass(&self, span: Duration) {
        let mut now = self.0.lock().unwrap();
        *now = now.after(span);
    }
}

/// What is known of users: id, password and whether they may enter, as a user file has it.
pub(crate) type Users = BTreeMap<&'static str, Known>;

#[derive(Clone)]
pub(crate) struct Known {
    pub(crate) password: &'static str,
    pub(crate) roles: Vec<String>,
    /// Whether the store tells what became of users.
    pub(crate) tells: bool,
}

/// What several visitors share: a gate, its store and its users.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) gate: Gate,
    pub(crate) clock: Clock,
    pub(crate) store: Arc<Mutex<MemoryStore>>,
    pub(crate) users: Arc<Mutex<Users>>,
    /// Who was asked about, in order.
    pub(crate) asked: Arc<Mutex<Vec<String>>>,
    /// What cannot be asked at the moment: `check`, `look_up`, `draw`, `load`, `create`, `renew`, `drop`.
    pub(crate) down: Arc<Mutex<Vec<&'static str>>>,
    drawn: Arc<Mutex<u8>>,
}

/// Somebody with a browser.
pub(crate) struct Visitor {
    pub(crate) world: World,
    pub(crate) clock: Clock,
    /// The cookie that the browser keeps, name and value.
    pub(crate) cookie: Option<String>,
    pub(crate) address: Peer,
    /// What the browser says besides.
    pub(crate) headers: Vec<(&'static str, String)>,
}

/// An answer, and what the log says of it.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: String,
    pub(crate) reason: &'static str,
    pub(crate) detail: String,
    pub(crate) user: Option<String>,
    pub(crate) lease: Option<authgate_core::Lease>,
}

impl World {
    pub(crate) fn new(gate: GateBuilder) -> Self {
        let ada = Known { password: "right", roles: vec!["ops".into()], tells: true };
        let bob = Known { password: "b0bs", roles: Vec::new(), tells: true };
        Self {
            gate: gate.build().unwrap(),
            clock: Clock(Arc::new(Mutex::new(Timestamp::from_secs(1_800_000_000)))),
            store: Arc::new(Mutex::new(MemoryStore::default())),
            users: Arc::new(Mutex::new(BTreeMap::from([("ada", ada), ("bob", bob)]))),
            asked: Arc::default(),
            down: Arc::default(),
            drawn: Arc::default(),
        }
    }

    pub(crate) fn visitor(&self) -> Visitor {
        Visitor {
            clock: self.clock.clone(),
            world: self.clone(),
            cookie: None,
            address: Peer::from(std::net::IpAddr::from([192, 0, 2, 1])),
            headers: Vec::new(),
        }
    }

    /// The same users, store and clock behind another gate: the process after a restart, or its neighbour.
    pub(crate) fn behind(&self, gate: GateBuilder) -> Self {
        Self { gate: gate.build().unwrap(), ..self.clone() }
    }

    fn up<T>(&self, what: &'static str, answer: T) -> Result<T, Unavailable> {
        if self.down.lock().unwrap().contains(&what) {
            Err(Unavailable::new(format!("{what} is down")))
        } else {
            Ok(answer)
        }
    }

    fn check(&self, credentials: &Credentials) -> Verdict {
        self.asked.lock().unwrap().push(credentials.username.clone());
        self.account(&credentials.username)
            .filter(|(_, known)| known.password == credentials.password.expose())
            .map(|(account, _)| account)
            .into()
    }

    fn look_up(&self, id: &str) -> Lookup {
        match self.account(id) {
            None => Lookup::Gone,
            Some((_, known)) if !known.tells => Lookup::Unknowable,
            Some((account, _)) => Lookup::Found(account),
        }
    }

    fn account(&self, id: &str) -> Option<(Account, Known)> {
        let known = self.users.lock().unwrap().get(id)?.clone();
        let user = User { roles: known.roles.clone(), ..User::new(id) };
        Some((Account { user, credential: Some(Fingerprint::of(known.password)) }, known))
    }

    fn draw(&self) -> [u8; 32] {
        let mut drawn = self.drawn.lock().unwrap();
        *drawn += 1;
        [*drawn; 32]
    }

    /// Answers whatever is asked, until there is a decision.
    pub(crate) fn drive(&self, mut step: Step, body: &[u8]) -> Decision {
        loop {
            let now = self.clock.now();
            let (id, session): (SessionId, _);
            step = match step {
                Step::Done(decision) => return decision,
                Step::ReadBody(limit, then) => {
                    let body = if self.down.lock().unwrap().contains(&"body") {
                        Err(BodyError::Cut)
                    } else {
                        limit.body(body.to_vec())
                    };
                    then.resume(body, now)
                }
                Step::CheckPassword(who, then) => {
                    then.resume(self.up("check", ()).map(|()| self.check(&who)), now)
                }
                Step::LookUpUser(user, then) => then.resume(self.up("look_up", self.look_up(&user)), now),
                Step::DrawBytes(then) => then.resume(self.up("draw", self.draw()), now),
                Step::LoadSession(id, then) => {
                    then.resume(self.up("load", ()).map(|()| self.store.lock().unwrap().load(&id, now)), now)
                }
                Step::CreateSession(new, created, then) => {
                    (id, session) = (new, created);
                    let create = |()| self.store.lock().unwrap().create(id, session, now);
                    then.resume(self.up("create", ()).map(create), now)
                }
                Step::RenewSession(id, session, then) => {
                    let renew = |()| self.store.lock().unwrap().renew(id, session, now);
                    then.resume(self.up("renew", ()).map(renew), now)
                }
                Step::DropSession(id, then) => then
                    .resume(self.up("drop", ()).map(|()| self.store.lock().unwrap().remove(&id, now)), now),
                Step::AskBackend(_, then) => then.resume(Ok(None), now),
            };
        }
    }
}

impl Visitor {
    /// Somebody before a gate under `/ops`.
    pub(crate) fn new(sessions: Sessions) -> Self {
        World::new(gate(sessions)).visitor()
    }

    pub(crate) fn get(&mut self, target: &str) -> Answer {
        self.send("GET", target, &[], b"")
    }

    /// Posts a form, as our own page would.
    pub(crate) fn post(&mut self, target: &str, form: &[(&str, &str)]) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let fields =
            [("content-type", "application/x-www-form-urlencoded"), ("sec-fetch-site", "same-origin")];
        self.send("POST", target, &fields, body.as_bytes())
    }

    /// Signs in, and must succeed.
    pub(crate) fn sign_in(&mut self, username: &str, password: &str) {
        let answer = self.post("/ops/login", &[("username", username), ("password", password)]);
        assert_eq!((answer.status, answer.reason), (303, "sign-in"), "{answer:?}");
    }

    pub(crate) fn send(
        &mut self,
        method: &str,
        target: &str,
        fields: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let cookie = self.cookie.clone().unwrap_or_default();
        let mut pairs: Vec<(&[u8], &[u8])> = vec![(b"host", b"dash.example")];
        if !cookie.is_empty() {
            pairs.push((b"cookie", cookie.as_bytes()));
        }
        pairs.extend(self.headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())));
        pairs.extend(fields.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())));
        let head = Head::new(method, target, HeaderView::Pairs(&pairs)).from_peer(self.address);
        let step = self.world.gate.begin(&head, self.clock.now());
        let answer = Answer::of(self.world.drive(step, body));
        self.keep_cookie(&answer);
        answer
    }

    fn keep_cookie(&mut self, answer: &Answer) {
        let set: Vec<_> = answer.headers.get_all("set-cookie").iter().collect();
        assert!(set.len() <= 1, "one cookie an answer: {set:?}");
        if let Some(field) = set.first().map(|field| field.to_str().unwrap()) {
            let pair = field.split(';').next().unwrap().to_owned();
            self.cookie = (!field.contains("Max-Age=0")).then_some(pair);
        }
    }
}

impl Answer {
    fn of(decision: Decision) -> Self {
        let event = decision.event();
        let (reason, detail, user) =
            (event.reason.slug(), event.detail.to_string(), event.user.map(str::to_owned));
        let (response, lease) = match decision {
            Decision::Respond(reply) => (Response::from(reply), None),
            Decision::Forward(admission) => {
                let mut response = Response::new("the dashboard".into());
                response.headers_mut().insert("cache-control", "public".parse().unwrap());
                admission.response_fields().apply(response.headers_mut());
                (response, Some(admission.lease()))
            }
            Decision::Delegate(_) => panic!("no backend here has pages of its own"),
        };
        let (parts, body) = response.into_parts();
        let body = String::from_utf8(body.to_vec()).unwrap();
        Self { status: parts.status.as_u16(), headers: parts.headers, body, reason, detail, user, lease }
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn location(&self) -> &str {
        self.header("location")
    }

    /// The value of the form field, or of the attribute, of this name.
    pub(crate) fn field(&self, name: &str) -> String {
        let input = self.body.split('<').find(|tag| tag.contains(&format!("name=\"{name}\"")));
        let (tag, attribute) = input.map_or((self.body.as_str(), name), |input| (input, "value"));
        let rest = tag.split_once(&format!(" {attribute}=\"")).map_or("", |(_, rest)| rest);
        rest.split('"').next().unwrap().replace("&amp;", "&")
    }
}

pub(crate) fn gate(sessions: Sessions) -> GateBuilder {
    Gate::builder(PasswordBackend::new()).mount("/ops").public_prefix("/static").sessions(sessions)
}
