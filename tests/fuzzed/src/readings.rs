//! How somebody else might read a path: slowly, one round of decoding after the other.

use percent_encoding::percent_decode;

/// `text` itself, and what it is once it has been decoded once, twice and so on, until nothing changes.
pub(crate) fn rounds(text: &str) -> Vec<Vec<u8>> {
    let mut rounds = vec![text.as_bytes().to_vec()];
    loop {
        let last = &rounds[rounds.len() - 1];
        let next: Vec<u8> = percent_decode(last).collect();
        if next == *last {
            return rounds;
        }
        rounds.push(next);
    }
}

/// Whether a segment is `.` or `..`, its parameters and the spaces behind it left out, and whatever follows an end of
/// the path.
pub(crate) fn climbs(segment: &[u8]) -> bool {
    let name = segment.split(|byte| b";?#".contains(byte)).next().unwrap_or_default();
    let spaces = name.iter().rev().take_while(|&&byte| byte == b' ').count();
    matches!(&name[..name.len() - spaces], b"." | b"..")
}

/// Whether somebody could read `%u002e` as a dot: no escape of any standard.
pub(crate) fn has_percent_u(text: &[u8]) -> bool {
    text.windows(2).any(|pair| matches!(pair, b"%u" | b"%U"))
}

/// The path below `/ops`, or nothing if it is elsewhere.
pub(crate) fn below<'p>(path: &'p str, mount: &str) -> Option<&'p str> {
    let rest = path.strip_prefix(mount)?;
    match rest.as_bytes().first() {
        None => Some("/"),
        Some(b'/') => Some(rest),
        Some(_) => None,
    }
}
