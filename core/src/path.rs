//! One reading of a request's path, for everyone who asks what it names.
//!
//! What stands behind the gate may decode a path once, twice or not at all, may cut path parameters at `;`, and may
//! fold `..` before or after. A path is *plain* when all of them would see the same segments. Only plain paths are
//! ever public; the others are not errors, they just need a proof like everything else.

use std::borrow::Cow;

use crate::byte_class::ByteClass;

/// What every reader takes for itself, dots and slashes aside.
static BARE: ByteClass = ByteClass::alphanumeric_and(b"-_~");

/// Whether everyone behind the gate reads the same segments from `path`, however often they decode it.
///
/// Not plain: a segment `.` or `..` (also before a `;` or spaces), an escape that hides `/ \ ? #` or a control
/// character, an empty segment (one trailing slash is fine), bytes that are not UTF-8, `%u` as IIS once had it.
pub(crate) fn is_plain(path: &str) -> bool {
    is_bare(path) || is_plain_once_settled(path)
}

/// Whether there is nothing in `path` to look at twice: only letters, digits, `-`, `_`, `~` and inner dots between single
/// slashes. Nearly every path is, and all such are plain.
pub(crate) fn is_bare(path: &str) -> bool {
    let mut before = b'.';
    for byte in path.bytes() {
        if !BARE.has(byte) && (before == b'/' || !matches!(byte, b'/' | b'.')) {
            return false;
        }
        before = byte;
    }
    path.starts_with('/')
}

fn is_plain_once_settled(path: &str) -> bool {
    let Some(settled) = settle(path) else { return false };
    let Ok(text) = std::str::from_utf8(&settled) else { return false };
    let Some(rest) = text.strip_prefix('/') else { return false };
    if text.bytes().any(|byte| byte == b'\\' || byte.is_ascii_control())
        || text.contains("%u")
        || text.contains("%U")
    {
        return false;
    }
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    text == "/" || rest.split('/').all(|segment| !segment.is_empty() && !is_dots(segment))
}

/// Whether a segment, or the part of it before its parameters (RFC 3986 §3.3), is `.` or `..`; spaces behind it, which
/// Windows drops, do not make it another. Where a decoded `?` or `#` stands in it, somebody will take that for the
/// path's end.
pub(crate) fn is_dots(segment: &str) -> bool {
    let name = segment.split([';', '?', '#']).next().unwrap_or_default();
    matches!(name.trim_end_matches(' '), "." | "..")
}

/// `path` decoded until nothing changes, or nothing if an escape hid a separator or a control character.
fn settle(path: &str) -> Option<Cow<'_, [u8]>> {
    if memchr::memchr(b'%', path.as_bytes()).is_none() {
        return Some(Cow::Borrowed(path.as_bytes()));
    }
    let (settled, hidden) = decode_fully(path.as_bytes());
    (!hidden).then_some(Cow::Owned(settled))
}

/// Percent-decodes `bytes` over and over until nothing changes; also tells whether any escape, in any round, stood
/// for `/ \ ? #` or a control character.
///
/// One pass from the right does all rounds at once: two escapes never overlap (`%` is no hex digit), so the order
/// in which they are undone does not matter, and whatever a decoded `%` might begin lies already decoded behind it.
pub(crate) fn decode_fully(bytes: &[u8]) -> (Vec<u8>, bool) {
    // Reversed: the last byte is the one that stands just right of where we are.
    let mut tail: Vec<u8> = Vec::with_capacity(bytes.len());
    let mut hidden = false;
    for &byte in bytes.iter().rev() {
        tail.push(byte);
        while let [.., low, high, b'%'] = *tail.as_slice() {
            let (Some(high), Some(low)) = (hex(high), hex(low)) else { break };
            let decoded = high << 4 | low;
            hidden |= matches!(decoded, b'/' | b'\\' | b'?' | b'#') || decoded.is_ascii_control();
            tail.truncate(tail.len() - 3);
            tail.push(decoded);
        }
    }
    tail.reverse();
    (tail, hidden)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ordinary_names_are_plain() {
        for path in [
            "/",
            "/static/",
            "/static/a;b.css",
            "/static/...",
            "/static/x%20y.png",
            "/static/100%25",
            "/a%zz",
            "/caf%C3%A9",
            "/static/..a",
            "/a.b/.c",
            "/static/%2525",
        ] {
            assert!(is_plain(path), "{path}");
        }
    }

    #[test]
    fn t09_paths_that_two_readers_would_read_differently_are_not_plain() {
        for path in [
            "",
            "x",
            "//",
            "/a//b",
            "/a//",
            "/.",
            "/..",
            "/a/./b",
            "/a/../b",
            "/a/%2e%2e/b",
            "/a/%2E./b",
            "/a/%252e%252e/b",
            "/a/%25252e%2525252e/b",
            "/a/..;/b",
            "/a/..;x=1/b",
            "/a/.;",
            "/a%2fb",
            "/a%252fb",
            "/a%5cb",
            "/a\\b",
            "/a%3fb",
            "/a%23b",
            "/a%00b",
            "/a%0d%0ab",
            "/a%7f",
            "/a/%c0%ae%c0%ae/b",
            "/a%ff",
            "/a/%2%65%2%65/b",
            "/a/%u002e%u002e/b",
            "/a/..%20/b",
            "/a/..%20;x/b",
            "/a/%%32%65%%32%65/b",
            "/a%2%66b",
        ] {
            assert!(!is_plain(path), "{path}");
        }
    }

    /// The slow, obvious way: decode once, look, and again until nothing changes.
    fn decode_by_rounds(bytes: &[u8]) -> (Vec<u8>, bool) {
        let (mut now, mut hidden) = (bytes.to_vec(), false);
        loop {
            let mut next = Vec::new();
            let mut at = 0;
            while at < now.len() {
                let escape = now.get(at..at + 3).filter(|three| three[0] == b'%');
                match escape.and_then(|three| Some(hex(three[1])? << 4 | hex(three[2])?)) {
                    Some(decoded) => {
                        hidden |= b"/\\?#".contains(&decoded) || decoded.is_ascii_control();
                        next.push(decoded);
                        at += 3;
                    }
                    None => {
                        next.push(now[at]);
                        at += 1;
                    }
                }
            }
            if next == now {
                return (now, hidden);
            }
            now = next;
        }
    }

    proptest! {
        #[test]
        fn bare_paths_are_plain(path in "/?[a.~/]{0,12}", any in "[/a.;%5cC\\\\\u{e9}-]{0,12}") {
            for path in [path.as_str(), any.as_str()] {
                prop_assert!(!is_bare(path) || is_plain_once_settled(path), "{path}");
            }
        }

        #[test]
        fn one_pass_decodes_as_all_rounds_do(bytes in "[%25ef0cC/.;a]{0,40}") {
            prop_assert_eq!(decode_fully(bytes.as_bytes()), decode_by_rounds(bytes.as_bytes()));
        }

        #[test]
        fn decoding_twice_is_decoding_once(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let (once, _) = decode_fully(&bytes);
            prop_assert_eq!(decode_fully(&once), (once.clone(), false));
        }
    }
}
