use authgate_core::{BodyError, Count, Timestamp};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::sessions::{KeptPlan, kept};
use super::{moments, one_of, people};
use crate::case::{Answers, At, Config, Ended, Holder, Loaded, LookedUp, News, Told, Vouched};
use crate::world::NOW;

/// Answers that are still to be written for a gate.
#[derive(Debug, Clone)]
pub struct AnswersPlan {
    answers: Answers,
    load: At<Told<Option<(KeptPlan, bool)>>>,
}

/// Any answers, right, wrong and hostile, at any moments.
pub fn answers() -> BoxedStrategy<AnswersPlan> {
    let users = (
        at(told(option::of(vouched()))),
        at(told(option::of(vouched()))),
        at(told(account())),
        at(told(looked_up())),
    );
    let stores = (at(told(Just(7_u8))), at(told(mostly(true))), at(told(mostly(true))), at(told(Just(()))));
    let load = at(told(option::weighted(0.9, (kept(), prop::bool::weighted(0.85)))));
    let shared = (vec(at(told(news())), 1..4), at(told(counts())), vec(at(told(mostly(true))), 1..4));
    let keys = vec(at(told(keys())), 1..4);
    (moments(), at(body()), users, stores, load, shared, keys)
        .prop_map(
            |(
                begin,
                body,
                (one, two, password, look_up),
                (random, create, renew, drop),
                load,
                (news, counts, swap),
                keys,
            )| {
                let answers = Answers {
                    begin,
                    body,
                    directories: [one, two],
                    keys,
                    password,
                    look_up,
                    random,
                    load: At::new(begin, Ok(None)),
                    create,
                    renew,
                    drop,
                    news,
                    counts,
                    swap,
                };
                AnswersPlan { answers, load }
            },
        )
        .boxed()
}

impl AnswersPlan {
    /// The answers to a gate.
    pub fn write(self, config: &Config) -> Answers {
        let loaded = |(kept, asked_for): (KeptPlan, bool)| Loaded { kept: kept.write(config), asked_for };
        let At { moment, answer } = self.load;
        Answers { load: At::new(moment, answer.map(|found| found.map(loaded))), ..self.answers }
    }
}

fn at<T: std::fmt::Debug + 'static>(answer: impl Strategy<Value = T> + 'static) -> BoxedStrategy<At<T>> {
    (moments(), answer).prop_map(|(moment, answer)| At { moment, answer }).boxed()
}

fn told<T: std::fmt::Debug + Clone + 'static>(
    answer: impl Strategy<Value = T> + 'static,
) -> BoxedStrategy<Told<T>> {
    prop_oneof![10 => answer.prop_map(Ok), 1 => Just(Err(()))].boxed()
}

fn mostly(answer: bool) -> BoxedStrategy<bool> {
    prop_oneof![5 => Just(answer), 1 => Just(!answer)].boxed()
}

fn body() -> BoxedStrategy<Option<BodyError>> {
    let errors = select(vec![BodyError::TooLarge, BodyError::TooSlow, BodyError::Cut]);
    option::weighted(0.1, errors).boxed()
}

fn vouched() -> BoxedStrategy<Vouched> {
    (people(), option::of(moments()), any::<bool>())
        .prop_map(|(person, until, ambient)| Vouched { person, until, ambient })
        .boxed()
}

fn credential() -> BoxedStrategy<Option<&'static str>> {
    option::of(select(vec!["old", "new", "new"])).boxed()
}

fn account() -> BoxedStrategy<Option<Holder>> {
    option::weighted(0.8, (people(), credential())).boxed()
}

fn looked_up() -> BoxedStrategy<LookedUp> {
    prop_oneof![
        3 => Just(LookedUp::Unknowable),
        5 => (people(), credential()).prop_map(|(person, credential)| LookedUp::Found(person, credential)),
        1 => Just(LookedUp::Gone),
    ]
    .boxed()
}

fn keys() -> BoxedStrategy<Vec<&'static str>> {
    prop_oneof![
        4 => Just(vec!["rsa2048", "p-256"]),
        1 => Just(vec!["rsa2048"]),
        1 => Just(vec!["p-256"]),
        1 => Just(Vec::new()),
    ]
    .boxed()
}

fn news() -> BoxedStrategy<News> {
    let ended = prop_oneof![
        (0..4_u8, past()).prop_map(|(number, at)| Ended::Session(number, at)),
        (one_of(&["ada", "bob"]), past()).prop_map(|(user, until)| Ended::User(user, until)),
    ];
    let floor = prop_oneof![4 => Just(i64::MIN), 1 => past()];
    (vec(ended, 0..3), prop::bool::weighted(0.2), floor, moments())
        .prop_map(|(ended, more, floor, now)| News { ended, more, floor, now })
        .boxed()
}

/// A moment at which some sessions had begun.
fn past() -> BoxedStrategy<i64> {
    prop_oneof![-50_000_000..0_i64, -600_000..600_000_i64].prop_map(|offset| NOW.as_millis() + offset).boxed()
}

fn counts() -> BoxedStrategy<Vec<Option<Count>>> {
    let moment = || past().prop_map(Timestamp::from_millis);
    let near = |offset: i64| Timestamp::from_millis(NOW.as_millis() + offset);
    // As somebody leaves them who has tried often, and lately; or whatever else a store may hold.
    let count = prop_oneof![
        2 => (0..20_000_000_i64, 0..500_000_i64).prop_map(move |(end, last)| Count { end: near(end), last: near(-last) }),
        1 => (moment(), moment()).prop_map(|(end, last)| Count { end, last }),
    ];
    // Four are asked for.
    let sizes = prop_oneof![2 => Just(4_usize), 1 => 0..7_usize];
    let counts = (vec(option::weighted(0.3, count), 7), sizes)
        .prop_map(|(counts, size)| counts.into_iter().take(size).collect());
    prop_oneof![1 => Just(vec![None; 4]), 1 => counts].boxed()
}
