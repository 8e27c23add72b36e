//! Any configuration, any request, any answers: what the properties draw from. Most of what is drawn is nearly right, or
//! nobody would ever get in.

mod answers;
mod configs;
mod requests;
mod sessions;
mod trusts;

use std::fmt;

use proptest::prelude::*;
use proptest::sample::{select, subsequence};

pub use self::answers::answers;
pub use self::configs::{
    backends, configs, gates_that_proxies_ask, gates_with_rights, gates_with_sessions, gates_with_tokens,
    networks, rules, who,
};
pub use self::requests::{
    RequestPlan, bodies, fields, paths, requests, requests_that_fit, requests_with_sessions,
};
pub use self::sessions::{KeptPlan, kept};
pub use self::trusts::trusts;
use crate::case::{Answers, Config, Person, Request};

/// A gate, a request that was written for it, and answers.
#[derive(Clone)]
pub struct Visit {
    /// The gate.
    pub config: Config,
    /// The request.
    pub request: Request,
    /// The answers.
    pub answers: Answers,
}

// A line each, since whoever reads it has a failure to understand.
impl fmt::Debug for Visit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\n{:?}\n{:?}\n{:?}\n", self.config, self.request, self.answers)
    }
}

/// Any visit to any gate.
pub fn visits() -> BoxedStrategy<Visit> {
    visits_to(configs())
}

/// Any visit to one of these gates.
pub fn visits_to(configs: impl Strategy<Value = Config> + 'static) -> BoxedStrategy<Visit> {
    visits_of(requests(), configs.boxed())
}

fn visits_of(requests: BoxedStrategy<RequestPlan>, configs: BoxedStrategy<Config>) -> BoxedStrategy<Visit> {
    (configs, requests, answers())
        .prop_map(|(config, request, answers)| {
            let (request, answers) = (request.write(&config), answers.write(&config));
            Visit { config, request, answers }
        })
        .boxed()
}

/// Any visit of somebody with a token, to a gate that knows nothing else and lets everybody do everything whom it knows.
pub fn visits_with_tokens() -> BoxedStrategy<Visit> {
    visits_of(requests_that_fit(), gates_with_tokens())
}

/// Any visit to a gate that proxies ask.
pub fn visits_by_proxies() -> BoxedStrategy<Visit> {
    let requests = prop_oneof![1 => requests(), 1 => requests_that_fit()];
    visits_of(requests.boxed(), gates_that_proxies_ask())
}

/// Any visit of somebody with a session, to a gate that knows little else.
pub fn visits_with_sessions() -> BoxedStrategy<Visit> {
    visits_of(requests_with_sessions(), gates_with_sessions())
}

/// Any visit of somebody with a proof that fits, to a gate where all depends on what they may do.
pub fn visits_with_rights() -> BoxedStrategy<Visit> {
    visits_of(requests_that_fit(), gates_with_rights())
}

/// As many cases as usual, or as `PROPTEST_CASES` says.
pub fn cases(usual: u32) -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok());
    ProptestConfig { cases: asked.unwrap_or(usual), failure_persistence: None, ..ProptestConfig::default() }
}

/// Somebody, with whatever rights.
pub fn people() -> BoxedStrategy<Person> {
    let id = prop_oneof![6 => Just("ada"), 3 => Just("bob"), 1 => Just("")];
    (id, any::<bool>(), some_of(&["ops", "audit"]))
        .prop_map(|(id, is_admin, roles)| Person { id: id.to_owned(), is_admin, roles })
        .boxed()
}

/// Some of these, in order.
pub fn some_of(texts: &[&'static str]) -> BoxedStrategy<Vec<String>> {
    let most = texts.len();
    subsequence(texts.to_vec(), 0..=most)
        .prop_map(|texts| texts.into_iter().map(str::to_owned).collect())
        .boxed()
}

/// One of these.
pub fn one_of(texts: &[&'static str]) -> BoxedStrategy<String> {
    select(texts.to_vec()).prop_map(str::to_owned).boxed()
}

/// A moment near [`NOW`](crate::world::NOW), in milliseconds: mostly that very one.
pub fn moments() -> BoxedStrategy<i64> {
    let offset = prop_oneof![
        8 => Just(0_i64),
        2 => 0..5000_i64,
        1 => -5000..0_i64,
        1 => -100_000_000..100_000_000_i64,
    ];
    offset.prop_map(|offset| crate::world::NOW.as_millis() + offset).boxed()
}
