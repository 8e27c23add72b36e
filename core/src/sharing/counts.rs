use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use base64_simd::URL_SAFE_NO_PAD;

use crate::Timestamp;

/// What a count of tries to sign in is kept under: a letter for what is counted, and a digest of whose. `n` is a network,
/// `u` a user, `p` a network's tries as one user, and `k` that this network has signed in as this user. Nobody who reads
/// the store learns a name or an address from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CountKey {
    pub(crate) kind: char,
    pub(crate) digest: [u8; 16],
}

/// A count, as it is kept: written and read as two numbers, `end:last`. Its moments are by the store's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// When it has drained. A store forgets it then.
    pub end: Timestamp,
    /// When it was last added to.
    pub last: Timestamp,
}

/// A change of one count that is made only if nobody else has changed it since it was loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Swap {
    /// Which count.
    pub key: CountKey,
    /// What it was when it was loaded; nothing if there was none.
    pub was: Option<Count>,
    /// What it becomes; nothing to forget it.
    pub becomes: Option<Count>,
    /// How long the store keeps what it becomes.
    pub lasts: Duration,
}

impl fmt::Display for CountKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, URL_SAFE_NO_PAD.encode_to_string(self.digest))
    }
}

/// What [`CountKey`] cannot be read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoCountKey;

impl fmt::Display for NoCountKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this is no key of a count; it is written as a letter, a colon and 22 characters")
    }
}

impl std::error::Error for NoCountKey {}

impl FromStr for CountKey {
    type Err = NoCountKey;

    fn from_str(text: &str) -> Result<Self, NoCountKey> {
        let (kind, digest) = text.split_once(':').ok_or(NoCountKey)?;
        let mut letters = kind.chars();
        let kind = letters.next().filter(char::is_ascii_lowercase).ok_or(NoCountKey)?;
        let digest = URL_SAFE_NO_PAD.decode_to_vec(digest).map_err(|_| NoCountKey)?;
        let digest = digest.try_into().map_err(|_| NoCountKey)?;
        if letters.next().is_none() { Ok(Self { kind, digest }) } else { Err(NoCountKey) }
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.end.as_millis(), self.last.as_millis())
    }
}

/// What [`Count`] cannot be read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoCount;

impl fmt::Display for NoCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this is no count; it is written as two numbers, `end:last`")
    }
}

impl std::error::Error for NoCount {}

impl FromStr for Count {
    type Err = NoCount;

    fn from_str(text: &str) -> Result<Self, NoCount> {
        let (end, last) = text.split_once(':').ok_or(NoCount)?;
        let moment = |text: &str| text.parse().map(Timestamp::from_millis).map_err(|_| NoCount);
        Ok(Self { end: moment(end)?, last: moment(last)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_reads_back_as_it_was_written_and_nothing_else_is_one() {
        let key = CountKey { kind: 'n', digest: [7; 16] };
        assert_eq!(key.to_string().parse(), Ok(key));
        let digest = "BwcHBwcHBwcHBwcHBwcHBw";
        assert_eq!(key.to_string(), format!("n:{digest}"));
        for text in [
            "",
            "n",
            "n:",
            "n:x",
            &digest[1..],
            &format!("nn:{digest}"),
            &format!(":{digest}"),
            &format!("n:{digest}A"),
        ] {
            assert_eq!(text.parse::<CountKey>(), Err(NoCountKey), "{text:?}");
        }
        assert!(NoCountKey.to_string().contains("22 characters") && NoCount.to_string().contains("end:last"));
    }

    #[test]
    fn a_count_reads_back_as_it_was_written_and_nothing_else_is_one() {
        let count =
            Count { end: Timestamp::from_millis(1_800_000_000_123), last: Timestamp::from_millis(-5) };
        assert_eq!(count.to_string().parse(), Ok(count));
        for text in ["", "1", "1:", ":1", "1:2:3", "a:b", "1 :2"] {
            assert_eq!(text.parse::<Count>(), Err(NoCount), "{text:?}");
        }
    }
}
