//! A world in which nothing happens by itself: the clock is moved by hand, everybody answers by rote, and some can be down.
//!
//! The core driver asks it directly; the others through what their layer asks: a host, users, a store, a fetcher of keys.

mod answers;
mod directory;
mod host;
mod people;
mod settings;
mod shared;

use std::collections::BTreeSet;
use std::fs;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use authgate_core::{
    Decision, Gate, Head, HeaderView, KeySet, Lookup, MemoryStore, PasswordBackend, Proven, Step, Timestamp,
    Unavailable, Verdict,
};

pub use self::directory::own_page;
pub use self::host::WorldHost;
pub use self::people::verdict;
pub use self::settings::{Settings, jwt};
use self::shared::Shared;
use crate::dialogue::{Told, folder};

/// The moment at which all dialogues begin.
pub const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

/// The world of one dialogue. Clones are the same world.
#[derive(Clone)]
pub struct World(Arc<Mutex<State>>);

struct State {
    now: Timestamp,
    down: BTreeSet<String>,
    records: Vec<Told>,
    drawn: u8,
    store: MemoryStore,
    shared: Shared,
    /// What a provider's keys are put into.
    keys: Option<KeySet>,
}

impl World {
    /// A new one, with nothing in any store.
    pub fn new(keys: Option<KeySet>) -> Self {
        let (store, shared) = (MemoryStore::new(1000), Shared::default());
        let state =
            State { now: NOW, down: BTreeSet::new(), records: Vec::new(), drawn: 0, store, shared, keys };
        Self(Arc::new(Mutex::new(state)))
    }

    /// What time it is.
    pub fn now(&self) -> Timestamp {
        self.state().now
    }

    /// Time passes.
    pub fn pass(&self, span: Duration) {
        let mut state = self.state();
        state.now = state.now.after(span);
    }

    /// From now on, these questions cannot be answered, and all others can.
    pub fn take_down(&self, questions: &[String]) {
        self.state().down = questions.iter().cloned().collect();
    }

    /// Keeps a line of the audit trail.
    pub fn record(&self, told: Told) {
        self.state().records.push(told);
    }

    /// Takes what has been recorded since the last time.
    pub fn told(&self) -> Vec<Told> {
        std::mem::take(&mut self.state().records)
    }

    /// Whose a password is.
    pub fn check(&self, username: &str, password: &str) -> Result<Verdict, Unavailable> {
        self.up("CheckPassword")?;
        verdict(username, password)
    }

    /// What has become of a user.
    pub fn look_up(&self, user: &str) -> Result<Lookup, Unavailable> {
        self.up("LookUpUser")?;
        Ok(people::look_up(user))
    }

    /// Whom a backend knows by a cookie.
    pub fn who(&self, backend: &str, cookie: Option<&str>) -> Result<Option<Proven>, Unavailable> {
        self.up("AskBackend")?;
        directory::who(backend, cookie).map_err(Unavailable::new)
    }

    /// Bytes that were not drawn before.
    pub fn draw(&self) -> Result<[u8; 32], Unavailable> {
        self.up("DrawBytes")?;
        let mut state = self.state();
        state.drawn += 1;
        Ok([state.drawn; 32])
    }

    /// Fetches the provider's keys, if it is time.
    pub fn fetch_keys(&self) -> Result<(), Unavailable> {
        self.up("FetchKeys")?;
        let state = self.state();
        let (keys, now) = (state.keys.as_ref().expect("a gate with a provider"), state.now);
        keys.begin_fetch_for_token(now)?;
        let document = fs::read_to_string(folder().join("keys/jwks.json")).unwrap();
        keys.fetched(&document, None, now).unwrap();
        Ok(())
    }

    /// Whether a question can be answered.
    fn up(&self, question: &str) -> Result<(), Unavailable> {
        if self.state().down.contains(question) {
            return Err(Unavailable::new(format!("{question} is down")));
        }
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }
}

/// The cookie of somebody who signed in at the moment `since`.
pub fn session(user: &str, since: Timestamp) -> String {
    let gate = Gate::builder(PasswordBackend::new()).sessions(settings::sealed()).build().unwrap();
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
            // As no world draws them.
            Step::DrawBytes(then) => then.resume(Ok([255; 32]), since),
            Step::Done(decision) => {
                let Decision::Respond(reply) = decision else { panic!("a login is answered") };
                let (_, cookie) = reply.headers().iter().find(|(name, _)| name == "set-cookie").unwrap();
                return cookie.to_str().unwrap().split(';').next().unwrap().to_owned();
            }
            other => panic!("a sealed session is not asked about: {other:?}"),
        };
    }
}
