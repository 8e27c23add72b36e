//! No session outlives its absolute end, however often it is renewed, wherever it is kept, and whatever the clocks say.

use std::time::Duration;

use authgate_core::{Decision, EndingsNews, MemoryStore, Session, Step, Timestamp};
use authgate_tests::case::{Backend, Built, Config, Lifetimes, Person, Request};
use authgate_tests::strategies::cases;
use authgate_tests::world::NOW;
use proptest::collection::vec;
use proptest::prelude::*;

/// A gate's world: a clock, another one at the store, and what the store keeps.
struct World {
    built: Built,
    now: i64,
    /// How far the store's clock is ahead.
    ahead: i64,
    store: MemoryStore,
    cookie: Option<String>,
    /// All sessions that were ever kept.
    kept: Vec<Session>,
}

impl World {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.now)
    }

    fn store_now(&self) -> Timestamp {
        Timestamp::from_millis(self.now + self.ahead)
    }

    fn visit(&mut self, request: &Request) -> Decision {
        let mut step = request.lend(|head| self.built.gate.begin(head, self.now()));
        loop {
            let (now, there) = (self.now(), self.store_now());
            step = match step {
                Step::Done(decision) => return decision,
                Step::ReadBody(limit, then) => {
                    then.resume(limit.body(request.body.clone().into_bytes()), now)
                }
                Step::CheckPassword(_, then) => then.resume(Ok(Some(Person::new("ada").user()).into()), now),
                Step::DrawBytes(then) => then.resume(Ok([7; 32]), now),
                Step::LookUpUser(_, then) => then.resume(Ok(authgate_core::Lookup::Unknowable), now),
                Step::LoadSession(id, then) => then.resume(Ok(self.store.load(&id, there)), now),
                Step::CreateSession(id, session, then) => {
                    self.kept.push(session.clone());
                    then.resume(Ok(self.store.create(id, session, there)), now)
                }
                Step::RenewSession(id, session, then) => {
                    self.kept.push(session.clone());
                    then.resume(Ok(self.store.renew(id, session, there)), now)
                }
                Step::DropSession(id, then) => {
                    self.store.remove(&id, there);
                    then.resume(Ok(()), now)
                }
                Step::HearEndings(_, then) => {
                    let floor = Timestamp::from_millis(i64::MIN);
                    let position = "0".to_owned();
                    let news = EndingsNews { endings: Vec::new(), position, more: false, floor, now: there };
                    then.resume(Ok(news), now)
                }
                Step::LoadCounts(_, then) => then.resume(Ok(vec![None; 4]), now),
                Step::SwapCounts(_, then) => then.resume(Ok(true), now),
                other @ (Step::AskBackend(..) | Step::FetchKeys(..)) => panic!("nobody to ask: {other:?}"),
            };
        }
    }

    /// Keeps the cookie that an answer sets, if it sets one.
    fn keep(&mut self, fields: impl Iterator<Item = http::HeaderValue>) {
        for field in fields {
            let text = field.to_str().unwrap();
            if text.starts_with("authgate=") && !text.contains("Max-Age=0") {
                self.cookie = text.split(';').next().map(str::to_owned);
            }
        }
    }

    fn sign_in(&mut self) {
        let Decision::Respond(reply) = self.visit(&Request::sign_in()) else {
            panic!("a sign-in is answered")
        };
        assert_eq!(reply.status(), 303);
        let fields = reply.headers().iter().filter(|(name, _)| name == "set-cookie");
        self.keep(fields.map(|(_, value)| value.clone()).collect::<Vec<_>>().into_iter());
    }

    /// Until when a page is let through, if it is.
    fn look(&mut self) -> Option<i64> {
        let request = Request::default().with("cookie", self.cookie.clone().unwrap_or_default());
        match self.visit(&request) {
            Decision::Forward(admission) => {
                let mut headers = http::HeaderMap::new();
                admission.response_fields().apply(&mut headers);
                self.keep(headers.get_all("set-cookie").iter().cloned().collect::<Vec<_>>().into_iter());
                assert!(admission.lease().until() == admission.until);
                Some(admission.until.unwrap().as_millis())
            }
            _ => None,
        }
    }
}

/// How far the clock goes before the next visit, in percent of the idle time; backwards, too.
fn pauses() -> impl Strategy<Value = Vec<i64>> {
    let any = prop_oneof![9 => 1_i64..100, 1 => -150_i64..0, 1 => 100_i64..130];
    prop_oneof![vec(1_i64..90, 1..30), vec(any, 1..30)]
}

proptest! {
    #![proptest_config(cases(600))]

    #[test]
    fn t24_renewal_never_passes_the_absolute_end(
        sealed in any::<bool>(),
        shared in any::<bool>(),
        ahead in prop_oneof![Just(0_i64), -7_200_000_i64..7_200_000],
        idle in 60_u64..3600,
        times in 1_u64..8,
        pauses in pauses(),
        shorter in proptest::option::weighted(0.3, 1_u64..4),
    ) {
        let lifetimes = Lifetimes { idle, lifetime: idle * times, renew_every: idle / 10 };
        let shared = shared.then_some(500);
        let config = Config { backends: vec![Backend::People], sealed, shared, lifetimes,
            ..Config::default() };
        let ahead = if shared.is_some() { ahead } else { 0 };
        let mut world =
            World { built: config.build(NOW), now: NOW.as_millis(), ahead, store: MemoryStore::new(10),
                cookie: None, kept: Vec::new() };
        world.sign_in();
        let millis = |seconds: u64| i64::try_from(seconds * 1000).unwrap();
        let (begun, mut lifetime) = (world.now, millis(lifetimes.lifetime));
        let mut in_use = true;
        for (number, pause) in pauses.iter().enumerate() {
            if let (true, Some(by)) = (number == 5, shorter) {
                // Settings change, and whoever is signed in stays so, if they allow it.
                let lifetimes = Lifetimes { lifetime: (lifetimes.lifetime / by).max(idle), ..lifetimes };
                lifetime = millis(lifetimes.lifetime);
                world.built = Config { lifetimes, ..config.clone() }.build(NOW);
            }
            world.now += millis(idle) * pause / 100;
            // Renewals come a tenth of the idle time late at most.
            in_use &= (1..90).contains(pause);
            let end = begun + lifetime;
            match world.look() {
                Some(until) => {
                    prop_assert!(world.now < end, "let in {} ms after the end", world.now - end);
                    prop_assert!(until <= end, "let in until {} ms after the end", until - end);
                }
                None => prop_assert!(!in_use || world.now >= end, "out {} ms before the end",
                    end - world.now),
            }
        }
        for session in &world.kept {
            let (issued, ends) = (session.issued(), session.ends());
            prop_assert!(session.until() <= ends);
            prop_assert!(ends <= issued.after(Duration::from_secs(lifetimes.lifetime)));
            prop_assert_eq!(ends, world.kept[0].ends(), "the end of a session never moves");
        }
    }
}
