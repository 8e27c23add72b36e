//! One simulated queue as plain arithmetic over the clock: no task fills it, yet it moves whenever somebody looks.
//!
//! Everything is counted in sixtieths of a job, so that a pace in jobs per minute is a whole number per second
//! and nothing drifts by rounding. `done` is what has arrived minus what still waits, so a paused queue stands
//! still while its backlog grows, and a resumed one catches up at twice its pace.

use std::collections::VecDeque;

/// How long the queues have been at work when the program starts, so that the first page is not all zeros.
const HEAD_START: i64 = 6 * 60 * 60;

/// Stretches remembered per queue; the chart looks back a minute, and nobody toggles more often than this.
const MEMORY: usize = 64;

/// What tells one queue from another.
#[derive(Clone, Copy)]
pub(super) struct Pace {
    pub per_minute: i64,
    pub workers: i64,
    /// Shifts the rhythm, so that queues do not breathe in step.
    pub salt: i64,
}

/// What a queue shows at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counters {
    pub paused: bool,
    pub waiting: i64,
    pub running: i64,
    pub done: i64,
    pub failed: i64,
}

/// A queue's whole life: its pace, and each time that it was paused or resumed.
pub(super) struct Flow {
    pace: Pace,
    started: i64,
    stretches: VecDeque<Stretch>,
}

/// The time between two toggles.
#[derive(Clone, Copy)]
struct Stretch {
    since: i64,
    paused: bool,
    /// Seconds spent paused before this stretch.
    lost: i64,
    /// Backlog, in sixtieths of a job, that earlier pauses left behind.
    debt: i64,
}

impl Flow {
    pub(super) fn new(pace: Pace, started: i64) -> Self {
        let running = Stretch { since: started, paused: false, lost: 0, debt: 0 };
        Self { pace, started, stretches: VecDeque::from([running]) }
    }

    /// Pauses a running queue, resumes a paused one.
    pub(super) fn toggle(&mut self, now: i64) {
        let before = self.stretch(now);
        let now = now.max(before.since);
        let lost = before.lost + if before.paused { now - before.since } else { 0 };
        if self.stretches.len() == MEMORY {
            self.stretches.pop_front();
        }
        self.stretches.push_back(Stretch {
            since: now,
            paused: !before.paused,
            lost,
            debt: self.debt(before, now),
        });
    }

    pub(super) fn at(&self, time: i64) -> Counters {
        let stretch = self.stretch(time);
        let waiting = self.waiting(stretch, time);
        let arrived = self.pace.per_minute * (time - self.started + HEAD_START).max(0);
        let done = (arrived - waiting).max(0) / 60;
        Counters {
            paused: stretch.paused,
            waiting: waiting / 60,
            running: if stretch.paused { 0 } else { self.running(stretch, time) },
            done,
            failed: done / (40 + self.pace.salt * 13 % 170),
        }
    }

    fn stretch(&self, time: i64) -> Stretch {
        let current = self.stretches.iter().rev().find(|stretch| stretch.since <= time);
        let first = Stretch { since: self.started, paused: false, lost: 0, debt: 0 };
        current.or(self.stretches.front()).copied().unwrap_or(first)
    }

    fn waiting(&self, stretch: Stretch, time: i64) -> i64 {
        let period = 37 + self.pace.salt * 7 % 31;
        let phase = (stretch.own(time) + self.pace.salt * 17).rem_euclid(period);
        // A triangle whose slopes are half the pace: however it falls, `done` still rises.
        let wave = (2 * phase - period).abs() * self.pace.per_minute / 4;
        self.pace.workers * 60 + wave + self.debt(stretch, time)
    }

    fn debt(&self, stretch: Stretch, time: i64) -> i64 {
        let passed = (time - stretch.since).max(0);
        if stretch.paused {
            stretch.debt + self.pace.per_minute * passed
        } else {
            (stretch.debt - 2 * self.pace.per_minute * passed).max(0)
        }
    }

    fn running(&self, stretch: Stretch, time: i64) -> i64 {
        1 + (stretch.own(time) / 2 * 7 + self.pace.salt).rem_euclid(self.pace.workers.max(1))
    }
}

impl Stretch {
    /// The queue's own time, which stands still while it is paused.
    fn own(&self, time: i64) -> i64 {
        (if self.paused { self.since } else { time }) - self.lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow() -> Flow {
        Flow::new(Pace { per_minute: 40, workers: 5, salt: 3 }, 1_000)
    }

    #[test]
    fn the_same_second_gives_the_same_counters() {
        assert_eq!(flow().at(1_234), flow().at(1_234));
    }

    #[test]
    fn a_running_queue_moves_and_never_loses_a_finished_job() {
        let flow = flow();
        let mut seen = std::collections::BTreeSet::new();
        for time in 1_000..2_000 {
            let (before, after) = (flow.at(time), flow.at(time + 1));
            assert!(after.done >= before.done, "at {time}");
            assert!(after.failed >= before.failed, "at {time}");
            assert!((1..=5).contains(&after.running), "at {time}");
            seen.insert(after.waiting);
        }
        assert!(seen.len() > 5);
    }

    #[test]
    fn a_paused_queue_stands_still_while_its_backlog_grows() {
        let mut flow = flow();
        flow.toggle(1_100);
        let (early, late) = (flow.at(1_100), flow.at(1_400));
        assert!(late.paused);
        assert_eq!((late.running, late.done, late.failed), (0, early.done, early.failed));
        assert_eq!(late.waiting, early.waiting + 40 * 300 / 60);
    }

    #[test]
    fn a_resumed_queue_catches_up_without_a_jump() {
        let mut flow = flow();
        flow.toggle(1_100);
        let standing = flow.at(1_400);
        flow.toggle(1_400);
        assert_eq!(flow.at(1_400).waiting, standing.waiting);
        assert_eq!(flow.at(1_400).done, standing.done);
        assert!(flow.at(1_401).done > standing.done);
        assert!(flow.at(1_700).waiting < standing.waiting / 2);
    }

    #[test]
    fn the_past_stays_as_it_was() {
        let mut flow = flow();
        let before = flow.at(1_090);
        flow.toggle(1_100);
        flow.toggle(1_130);
        assert_eq!(flow.at(1_090), before);
        assert!(flow.at(1_115).paused);
    }

    #[test]
    fn endless_toggling_keeps_a_bounded_memory() {
        let mut flow = flow();
        for time in 0..1_001 {
            flow.toggle(1_000 + time);
        }
        assert_eq!(flow.stretches.len(), MEMORY);
        assert!(flow.at(5_000).paused);
    }

    #[test]
    fn a_clock_that_steps_back_breaks_nothing() {
        let mut flow = flow();
        flow.toggle(1_100);
        flow.toggle(900);
        flow.toggle(0);
        let counters = flow.at(-50_000);
        assert!(counters.waiting >= 0 && counters.done >= 0 && counters.failed >= 0);
    }
}
