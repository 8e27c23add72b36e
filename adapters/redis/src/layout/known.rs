use std::sync::{Mutex, PoisonError};

/// The latest position in the stream of endings that was in any reply. It goes along with every request about endings, so
/// that a loss is found out before anything is appended to what is left.
#[derive(Debug, Default)]
pub struct Known(Mutex<Option<Position>>);

/// A position, in order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Position {
    at: (u64, u64),
    text: String,
}

impl Known {
    /// Takes a position that was in a reply. What is none, or not later, changes nothing.
    pub fn learn(&self, position: &str) {
        let mut latest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *latest = latest.take().max(Position::parse(position));
    }

    /// The latest of all, and of this one.
    pub fn latest(&self, position: Option<&str>) -> Option<String> {
        let latest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        latest.clone().max(position.and_then(Position::parse)).map(|position| position.text)
    }
}

impl Position {
    fn parse(text: &str) -> Option<Self> {
        let (moment, count) = text.split_once('-')?;
        Some(Self { at: (moment.parse().ok()?, count.parse().ok()?), text: text.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_stays_whatever_comes_after_it() {
        let known = Known::default();
        assert_eq!(known.latest(None), None);
        for (learnt, latest) in [
            ("9-0", "9-0"),
            ("10-0", "10-0"),
            ("9-99", "10-0"),
            ("10-2", "10-2"),
            ("10-1", "10-2"),
            ("x", "10-2"),
        ] {
            known.learn(learnt);
            assert_eq!(known.latest(None).as_deref(), Some(latest), "{learnt}");
        }
        assert_eq!(known.latest(Some("10-11")).as_deref(), Some("10-11"));
        assert_eq!(known.latest(Some("2-0")).as_deref(), Some("10-2"));
    }
}
