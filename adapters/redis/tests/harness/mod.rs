//! A Redis of one's own, and what runs the tests, or says why it cannot.

mod redis;

use std::process::ExitCode;
use std::time::SystemTime;

use authgate_core::{Session, SessionId, Timestamp};
use libtest_mimic::{Arguments, Failed, Trial};

pub(crate) use self::redis::Redis;

/// Runs them; without a Redis, all of them count as ignored.
pub(crate) fn run(trials: Vec<(&'static str, fn())>) -> ExitCode {
    let there = Redis::is_installed();
    if !there {
        println!(
            "skipped: there is no redis-server on the PATH; on Debian, install the package redis-server"
        );
    }
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
    libtest_mimic::run(&arguments, trials.into_iter().map(trial).collect()).exit_code()
}

pub(crate) fn now() -> Timestamp {
    SystemTime::now().into()
}

/// A session that begins now, and its id.
pub(crate) fn session(number: u8) -> (SessionId, Session) {
    authgate_tests::stores::new(number, "ada", now())
}
