use std::time::Duration;

use crate::ConfigError;

const DAY: Duration = Duration::from_hours(24);

/// How many wrong passwords are too many, and what that costs.
///
/// A client network (a /32 of IPv4, a /64 of IPv6) and a user have a count of their own each. A failed try stays in it
/// until it has drained; one drains every `longest_delay`. All of it counts whole milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThrottleLimits {
    /// How many tries are free before delays begin. 10 by default; 1 to 1000.
    pub tries: u32,
    /// The delay after the last free try. It doubles with every failure from there. 1 second by default; at least a
    /// millisecond.
    pub first_delay: Duration,
    /// The longest delay, and how long it takes one failure to drain. 15 minutes by default; at most a day.
    pub longest_delay: Duration,
    /// The most networks to keep count of; likewise the most users, the most networks that signed in as some user, and
    /// the counts of those. 100 000 by default; 100 to 10 000 000.
    ///
    /// A network and a user that fail take 200 bytes together. All that there is room for takes 400 bytes times
    /// `entries`: 40 MB by default. When there is no room, what drains first is forgotten.
    pub entries: usize,
    /// For how long a network that signed in as a user keeps a count of its own for that user, which strangers cannot
    /// use up. 7 days by default; at most 366, and zero means never.
    pub remember: Duration,
}

impl Default for ThrottleLimits {
    fn default() -> Self {
        Self {
            tries: 10,
            first_delay: Duration::from_secs(1),
            longest_delay: Duration::from_mins(15),
            entries: 100_000,
            remember: 7 * DAY,
        }
    }
}

impl ThrottleLimits {
    /// Whether these limits make sense.
    ///
    /// # Errors
    /// One is outside of its range, or the first delay is longer than the longest.
    pub fn check(&self) -> Result<(), ConfigError> {
        let refuse = |problem: String, remedy| Err(ConfigError::new("throttle", problem, remedy));
        if !(1..=1000).contains(&self.tries) {
            return refuse(format!("{} free tries", self.tries), "allow 1 to 1000; 10 is the default");
        }
        if self.first_delay < Duration::from_millis(1) {
            return refuse(
                format!("a first delay of {:?}", self.first_delay),
                "1 second is the default, and a millisecond the least",
            );
        }
        if self.longest_delay > DAY || self.longest_delay < self.first_delay {
            return refuse(
                format!(
                    "a longest delay of {:?} after a first of {:?}",
                    self.longest_delay, self.first_delay
                ),
                "it is at least the first and at most a day; 15 minutes is the default",
            );
        }
        if !(100..=10_000_000).contains(&self.entries) {
            return refuse(
                format!("room for {} entries", self.entries),
                "leave room for 100 to 10000000; 100000 is the default",
            );
        }
        if self.remember > 366 * DAY {
            return refuse(
                format!("networks are remembered for {:?}", self.remember),
                "7 days is the default, and 366 days the most",
            );
        }
        Ok(())
    }

    /// How long after the last try the next may come while `level` failures count.
    pub(super) fn delay(&self, level: u32) -> Duration {
        level.checked_sub(self.tries).map_or(Duration::ZERO, |over| {
            self.first_delay.saturating_mul(2_u32.saturating_pow(over)).min(self.longest_delay)
        })
    }

    /// The most failures that can count at once: at the longest delay, one drains before the next is added.
    pub(super) fn highest_level(&self) -> u32 {
        let doublings = (0..32).find(|over| self.delay(self.tries + over) == self.longest_delay);
        self.tries + doublings.unwrap_or(32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_and_the_extremes_are_accepted() {
        let (day, least) = (DAY, Duration::from_millis(1));
        let widest = ThrottleLimits {
            tries: 1000,
            first_delay: least,
            longest_delay: day,
            entries: 10_000_000,
            remember: 366 * day,
        };
        let narrowest = ThrottleLimits {
            tries: 1,
            first_delay: least,
            longest_delay: least,
            entries: 100,
            remember: Duration::ZERO,
        };
        for limits in [ThrottleLimits::default(), widest, narrowest] {
            assert_eq!(limits.check(), Ok(()), "{limits:?}");
        }
        assert_eq!(ThrottleLimits::default().highest_level(), 20);
        assert_eq!(widest.highest_level(), 1027);
        assert_eq!(narrowest.highest_level(), 1);
    }

    #[test]
    fn nonsense_is_refused() {
        let good = ThrottleLimits::default();
        for limits in [
            ThrottleLimits { tries: 0, ..good },
            ThrottleLimits { tries: 1001, ..good },
            ThrottleLimits { first_delay: Duration::ZERO, ..good },
            ThrottleLimits { first_delay: Duration::from_micros(999), ..good },
            ThrottleLimits { longest_delay: Duration::ZERO, ..good },
            ThrottleLimits { first_delay: Duration::from_mins(16), ..good },
            ThrottleLimits { longest_delay: DAY + Duration::from_millis(1), ..good },
            ThrottleLimits { entries: 99, ..good },
            ThrottleLimits { entries: 10_000_001, ..good },
            ThrottleLimits { remember: 367 * DAY, ..good },
        ] {
            assert_eq!(limits.check().unwrap_err().field(), "throttle", "{limits:?}");
        }
    }
}
