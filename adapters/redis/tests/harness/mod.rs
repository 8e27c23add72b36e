//! A Redis of one's own, others that only look like one, and what runs the tests, or says why it cannot.

mod fake;
mod log;
mod redis;
mod relay;

use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime};

use authgate_core::{
    CountKey, EndingsNews, Gate, Head, HeaderView, PasswordBackend, Session, SessionId, Sessions, Sharing,
    Step, Timestamp,
};
use authgate_redis::RedisStore;
use authgate_tower::SessionStore as _;
use libtest_mimic::{Arguments, Failed, Trial};

pub(crate) use self::fake::Fake;
pub(crate) use self::log::{Lines, listen};
pub(crate) use self::redis::{PATIENCE, Redis, free_port};
pub(crate) use self::relay::Relay;
use crate::runtime::pause;

/// Runs them; without a Redis, all of them count as ignored.
pub(crate) fn run(tests: Vec<(&'static str, fn())>) -> ExitCode {
    let there = Redis::is_installed();
    if !there {
        println!(
            "skipped: there is no redis-server on the PATH; on Debian, install the package redis-server"
        );
    }
    listen();
    let trial = |(name, test): (&'static str, fn())| {
        let ended = move || {
            test();
            Ok::<(), Failed>(())
        };
        Trial::test(name, ended).with_ignored_flag(!there)
    };
    let mut arguments = Arguments::from_args();
    arguments.ignored &= there;
    arguments.include_ignored &= there;
    libtest_mimic::run(&arguments, tests.into_iter().map(trial).collect()).exit_code()
}

pub(crate) fn now() -> Timestamp {
    SystemTime::now().into()
}

/// A session that begins now, and its id.
pub(crate) fn session(number: u8) -> (SessionId, Session) {
    authgate_tests::stores::new(number, "ada", now())
}

/// What tries of this user are counted under.
pub(crate) fn count_keys(user: &str) -> Vec<CountKey> {
    let gate =
        Gate::builder(PasswordBackend::new()).sessions(Sessions::records()).sharing(Sharing::default());
    let gate = gate.build().unwrap();
    let fields: [(&[u8], &[u8]); 2] =
        [(b"content-type", b"application/x-www-form-urlencoded"), (b"sec-fetch-site", b"same-origin")];
    let mut step = gate.begin(&Head::new("POST", "/login", HeaderView::Pairs(&fields)), now());
    loop {
        step = match step {
            Step::ReadBody(limit, then) => {
                then.resume(limit.body(format!("username={user}&password=y").into_bytes()), now())
            }
            Step::HearEndings(_, then) => {
                let (floor, now) = (Timestamp::from_millis(0), now());
                let news =
                    EndingsNews { endings: Vec::new(), position: "1-1".to_owned(), more: false, floor, now };
                then.resume(Ok(news), now)
            }
            Step::LoadCounts(keys, _) => return keys,
            other => panic!("not a step before the counts: {other:?}"),
        };
    }
}

/// Asks again and again until there is an answer; tells how long it took.
pub(crate) async fn until_it_answers(store: &RedisStore) -> Duration {
    let begun = Instant::now();
    while store.load(session(0).0, now()).await.is_err() {
        assert!(begun.elapsed() < PATIENCE, "it never answers again");
        pause(Duration::from_millis(10)).await;
    }
    begun.elapsed()
}
