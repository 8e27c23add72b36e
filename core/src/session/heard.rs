use std::time::Duration;

use crate::Timestamp;

/// How far a gate has heard what a store has to tell, and what time it is there. Every gate has one of its own: what
/// another has heard may have been another store's.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    position: Option<String>,
    /// When it was asked for the last answer that was complete, by this gate's clock; nothing if there was none.
    at: Option<Timestamp>,
    /// When it was asked last, whether or not it has answered.
    asked: Option<Timestamp>,
    /// The time by the store's clock when it had told all.
    time: Option<Timestamp>,
    /// How far that was ahead of this gate's clock, in milliseconds.
    ahead: i64,
    /// Whatever was issued up to here has ended, as far as the store knows.
    floor: Option<Timestamp>,
}

impl Heard {
    /// Whether the store must be asked, now, for what has ended since: everything that was heard is older than `stale`,
    /// or half as old and nobody else is asking.
    pub(crate) fn must_ask(&self, stale: Duration, now: Timestamp) -> bool {
        let within = |moment: Option<Timestamp>, span: Duration| {
            moment.is_some_and(|moment| moment <= now && now < moment.after(span))
        };
        !within(self.at, stale) || !(within(self.at, stale / 2) || within(self.asked, stale / 2))
    }

    /// Notes that the store is being asked; tells up to where it has been heard.
    pub(crate) fn ask(&mut self, now: Timestamp) -> Option<String> {
        self.asked = Some(now);
        self.position.clone()
    }

    /// Whether the store knows of the time when a session was issued.
    pub(crate) fn reaches(&self, issued: Timestamp) -> bool {
        self.floor.is_none_or(|floor| issued > floor)
    }

    /// Whatever was issued up to here has ended, as far as the store knows.
    pub(crate) fn floor(&self) -> Option<Timestamp> {
        self.floor
    }

    /// The store knows of nothing before `floor`.
    pub(crate) fn begin_at(&mut self, floor: Timestamp) {
        self.floor = self.floor.max(Some(floor));
    }

    /// Notes an answer: told up to `position`, at `time` by the store's clock. It had been asked for at `asked`, and came
    /// at `now`. With `more` to come, nothing counts as told yet.
    pub(crate) fn hear(
        &mut self,
        position: String,
        more: bool,
        time: Timestamp,
        asked: Timestamp,
        now: Timestamp,
    ) {
        self.position = Some(position);
        self.ahead = time.as_millis().saturating_sub(now.as_millis());
        if !more {
            // A moment that is yet to come is left from before the clock was set back.
            let before = self.at.filter(|&at| at <= now);
            self.at = before.max(Some(asked));
            self.time = Some(time);
        }
    }

    /// Whether the store has told all within the last `span`.
    pub(crate) fn within(&self, span: Duration, now: Timestamp) -> bool {
        self.at.is_some_and(|at| at <= now && now <= at.after(span))
    }

    /// The time by the store's clock, as far as is known.
    pub(crate) fn store_time(&self, now: Timestamp) -> Timestamp {
        Timestamp::from_millis(now.as_millis().saturating_add(self.ahead))
    }

    /// The moment up to which the store has told all, by its own clock.
    pub(crate) fn told_until(&self) -> Option<Timestamp> {
        self.time
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STALE: Duration = Duration::from_millis(500);

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::from_millis(1_800_000_000_000 + milliseconds)
    }

    #[test]
    fn one_asks_while_what_was_heard_still_holds_and_everybody_once_it_does_not() {
        let mut heard = Heard::default();
        assert!(heard.must_ask(STALE, at(0)));
        heard.ask(at(0));
        assert!(heard.must_ask(STALE, at(1)), "nothing was heard yet");
        heard.hear("1".to_owned(), false, at(5), at(0), at(10));
        assert!(!heard.must_ask(STALE, at(249)));
        assert!(heard.must_ask(STALE, at(250)));
        assert_eq!(heard.ask(at(250)), Some("1".to_owned()));
        assert!(!heard.must_ask(STALE, at(251)), "somebody is asking");
        assert!(heard.must_ask(STALE, at(500)), "and has no answer");
        assert!(heard.must_ask(STALE, at(-1)), "a clock that was set back proves nothing");
        assert!(heard.must_ask(Duration::ZERO, at(0)));
    }

    #[test]
    fn what_is_told_in_part_is_not_all() {
        let mut heard = Heard::default();
        heard.hear("1".to_owned(), true, at(0), at(0), at(0));
        assert!(heard.must_ask(STALE, at(0)) && heard.told_until().is_none());
        assert!(!heard.within(Duration::from_secs(30), at(0)));
        heard.hear("2".to_owned(), false, at(7), at(0), at(1));
        assert_eq!(heard.told_until(), Some(at(7)));
        assert!(heard.within(Duration::from_secs(30), at(30_000)));
        assert!(!heard.within(Duration::from_secs(30), at(30_001)));
        assert!(!heard.within(Duration::from_secs(30), at(-1)));
    }

    #[test]
    fn the_stores_clock_may_be_ahead_or_behind() {
        for skew in [-3_600_000, 0, 3_600_000] {
            let mut heard = Heard::default();
            assert_eq!(heard.store_time(at(0)), at(0));
            heard.hear("1".to_owned(), false, at(skew), at(0), at(0));
            assert_eq!(heard.store_time(at(60)), at(skew + 60));
        }
    }

    #[test]
    fn whatever_is_as_old_as_the_stores_memory_is_not_known_to_it() {
        let mut heard = Heard::default();
        assert!(heard.floor().is_none() && heard.reaches(at(0)));
        heard.begin_at(at(5));
        heard.begin_at(at(4));
        assert_eq!(heard.floor(), Some(at(5)));
        assert!(!heard.reaches(at(5)) && heard.reaches(at(6)));
    }

    #[test]
    fn an_answer_that_was_asked_for_earlier_and_came_later_takes_nothing_back() {
        let mut heard = Heard::default();
        heard.hear("2".to_owned(), false, at(10), at(10), at(20));
        heard.hear("1".to_owned(), false, at(5), at(5), at(30));
        assert!(heard.within(Duration::from_millis(20), at(30)));
        // Unless it is from before the clock was set back.
        heard.hear("3".to_owned(), false, at(0), at(0), at(2));
        assert!(heard.within(Duration::from_millis(2), at(2)));
    }
}
