use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::people;
use crate::case::{Config, Kept, Person};
use crate::world::NOW;

/// A session that a gate with some lifetimes has made, or one with changes that none would make.
#[derive(Debug, Clone)]
pub struct KeptPlan {
    number: u8,
    person: Person,
    credential: Option<&'static str>,
    /// How much of its lifetime has passed, in percent.
    age: i64,
    /// How much of its idle time has passed, in percent.
    unused: i64,
    /// How far `issued`, `renewed`, `until` and `ends` are off, in milliseconds.
    off: [i64; 4],
}

/// Any session.
pub fn kept() -> BoxedStrategy<KeptPlan> {
    let off =
        || prop_oneof![12 => Just(0_i64), 1 => -7_200_000..7_200_000_i64, 1 => -200_000_000..200_000_000_i64];
    let age = prop_oneof![6 => 0..100_i64, 1 => -20..0_i64, 1 => 99..130_i64];
    let unused = prop_oneof![3 => Just(0), 5 => 0..100_i64, 1 => 99..150_i64];
    (0..3_u8, people(), option::of(select(vec!["old", "new"])), age, unused, [off(), off(), off(), off()])
        .prop_map(|(number, person, credential, age, unused, off)| KeptPlan {
            number,
            person,
            credential,
            age,
            unused,
            off,
        })
        .boxed()
}

impl KeptPlan {
    /// The session as it would be now.
    pub fn write(self, config: &Config) -> Kept {
        let millis = |seconds: u64| i64::try_from(seconds * 1000).unwrap();
        let (idle, lifetime) = (millis(config.lifetimes.idle), millis(config.lifetimes.lifetime));
        let issued = NOW.as_millis() - lifetime * self.age / 100;
        let renewed = (NOW.as_millis() - idle * self.unused / 100).max(issued);
        let ends = issued + lifetime;
        let until = (renewed + idle).min(ends);
        let [off_issued, off_renewed, off_until, off_ends] = self.off;
        Kept {
            number: self.number,
            person: self.person,
            credential: self.credential,
            issued: issued + off_issued,
            renewed: renewed + off_renewed,
            until: until + off_until,
            ends: ends + off_ends,
        }
    }
}
