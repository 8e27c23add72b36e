//! What visitors share: a gate that is driven here, without a runtime or sockets, a clock that stands still, a store and
//! users in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use authgate_core::{
    Account, AuthBackend, BodyError, Claims, Credentials, Decision, Fingerprint, Gate, GateBuilder, Head,
    LoginAnswer, LogoutAnswer, Lookup, MemoryStore, PasswordBackend, Peer, Proof, Proven, SealingKey,
    Sessions, Step, Timestamp, Unavailable, User, Verdict,
};

use crate::shared::Shared;
use crate::visitor::Visitor;

/// Both ways to keep sessions; a story holds in both.
pub(crate) const BOTH: [fn() -> Sessions; 2] = [Sessions::records, sealed];

/// Sealed sessions with one key.
pub(crate) fn sealed() -> Sessions {
    Sessions::sealed([key("the first key")])
}

pub(crate) fn key(name: &str) -> SealingKey {
    SealingKey::new(format!("{name:-^64}")).unwrap()
}

/// A gate under `/ops`.
pub(crate) fn gate(sessions: Sessions) -> GateBuilder {
    Gate::builder(PasswordBackend::new()).mount("/ops").public_prefix("/static").sessions(sessions)
}

/// Programs with a token of their own: `Authorization: Bearer good`.
pub(crate) struct Tokens;

impl AuthBackend for Tokens {
    fn name(&self) -> &'static str {
        "tokens"
    }
    fn authenticate(&self, head: &Head<'_>, _: Timestamp) -> Proof {
        if head.headers().text(&http::header::AUTHORIZATION) == Some("Bearer good") {
            Proof::Proven(Proven { ambient: false, ..User::new("robot").into() })
        } else {
            Proof::Absent
        }
    }
    fn login(&self) -> LoginAnswer {
        LoginAnswer::Delegate
    }
    fn logout(&self) -> LogoutAnswer {
        LogoutAnswer::Delegate
    }
    fn challenge(&self) -> &'static str {
        "Bearer"
    }
}

/// The time, for everybody who shares it.
#[derive(Clone)]
pub(crate) struct Clock(Arc<Mutex<Timestamp>>);

impl Clock {
    pub(crate) fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    /// Another clock, that shows the same now.
    pub(crate) fn apart(&self) -> Self {
        Self(Arc::new(Mutex::new(self.now())))
    }

    /// Somebody sets the clock back.
    pub(crate) fn set_back(&self, span: Duration) {
        let mut now = self.0.lock().unwrap();
        *now = now.before(span);
    }

    pub(crate) fn pass(&self, span: Duration) {
        let mut now = self.0.lock().unwrap();
        *now = now.after(span);
    }
}

/// What is known of a user, as a user file has it.
#[derive(Clone)]
pub(crate) struct Known {
    /// The id that the store answers with.
    pub(crate) id: &'static str,
    pub(crate) password: &'static str,
    pub(crate) roles: Vec<String>,
    pub(crate) is_admin: bool,
    /// Whether the store tells what became of users.
    pub(crate) tells: bool,
}

#[derive(Clone)]
pub(crate) struct World {
    pub(crate) gate: Gate,
    pub(crate) clock: Clock,
    pub(crate) store: Arc<Mutex<MemoryStore>>,
    pub(crate) users: Arc<Mutex<BTreeMap<&'static str, Known>>>,
    /// Whose passwords were asked about, in order.
    pub(crate) asked: Arc<Mutex<Vec<String>>>,
    /// What cannot be asked at the moment: `check`, `look_up`, `draw`, `load`, `create`, `renew`, `drop`, `endings`,
    /// `counts`, `swap`; `body` is cut,
    /// `slow` comes too late.
    pub(crate) down: Arc<Mutex<Vec<&'static str>>>,
    /// What gates tell each other, where they share a store.
    pub(crate) shared: Arc<Shared>,
    /// How often was drawn. Set it back, and what was drawn is drawn again.
    pub(crate) drawn: Arc<Mutex<u64>>,
    /// What the store notes about everybody, as JSON.
    pub(crate) noted: Arc<Mutex<Option<Claims>>>,
    /// All steps that were driven, as they print.
    pub(crate) printed: Arc<Mutex<Vec<String>>>,
}

impl World {
    pub(crate) fn new(gate: GateBuilder) -> Self {
        let bob = Known { id: "bob", password: "b0bs", roles: Vec::new(), is_admin: false, tells: true };
        let ada = Known { id: "ada", password: "right", roles: vec!["ops".into()], ..bob.clone() };
        let clock = Clock(Arc::new(Mutex::new(Timestamp::from_secs(1_800_000_000))));
        Self {
            gate: gate.build().unwrap(),
            shared: Arc::new(Shared::new(clock.clone())),
            clock,
            store: Arc::new(Mutex::new(MemoryStore::default())),
            users: Arc::new(Mutex::new(BTreeMap::from([("ada", ada), ("bob", bob)]))),
            asked: Arc::default(),
            down: Arc::default(),
            drawn: Arc::default(),
            noted: Arc::default(),
            printed: Arc::default(),
        }
    }

    pub(crate) fn visitor(&self) -> Visitor {
        Visitor {
            clock: self.clock.clone(),
            world: self.clone(),
            cookie: None,
            address: Peer::from(std::net::IpAddr::from([192, 0, 2, 1])),
            scheme: authgate_core::Scheme::Http,
            headers: Vec::new(),
        }
    }

    /// The same users, store and clock behind another gate: the process after a restart, or its neighbour.
    pub(crate) fn behind(&self, gate: GateBuilder) -> Self {
        Self { gate: gate.build().unwrap(), ..self.clone() }
    }

    /// From now on exactly these cannot be asked.
    pub(crate) fn only_down(&self, what: &[&'static str]) {
        *self.down.lock().unwrap() = what.to_vec();
    }

    /// What the store notes about everybody from now on.
    pub(crate) fn note(&self, json: &str) {
        *self.noted.lock().unwrap() = Claims::from_json(json);
    }

    pub(crate) fn change(&self, user: &str, change: impl FnOnce(&mut Known)) {
        change(self.users.lock().unwrap().get_mut(user).unwrap());
    }

    /// The names of the questions that were asked since this was last called.
    pub(crate) fn questions(&self) -> Vec<String> {
        let printed = std::mem::take(&mut *self.printed.lock().unwrap());
        let name = |step: String| step.split('(').next().unwrap_or_default().to_owned();
        printed.into_iter().map(name).filter(|name| name != "Done").collect()
    }

    fn is_down(&self, what: &str) -> bool {
        self.down.lock().unwrap().contains(&what)
    }

    /// The answer, if it can be had at the moment.
    fn up<T>(&self, what: &str, answer: impl FnOnce() -> T) -> Result<T, Unavailable> {
        if self.is_down(what) { Err(Unavailable::new(format!("{what} is down"))) } else { Ok(answer()) }
    }

    fn check(&self, credentials: &Credentials) -> Verdict {
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

    fn account(&self, username: &str) -> Option<(Account, Known)> {
        let known = self.users.lock().unwrap().get(username)?.clone();
        let claims = Claims::from_json("{\"from\":\"the store\"}");
        let (roles, is_admin) = (known.roles.iter().map(Into::into).collect(), known.is_admin);
        let extra = self.noted.lock().unwrap().clone();
        let user = User { roles, is_admin, claims, extra, ..User::new(known.id) };
        Some((Account { user, credential: Some(Fingerprint::of(known.password)) }, known))
    }

    fn draw(&self) -> [u8; 32] {
        let mut drawn = self.drawn.lock().unwrap();
        *drawn += 1;
        let mut bytes = [7; 32];
        bytes[8..16].copy_from_slice(&drawn.to_be_bytes());
        bytes
    }

    /// Answers whatever is asked, until there is a decision.
    pub(crate) fn drive(&self, mut step: Step, body: &[u8]) -> Decision {
        loop {
            step = match self.advance(step, body) {
                Step::Done(decision) => return decision,
                question => question,
            }
        }
    }

    /// Answers one question.
    pub(crate) fn advance(&self, step: Step, body: &[u8]) -> Step {
        self.printed.lock().unwrap().push(format!("{step:?}"));
        let (now, store) = (self.clock.now(), || self.store.lock().unwrap());
        let there = self.shared.time();
        match step {
            Step::Done(decision) => Step::Done(decision),
            Step::ReadBody(_, then) if self.is_down("body") => then.resume(Err(BodyError::Cut), now),
            Step::ReadBody(_, then) if self.is_down("slow") => then.resume(Err(BodyError::TooSlow), now),
            Step::ReadBody(limit, then) => then.resume(limit.body(body.to_vec()), now),
            Step::CheckPassword(who, then) => {
                self.asked.lock().unwrap().push(who.username.clone());
                then.resume(self.up("check", || self.check(&who)), now)
            }
            Step::LookUpUser(user, then) => then.resume(self.up("look_up", || self.look_up(&user)), now),
            Step::DrawBytes(then) => then.resume(self.up("draw", || self.draw()), now),
            Step::LoadSession(id, then) => then.resume(self.up("load", || store().load(&id, there)), now),
            Step::CreateSession(id, session, then) => {
                then.resume(self.up("create", || store().create(id, session, there)), now)
            }
            Step::RenewSession(id, session, then) => {
                then.resume(self.up("renew", || store().renew(id, session, there)), now)
            }
            Step::DropSession(id, then) => then.resume(
                self.up("drop", || {
                    store().remove(&id, there);
                    self.shared.end_session(id);
                }),
                now,
            ),
            Step::AskBackend(_, then) => then.resume(Ok(None), now),
            Step::FetchKeys(_, then) => then.resume(Err(Unavailable::new("nobody publishes keys")), now),
            Step::HearEndings(since, then) => {
                then.resume(self.up("endings", || self.shared.endings(&since)), now)
            }
            Step::LoadCounts(keys, then) => then.resume(self.up("counts", || self.shared.counts(&keys)), now),
            Step::SwapCounts(swaps, then) => then.resume(self.up("swap", || self.shared.swap(&swaps)), now),
        }
    }
}
