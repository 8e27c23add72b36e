//! Visits at random to gates of all kinds: whatever is asked is answered well, or not, or falsely, while time passes and
//! sessions end.

use std::collections::BTreeSet;
use std::time::Duration;

use authgate_core::{
    Decision, EndingsNews, Gate, Head, HeaderView, Lookup, Session, Step, Unavailable, User,
};
use authgate_tests::dialogue::placeholder;
use authgate_tests::steps::{Pair, Walk};
use authgate_tests::world::{Settings, World};

/// How many gates of each kind, and how many visits to each.
const GATES: u64 = 50;
const VISITS: usize = 30;

/// Who signs in: nothing becomes of the first two, and the others have changed since.
const USERS: [&str; 4] = ["ada", "grace", "alan", "mary"];

/// All pairs of steps that were seen.
///
/// # Panics
/// One is not in the table.
pub(crate) fn pairs() -> BTreeSet<Pair> {
    let mut seen = BTreeSet::new();
    for sessions in ["sealed", "records"] {
        for sharing in [false, true] {
            for others in [&["keys", "directory"][..], &["directory", "annex", "keys"], &["keys"]] {
                let backends = std::iter::once("password").chain(others.iter().copied());
                let settings = Settings {
                    backends: backends.map(str::to_owned).collect(),
                    sessions: sessions.to_owned(),
                    sharing,
                    ..Settings::default()
                };
                for seed in 0..GATES {
                    seen.extend(Wanderer::new(&settings, seed).wander());
                }
            }
        }
    }
    seen
}

/// Somebody who visits one gate again and again.
struct Wanderer {
    gate: Gate,
    world: World,
    dice: Dice,
    cookies: Vec<String>,
    /// What the store has given back.
    sessions: Vec<Session>,
}

impl Wanderer {
    fn new(settings: &Settings, seed: u64) -> Self {
        let (gate, keys) = settings.build();
        let world = World::new(keys);
        Self { gate, world, dice: Dice(seed), cookies: Vec::new(), sessions: Vec::new() }
    }

    fn wander(mut self) -> BTreeSet<Pair> {
        let mut seen = BTreeSet::new();
        for _ in 0..VISITS {
            seen.extend(self.visit().pairs());
            self.time_passes();
        }
        seen
    }

    fn visit(&mut self) -> Walk {
        let user = USERS[self.dice.below(USERS.len())];
        let right = if user == "grace" { "hopper-1906" } else { "right" };
        let body = format!("username={user}&password={}", [right, right, right, "wrong"][self.dice.below(4)]);
        let (method, path) = match self.dice.below(if self.cookies.is_empty() { 4 } else { 16 }) {
            0 | 1 => ("POST", "/ops/login"),
            2 => ("POST", "/ops/logout"),
            _ => ("GET", "/ops/queues"),
        };
        let length = body.len().to_string();
        let token = ["es256", "es256-stranger"][self.dice.below(2)];
        let token = format!("Bearer {}", placeholder(token));
        let cookie = self.cookie();
        let mut fields: Vec<(&[u8], &[u8])> = vec![
            (b"host", b"dash.example"),
            (b"sec-fetch-site", b"same-origin"),
            (b"content-type", b"application/x-www-form-urlencoded"),
            (b"content-length", length.as_bytes()),
        ];
        fields.extend(cookie.as_ref().map(|cookie| (&b"cookie"[..], cookie.as_bytes())));
        if self.dice.below(4) == 0 {
            fields.push((b"authorization", token.as_bytes()));
        }
        let head = Head::new(method, path, HeaderView::Pairs(&fields));
        let mut walk = Walk::default();
        let mut step = self.gate.begin(&head, self.world.now());
        let decision = loop {
            walk.see(&step).unwrap();
            step = match step {
                Step::Done(decision) => break decision,
                question => self.answer(question, &head, body.as_bytes()),
            };
        };
        self.keep(&decision);
        walk
    }

    /// The newest that was set, or two of them, or one of the directory's, or none.
    fn cookie(&mut self) -> Option<String> {
        let (newest, any) =
            (self.cookies.last(), self.cookies.get(self.dice.below(self.cookies.len().max(1))));
        match self.dice.below(8) {
            0 => None,
            1 => Some("session=ada".to_owned()),
            2 => Some(format!("{}; {}", newest?, any?)),
            _ => newest.cloned(),
        }
    }

    fn keep(&mut self, decision: &Decision) {
        let mut headers = http::HeaderMap::new();
        match decision {
            Decision::Respond(reply) => headers.extend(reply.headers().iter().cloned()),
            Decision::Forward(admission) => admission.response_fields().apply(&mut headers),
            Decision::Delegate(_) => {}
        }
        let set =
            headers.get_all("set-cookie").iter().filter_map(|cookie| cookie.to_str().ok()?.split(';').next());
        self.cookies.extend(set.filter(|pair| pair.len() > 20).map(str::to_owned));
    }

    fn time_passes(&mut self) {
        let span = [0, 1, 11, 61, 61, 400, 2000][self.dice.below(7)];
        self.world.pass(Duration::from_secs(span));
    }

    /// As a rule what the world answers; and sometimes something happens first.
    fn answer(&mut self, question: Step, head: &Head<'_>, body: &[u8]) -> Step {
        match self.dice.below(32) {
            0 => self.world.pass(Duration::from_hours(1)),
            1 | 2 => self.gate.sign_out_everywhere(USERS[self.dice.below(2)], self.world.now()),
            _ => {}
        }
        match self.dice.below(12) {
            0 => question.unavailable(Unavailable::new("down"), self.world.now()),
            1 => self.mislead(question, head, body),
            _ => self.world.answer(question, head, body),
        }
    }

    /// Something that may be true, or may not.
    fn mislead(&mut self, question: Step, head: &Head<'_>, body: &[u8]) -> Step {
        let now = self.world.now();
        match question {
            // They came, and had been asked for before.
            Step::FetchKeys(_, then) => then.resume(Ok(()), now),
            Step::AskBackend(_, then) => then.resume(Ok(Some(User::new("").into())), now),
            Step::LookUpUser(_, then) => then.resume(Ok(Lookup::Gone), now),
            Step::LoadSession(_, then) => then.resume(Ok(self.sessions.pop()), now),
            Step::CreateSession(_, session, then) => {
                self.sessions.push(session);
                then.resume(Ok(false), now)
            }
            Step::RenewSession(_, _, then) | Step::SwapCounts(_, then) => then.resume(Ok(false), now),
            Step::HearEndings(since, then) => {
                let news = self.world.endings(&since).unwrap();
                then.resume(Ok(EndingsNews { more: true, ..news }), now)
            }
            other => self.world.answer(other, head, body),
        }
    }
}

/// The same throws in every run (splitmix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let bound = u64::try_from(bound).unwrap();
        usize::try_from((mixed ^ (mixed >> 31)) % bound).unwrap()
    }
}
