//! What texts came to when they were read, for those that come again: clients show the same token for as long as it
//! holds, and browsers the same sealed session until it is renewed (as a rule every minute, if it is in use).
//!
//! A signature or a seal is always checked first, with the keys that there are now; only then is its text looked for
//! here. So whoever knows what is kept here can open nothing with it, and what is kept can let nobody in whom reading
//! the text once more would not. What depends on the time is judged each time.

use std::fmt;
use std::iter;
use std::sync::{Mutex, MutexGuard};

/// How many texts are remembered at most.
const PLACES: usize = 1024;

/// The longest text that is remembered, in bytes.
const LONGEST_TEXT: usize = 4096;

/// Texts, and what they came to. Each has one place, as its mark says: a part of what was checked and of no meaning,
/// such as a signature's end, the same when the token comes again, and spread evenly over all.
pub(crate) struct Remembered<T>(Box<[Mutex<Place<T>>]>);

struct Place<T> {
    /// The mark of the text that came last. What comes twice in a row is remembered: what comes only once costs no
    /// memory and displaces nobody, and neither does what comes in between while another is shown.
    last: Option<u64>,
    known: Option<Known<T>>,
}

struct Known<T> {
    mark: u64,
    text: Box<[u8]>,
    came_to: T,
}

impl<T: Clone> Remembered<T> {
    /// What this text came to, if it is remembered and `holds` still. What does not is forgotten.
    pub(crate) fn recall(&self, mark: u64, text: &[u8], holds: impl FnOnce(&T) -> bool) -> Option<T> {
        let mut place = self.place(mark, text)?;
        let came_to = &place.known.as_ref().filter(|known| known.is(mark, text))?.came_to;
        if !holds(came_to) {
            place.known = None;
            return None;
        }
        let came_to = came_to.clone();
        place.last = Some(mark);
        Some(came_to)
    }

    /// Notes what this text came to.
    pub(crate) fn note(&self, mark: u64, text: &[u8], came_to: &T) {
        let Some(mut place) = self.place(mark, text) else { return };
        let comes_again = place.last.replace(mark) == Some(mark);
        // It is there already if somebody else was at the place when it was looked for.
        let is_known = place.known.as_ref().is_some_and(|known| known.is(mark, text));
        if comes_again && !is_known {
            place.known = Some(Known { mark, text: text.into(), came_to: came_to.clone() });
        }
    }

    /// The text's place, unless it has none. Whoever would have to wait for another reads by themselves.
    fn place(&self, mark: u64, text: &[u8]) -> Option<MutexGuard<'_, Place<T>>> {
        let place = mark % self.0.len() as u64;
        let place = self.0.get(usize::try_from(place).ok()?).filter(|_| text.len() <= LONGEST_TEXT)?;
        place.try_lock().ok()
    }
}

impl<T> Known<T> {
    fn is(&self, mark: u64, text: &[u8]) -> bool {
        self.mark == mark && *self.text == *text
    }
}

impl<T> Default for Remembered<T> {
    fn default() -> Self {
        Self(iter::repeat_with(|| Mutex::new(Place { last: None, known: None })).take(PLACES).collect())
    }
}

// What a text says of somebody is nobody's business.
impl<T> fmt::Debug for Remembered<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Remembered(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: u64 = 7;
    const B: u64 = A + PLACES as u64;

    fn recall(remembered: &Remembered<u8>, mark: u64, text: &[u8]) -> Option<u8> {
        remembered.recall(mark, text, |_| true)
    }

    fn known(remembered: &Remembered<u8>) -> [Option<u8>; 2] {
        [recall(remembered, A, b"a"), recall(remembered, B, b"b")]
    }

    fn note_twice(remembered: &Remembered<u8>, mark: u64, text: &[u8]) {
        for _ in 0..2 {
            remembered.note(mark, text, &1);
        }
    }

    #[test]
    fn what_comes_again_is_remembered_until_another_that_does_takes_its_place() {
        let remembered = Remembered::default();
        remembered.note(A, b"a", &1);
        assert_eq!(known(&remembered), [None, None]);
        remembered.note(A, b"a", &1);
        assert_eq!(known(&remembered), [Some(1), None]);
        for _ in 0..3 {
            remembered.note(B, b"b", &2);
            assert_eq!(known(&remembered), [Some(1), None], "the other one comes in between");
        }
        for _ in 0..2 {
            remembered.note(B, b"b", &2);
        }
        assert_eq!(known(&remembered), [None, Some(2)]);
    }

    #[test]
    fn a_text_is_taken_for_no_other_whatever_its_mark() {
        let remembered = Remembered::default();
        note_twice(&remembered, A, b"a");
        for (mark, text) in [(A, &b"b"[..]), (A, b""), (A, b"a\0"), (A, b"aa"), (B, b"a")] {
            assert_eq!(recall(&remembered, mark, text), None);
        }
        assert_eq!(recall(&remembered, A, b"a"), Some(1));
    }

    #[test]
    fn what_holds_no_longer_is_forgotten_and_keeps_no_place_from_others() {
        let remembered = Remembered::default();
        note_twice(&remembered, A, b"a");
        remembered.note(B, b"b", &2);
        assert_eq!(remembered.recall(A, b"a", |came_to| *came_to != 1), None);
        assert_eq!(known(&remembered), [None, None]);
        remembered.note(B, b"b", &2);
        assert_eq!(known(&remembered), [None, Some(2)]);
    }

    #[test]
    fn what_is_too_long_comes_between_nobody() {
        let remembered = Remembered::default();
        remembered.note(A, b"a", &1);
        remembered.note(B, &[b'x'; LONGEST_TEXT + 1], &2);
        remembered.note(A, b"a", &1);
        assert_eq!(known(&remembered), [Some(1), None]);
    }

    #[test]
    fn t29_what_is_remembered_is_bounded_in_number_and_in_length() {
        let remembered = Remembered::default();
        for mark in 0..4 * PLACES as u64 {
            note_twice(&remembered, mark, &mark.to_le_bytes());
        }
        let there =
            (0..4 * PLACES as u64).filter(|mark| recall(&remembered, *mark, &mark.to_le_bytes()).is_some());
        assert_eq!(there.count(), PLACES);
        for (length, is_remembered) in [(LONGEST_TEXT, true), (LONGEST_TEXT + 1, false)] {
            note_twice(&remembered, 0, &vec![b'x'; length]);
            assert_eq!(recall(&remembered, 0, &vec![b'x'; length]).is_some(), is_remembered);
        }
    }

    #[test]
    fn nobody_waits_for_a_place_that_somebody_is_at() {
        let remembered = Remembered::default();
        note_twice(&remembered, A, b"a");
        let held = remembered.place(A, b"a").unwrap();
        remembered.note(A, b"a", &1);
        assert_eq!(recall(&remembered, A, b"a"), None);
        drop(held);
        assert_eq!(recall(&remembered, A, b"a"), Some(1));
    }

    #[test]
    fn what_is_remembered_is_not_written_anew() {
        let remembered = Remembered::default();
        note_twice(&remembered, A, b"a");
        remembered.note(A, b"a", &2);
        assert_eq!(recall(&remembered, A, b"a"), Some(1));
    }
}
