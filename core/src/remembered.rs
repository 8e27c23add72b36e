//! What texts came to when they were read, for those that come again: clients show the same token, and browsers the same
//! sealed session, for as long as it holds.
//!
//! A signature or a seal is always checked first, with the keys that there are now; only then is its text looked for here.
//! So whoever knows what is kept here can open nothing with it, and what is kept can let nobody in whom reading the text
//! once more would not. What depends on the time is judged each time.

use std::fmt;
use std::iter;
use std::sync::Mutex;

/// How many texts are remembered at most.
const PLACES: usize = 1024;

/// The longest text that is remembered, in bytes.
const LONGEST: usize = 4096;

/// Texts, and what they came to.
pub(crate) struct Remembered<T>(Box<[Mutex<Place<T>>]>);

/// Where a text is remembered, as its mark says. The mark is a part of what was checked and of no meaning, such as a
/// signature's end: the same when the text comes again, and spread evenly over all that nobody can choose.
struct Place<T> {
    /// The mark of the text that came last and was not remembered. It is, if it comes once more before another: what comes
    /// only once costs no memory, and takes nobody's place.
    last: Option<u64>,
    known: Option<(Box<[u8]>, T)>,
}

impl<T: Clone> Remembered<T> {
    /// What this text came to, if it is remembered.
    pub(crate) fn recall(&self, mark: u64, text: &[u8]) -> Option<T> {
        // Whoever would have to wait for another reads by themselves.
        let place = self.place(mark)?.try_lock().ok()?;
        let (known, came_to) = place.known.as_ref()?;
        (**known == *text).then(|| came_to.clone())
    }

    /// Notes what this text came to.
    pub(crate) fn note(&self, mark: u64, text: &[u8], came_to: &T) {
        if let Some(Ok(mut place)) = self.place(mark).map(Mutex::try_lock) {
            if place.last == Some(mark) && text.len() <= LONGEST {
                place.known = Some((text.into(), came_to.clone()));
            }
            place.last = Some(mark);
        }
    }

    fn place(&self, mark: u64) -> Option<&Mutex<Place<T>>> {
        let place = mark % self.0.len() as u64;
        self.0.get(usize::try_from(place).ok()?)
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

    fn known(remembered: &Remembered<u8>) -> [Option<u8>; 2] {
        [remembered.recall(A, b"a"), remembered.recall(B, b"b")]
    }

    #[test]
    fn what_comes_again_is_remembered_until_another_that_does_takes_its_place() {
        let remembered = Remembered::default();
        remembered.note(A, b"a", &1);
        assert_eq!(known(&remembered), [None, None]);
        remembered.note(A, b"a", &1);
        assert_eq!(known(&remembered), [Some(1), None]);
        remembered.note(B, b"b", &2);
        assert_eq!(known(&remembered), [Some(1), None]);
        remembered.note(B, b"b", &2);
        assert_eq!(known(&remembered), [None, Some(2)]);
    }

    #[test]
    fn a_text_with_the_mark_of_another_is_not_taken_for_it() {
        let remembered = Remembered::default();
        for _ in 0..2 {
            remembered.note(A, b"a", &1);
        }
        for text in [&b"b"[..], b"", b"a\0", b"aa"] {
            assert_eq!(remembered.recall(A, text), None);
        }
        assert_eq!(remembered.recall(B, b"a"), Some(1), "what counts is the text; the mark says where it is");
    }

    #[test]
    fn t29_what_is_remembered_is_bounded_in_number_and_in_length() {
        let remembered = Remembered::default();
        let long = vec![b'x'; LONGEST + 1];
        for mark in 0..4 * PLACES as u64 {
            for _ in 0..2 {
                remembered.note(mark, &mark.to_le_bytes(), &0);
                remembered.note(mark, &long, &0);
            }
        }
        let kept = remembered.0.iter().filter(|place| place.lock().unwrap().known.is_some()).count();
        assert!(kept <= PLACES);
        assert_eq!(remembered.recall(0, &long), None);
    }

    #[test]
    fn nobody_waits_for_a_place_that_somebody_is_at() {
        let remembered = Remembered::default();
        for _ in 0..2 {
            remembered.note(A, b"a", &1);
        }
        let held = remembered.place(A).unwrap().lock().unwrap();
        remembered.note(A, b"a", &1);
        assert_eq!(remembered.recall(A, b"a"), None);
        drop(held);
        assert_eq!(remembered.recall(A, b"a"), Some(1));
    }
}
