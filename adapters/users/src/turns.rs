use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::memory::Memory;

/// So many may wait for each turn: less than a second of work, and more than the throttle lets one visitor try at once.
/// More would only pile up threads that others need.
const MOST_WAITING_PER_TURN: usize = 24;

/// Who waited this long is sent away: whoever asked will have given up soon.
const PATIENCE: Duration = Duration::from_secs(2);

/// So many may hash at one time; a few others wait, and the rest are sent away.
///
/// Each turn owns the memory that a hash fills, 19 MiB. If the threads allocated it, the allocator would keep some of it
/// for each thread that ever hashed: gigabytes, after some hundred wrong passwords.
pub(crate) struct Turns {
    queue: Mutex<Queue>,
    freed: Condvar,
    most_waiting: usize,
    patience: Duration,
}

struct Queue {
    /// The memory of the turns that nobody has at the moment.
    free: Vec<Memory>,
    /// How many turns nobody has ever had.
    unused: usize,
    waiting: usize,
}

impl Queue {
    fn is_empty(&self) -> bool {
        self.free.is_empty() && self.unused == 0
    }

    /// A turn that was used before rather than another one, which would need memory of its own.
    fn pop(&mut self) -> Option<Memory> {
        self.free.pop().or_else(|| {
            self.unused = self.unused.checked_sub(1)?;
            Some(Memory::default())
        })
    }
}

/// The right to hash one password. It goes back when it is dropped, by a panic as well.
pub(crate) struct Turn<'a> {
    turns: &'a Turns,
    pub(crate) memory: Memory,
}

impl Turns {
    /// At least one, or nobody would ever have a turn.
    pub(crate) fn new(at_once: usize) -> Self {
        let at_once = at_once.max(1);
        Self {
            queue: Mutex::new(Queue { free: Vec::new(), unused: at_once, waiting: 0 }),
            freed: Condvar::new(),
            most_waiting: at_once.saturating_mul(MOST_WAITING_PER_TURN),
            patience: PATIENCE,
        }
    }

    /// Waits for a turn, but not for long; nothing if too many wait already or none came in time.
    pub(crate) fn take(&self) -> Option<Turn<'_>> {
        let mut queue = self.queue();
        if queue.is_empty() {
            if queue.waiting >= self.most_waiting {
                return None;
            }
            queue.waiting += 1;
            let waited = self.freed.wait_timeout_while(queue, self.patience, |queue| queue.is_empty());
            (queue, _) = waited.unwrap_or_else(PoisonError::into_inner);
            queue.waiting -= 1;
        }
        let memory = queue.pop()?;
        Some(Turn { turns: self, memory })
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        // Nothing in here is ever half changed, so a panic elsewhere does it no harm.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.turns.queue().free.push(std::mem::take(&mut self.memory));
        self.turns.freed.notify_one();
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::*;

    /// Longer than any test takes: nobody is sent away for waiting too long.
    const FOR_EVER: Duration = Duration::from_hours(1);

    impl Turns {
        pub(crate) fn with_limits(at_once: usize, most_waiting: usize, patience: Duration) -> Self {
            Self { most_waiting, patience, ..Self::new(at_once) }
        }

        pub(crate) fn for_ever(at_once: usize, most_waiting: usize) -> Self {
            Self::with_limits(at_once, most_waiting, FOR_EVER)
        }

        /// How often the memory of the turns was allocated; none may be taken.
        pub(crate) fn allocations(&self) -> usize {
            self.queue().free.iter().map(|memory| memory.allocations).sum()
        }

        /// How many blocks the turns keep; none may be taken.
        pub(crate) fn kept(&self) -> usize {
            self.queue().free.iter().map(Memory::kept).sum()
        }

        /// Returns once so many wait.
        pub(crate) fn until_waiting(&self, number: usize) {
            while self.queue().waiting < number {
                thread::yield_now();
            }
        }
    }

    #[test]
    fn as_many_as_allowed_go_at_once_and_never_more() {
        let (turns, running, most) = (Turns::for_ever(3, 12), AtomicUsize::new(0), AtomicUsize::new(0));
        // Nobody passes unless three are inside at the same time; twelve threads are four full rounds.
        let inside = Barrier::new(3);
        thread::scope(|scope| {
            for _ in 0..12 {
                scope.spawn(|| {
                    let _turn = turns.take().unwrap();
                    most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    inside.wait();
                    running.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        assert_eq!(most.into_inner(), 3);
        assert_eq!(turns.queue().free.len(), 3);
        assert_eq!(turns.queue().waiting, 0);
    }

    #[test]
    fn t29_who_finds_the_queue_full_is_sent_away_at_once() {
        let turns = Turns::for_ever(1, 2);
        let taken = turns.take();
        thread::scope(|scope| {
            let waiting = [scope.spawn(|| turns.take().is_some()), scope.spawn(|| turns.take().is_some())];
            turns.until_waiting(2);
            assert!(turns.take().is_none(), "this would take an hour otherwise");
            drop(taken);
            assert!(waiting.into_iter().all(|waiting| waiting.join().unwrap()));
        });
        assert!(turns.take().is_some());
    }

    #[test]
    fn t29_nobody_waits_longer_than_the_patience() {
        let turns = Turns::with_limits(1, 2, Duration::from_millis(1));
        let taken = turns.take();
        assert!(turns.take().is_none());
        assert_eq!(turns.queue().waiting, 0, "who was sent away leaves room for another");
        drop(taken);
        assert!(turns.take().is_some());
    }

    #[test]
    fn by_default_a_few_wait_and_not_for_long() {
        let turns = Turns::new(3);
        assert_eq!((turns.most_waiting, turns.patience), (72, Duration::from_secs(2)));
        assert!(Turns::new(usize::MAX).take().is_some(), "as many as anybody likes");
    }

    #[test]
    fn a_panic_gives_the_turn_back() {
        let turns = Turns::new(1);
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let _turn = turns.take();
            panic!("on purpose");
        }));
        assert!(panicked.is_err());
        assert!(turns.take().is_some());
    }

    #[test]
    fn nobody_waits_for_ever_for_none() {
        assert!(Turns::new(0).take().is_some());
    }

    #[test]
    fn memory_that_was_used_is_used_again_first() {
        let turns = Turns::new(3);
        for _ in 0..10 {
            turns.take().unwrap().memory.lend(8, |_| ()).unwrap();
        }
        assert_eq!(turns.allocations(), 1);
    }
}
