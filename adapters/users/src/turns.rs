use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// So many may hash at one time; the others wait. A hash takes 19 MiB, so 200 logins at once would take 4 GB.
#[derive(Debug)]
pub(crate) struct Turns {
    free: Mutex<usize>,
    freed: Condvar,
}

/// The right to hash one password. It goes back when it is dropped, by a panic as well.
#[derive(Debug)]
pub(crate) struct Turn<'a>(&'a Turns);

impl Turns {
    /// At least one, or nobody would ever have a turn.
    pub(crate) fn new(at_once: usize) -> Self {
        Self { free: Mutex::new(at_once.max(1)), freed: Condvar::new() }
    }

    /// Waits for a turn.
    pub(crate) fn take(&self) -> Turn<'_> {
        let mut free = self.free();
        while *free == 0 {
            free = self.freed.wait(free).unwrap_or_else(PoisonError::into_inner);
        }
        *free -= 1;
        Turn(self)
    }

    fn free(&self) -> MutexGuard<'_, usize> {
        // A number cannot be half changed, so a panic elsewhere does it no harm.
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *self.0.free() += 1;
        self.0.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::*;

    #[test]
    fn as_many_as_allowed_go_at_once_and_never_more() {
        let (turns, running, most) = (Turns::new(3), AtomicUsize::new(0), AtomicUsize::new(0));
        // Nobody passes unless three are inside at the same time; twelve threads are four full rounds.
        let inside = Barrier::new(3);
        thread::scope(|scope| {
            for _ in 0..12 {
                scope.spawn(|| {
                    let _turn = turns.take();
                    most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    inside.wait();
                    running.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        assert_eq!(most.into_inner(), 3);
        assert_eq!(*turns.free(), 3);
    }

    #[test]
    fn a_panic_gives_the_turn_back() {
        let turns = Turns::new(1);
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let _turn = turns.take();
            panic!("on purpose");
        }));
        assert!(panicked.is_err());
        drop(turns.take());
    }

    #[test]
    fn nobody_waits_for_ever_for_none() {
        drop(Turns::new(0).take());
    }
}
