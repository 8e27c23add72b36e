//! The throttle against a slow, obvious one, and against clocks that make no sense.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;

use super::{Charge, Throttle, ThrottleLimits};
use crate::{Peer, Timestamp};

const TRIES: usize = 3;
const FIRST: i64 = 1000;
const LONGEST: i64 = 5000;
const REMEMBER: i64 = 12_000;

fn limits() -> ThrottleLimits {
    let millis = |millis: i64| Duration::from_millis(millis.unsigned_abs());
    ThrottleLimits {
        tries: u32::try_from(TRIES).unwrap(),
        first_delay: millis(FIRST),
        longest_delay: millis(LONGEST),
        remember: millis(REMEMBER),
        entries: 100,
    }
}

/// One count: what is left of every charge, oldest first, and the moment of the last try.
#[derive(Default)]
struct Count {
    left: Vec<i64>,
    last: i64,
}

#[derive(Default)]
struct Model {
    now: i64,
    counts: BTreeMap<String, Count>,
    known_until: BTreeMap<String, i64>,
}

struct ModelCharge {
    at: i64,
    pair: String,
    counts: Vec<String>,
}

impl Model {
    /// The oldest charge of every count drains, millisecond by millisecond, then the next.
    fn pass(&mut self, span: i64) {
        self.now += span;
        for count in self.counts.values_mut() {
            let mut rest = span;
            while rest > 0 && !count.left.is_empty() {
                let drained = rest.min(count.left[0]);
                count.left[0] -= drained;
                rest -= drained;
                count.left.retain(|&left| left > 0);
            }
        }
    }

    fn charge(&mut self, client: &str, user: &str) -> Result<ModelCharge, i64> {
        let pair = format!("{client} as {user}");
        let known = self.known_until.get(&pair).is_some_and(|&until| self.now < until);
        let counts =
            if known { vec![pair.clone()] } else { vec![format!("from {client}"), format!("as {user}")] };
        let mut wait = 0;
        for name in &counts {
            let count = self.counts.entry(name.clone()).or_default();
            if count.left.len() >= TRIES {
                let mut delay = FIRST;
                for _ in TRIES..count.left.len() {
                    delay *= 2;
                }
                wait = wait.max(count.last + delay.min(LONGEST) - self.now);
            }
        }
        if wait > 0 {
            return Err((wait + 999) / 1000);
        }
        for name in &counts {
            let count = self.counts.get_mut(name).unwrap();
            count.left.push(LONGEST);
            count.last = self.now;
        }
        Ok(ModelCharge { at: self.now, pair, counts })
    }

    fn refund(&mut self, charge: ModelCharge) {
        if self.now < charge.at + LONGEST {
            for name in &charge.counts {
                self.counts.get_mut(name).unwrap().left.pop();
            }
        }
        self.known_until.insert(charge.pair, self.now + REMEMBER);
    }
}

#[derive(Debug, Clone)]
enum Act {
    Charge { client: usize, user: usize },
    Refund { pending: usize },
    Forget { pending: usize },
    Pass { millis: i64 },
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        8 => (0..3_usize, 0..3_usize).prop_map(|(client, user)| Act::Charge { client, user }),
        2 => any::<usize>().prop_map(|pending| Act::Refund { pending }),
        2 => any::<usize>().prop_map(|pending| Act::Forget { pending }),
        3 => prop_oneof![Just(1), Just(499), Just(500), Just(1000), Just(2000), Just(5000), 0..15_000_i64]
            .prop_map(|millis| Act::Pass { millis }),
    ]
}

const CLIENTS: [&str; 3] = ["192.0.2.1", "192.0.2.2", "2001:db8::1"];
const USERS: [&str; 3] = ["ada", "bob", "carol"];

fn client(number: usize) -> Peer {
    CLIENTS[number].parse::<std::net::IpAddr>().unwrap().into()
}

/// Moments of every size, close to each other and to both ends of time.
fn moment() -> impl Strategy<Value = i64> {
    let near = |center: i64| (-20_000..20_000_i64).prop_map(move |off| center.saturating_add(off));
    prop_oneof![any::<i64>(), near(i64::MIN), near(i64::MAX), near(0), near(1_800_000_000_000)]
}

/// As many cases as usual, or as `PROPTEST_CASES` says, which `with_cases` would not ask. Unasked, proptest takes 256.
fn cases(usual: u32) -> ProptestConfig {
    let asked = ProptestConfig::default();
    if asked.cases == 256 { ProptestConfig::with_cases(usual) } else { asked }
}

proptest! {
    #![proptest_config(cases(2000))]

    #[test]
    fn t28_it_answers_as_a_list_of_charges_does(acts in proptest::collection::vec(act(), 0..120)) {
        let start = 1_800_000_000_000;
        let mut model = Model { now: start, ..Model::default() };
        let mut throttle = Throttle::new(limits()).unwrap();
        let mut pending: Vec<(Charge, ModelCharge)> = Vec::new();
        for act in acts {
            let now = Timestamp::from_millis(model.now);
            match act {
                Act::Charge { client: number, user } => {
                    let answer = throttle.charge(client(number), USERS[user], now);
                    match (answer, model.charge(CLIENTS[number], USERS[user])) {
                        (Ok(charge), Ok(expected)) => pending.push((charge, expected)),
                        (Err(wait), Err(expected)) => {
                            prop_assert_eq!(wait, Duration::from_secs(expected.unsigned_abs()));
                        }
                        (answer, expected) => {
                            prop_assert!(false, "{:?} instead of {:?}", answer.err(), expected.err());
                        }
                    }
                }
                Act::Refund { pending: index } if !pending.is_empty() => {
                    let (charge, expected) = pending.remove(index % pending.len());
                    throttle.refund(charge, now);
                    model.refund(expected);
                }
                Act::Forget { pending: index } if !pending.is_empty() => {
                    drop(pending.remove(index % pending.len()));
                }
                Act::Refund { .. } | Act::Forget { .. } => {}
                Act::Pass { millis } => model.pass(millis),
            }
        }
    }

    #[test]
    fn t28_any_clock_is_survived_and_who_waits_as_told_is_let_try(
        acts in proptest::collection::vec((moment(), 0..3_usize, 0..3_usize, 0..4_u8), 0..60),
        end in moment(),
    ) {
        let mut throttle = Throttle::new(limits()).unwrap();
        for (millis, number, user, kind) in acts {
            let now = Timestamp::from_millis(millis);
            // A few in a row, so that the counts fill up.
            for _ in 0..4 {
                match throttle.charge(client(number), USERS[user], now) {
                    Ok(charge) if kind == 0 => throttle.refund(charge, Timestamp::from_millis(end)),
                    Ok(_) => {}
                    Err(wait) => prop_assert!((1..=5).contains(&wait.as_secs()), "{:?}", wait),
                }
            }
        }
        for (number, user) in [(0, 0), (1, 1), (2, 2)] {
            let now = Timestamp::from_millis(end);
            if let Err(wait) = throttle.charge(client(number), USERS[user], now) {
                prop_assert!((1..=5).contains(&wait.as_secs()), "{:?}", wait);
                prop_assert!(throttle.charge(client(number), USERS[user], now.after(wait)).is_ok());
            }
        }
    }
}
