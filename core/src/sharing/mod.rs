//! What gates that share a store tell each other: what has ended, and how many tries to sign in there were.

mod counts;
mod news;

use std::time::Duration;

pub use self::counts::{Count, CountKey, NoCount, NoCountKey, Swap};
pub use self::news::{Ending, EndingsNews, EndingsSince};
use crate::ConfigError;

/// How a gate shares its sessions with others, by way of a store that all of them ask.
///
/// What ends before its time (a sign-out, all sessions of a user) is told to the store, and every gate remembers what it has
/// heard. Before a session counts, the memory is brought up to date, unless that was done a moment ago.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sharing {
    /// For how long the memory of what has ended may be used before the store is asked again (`revocation_delay` of
    /// `authgate serve`). So long may a session that was ended elsewhere hold here. A gate in use asks at most twice in
    /// that time, and one that is not in use does not ask. 500 milliseconds by default; a minute at most; zero asks for
    /// every request.
    pub stale: Duration,
    /// How long a stream that was let in goes on while the store cannot be asked. 30 seconds by default; an hour at most.
    pub grace: Duration,
}

impl Default for Sharing {
    fn default() -> Self {
        Self { stale: Duration::from_millis(500), grace: Duration::from_secs(30) }
    }
}

impl Sharing {
    pub(crate) fn check(self) -> Result<Self, ConfigError> {
        let refuse = |problem: String, remedy| Err(ConfigError::new("sharing", problem, remedy));
        let Self { stale, grace } = self;
        if stale > Duration::from_mins(1) {
            let problem = format!("what has ended elsewhere holds here for {stale:?}");
            return refuse(problem, "choose a minute at most; 500 ms is the default");
        }
        if grace < stale || grace > Duration::from_hours(1) {
            let problem = format!("streams go on for {grace:?} while the store is down");
            return refuse(problem, "choose at least `stale`, and an hour at most; 30 s is the default");
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nonsense_is_refused() {
        let good = Sharing::default();
        assert_eq!(good.check(), Ok(good));
        let seconds = Duration::from_secs;
        for sharing in [
            Sharing { stale: seconds(61), grace: seconds(61) },
            Sharing { grace: Duration::from_millis(499), ..good },
            Sharing { grace: seconds(3601), ..good },
        ] {
            assert_eq!(sharing.check().unwrap_err().field(), "sharing", "{sharing:?}");
        }
        let loosest = Sharing { stale: seconds(60), grace: seconds(3600) };
        assert_eq!(loosest.check(), Ok(loosest));
        let strictest = Sharing { stale: Duration::ZERO, grace: Duration::ZERO };
        assert_eq!(strictest.check(), Ok(strictest));
    }
}
