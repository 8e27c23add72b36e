//! What a path names.

use crate::case::Config;

/// Whether everybody may have what the path below the mount names.
pub(super) fn is_public(config: &Config, path: &str) -> bool {
    let is_listed = config.public_paths.iter().any(|public| public == path);
    let is_below = config.public_prefixes.iter().any(|prefix| below(path, without_slash(prefix)).is_some());
    (is_listed || is_below) && is_plain(path)
}

/// The rest of a path below a prefix; the prefix itself is its own root.
pub(super) fn below(path: &str, prefix: &str) -> Option<String> {
    match path.strip_prefix(prefix)? {
        "" => Some("/".to_owned()),
        rest if rest.starts_with('/') => Some(rest.to_owned()),
        _ => None,
    }
}

pub(super) fn without_slash(prefix: &str) -> &str {
    prefix.strip_suffix('/').unwrap_or(prefix)
}

/// Whether a link can begin with it.
pub(super) fn may_begin_a_link(prefix: &str) -> bool {
    let is_link = |c: char| c.is_ascii_graphic() && !"?#\\\"<>^`{}".contains(c);
    prefix.is_empty() || (prefix.chars().all(is_link) && is_plain(prefix))
}

/// Whether there are no two ways to read the path: round after round of decoding shows the same segments.
pub(super) fn is_plain(path: &str) -> bool {
    let mut text = path.as_bytes().to_vec();
    loop {
        let (next, hid_something) = decode(&text, |_| true);
        if hid_something || !has_plain_segments(&text) {
            return false;
        }
        if next == text {
            return std::str::from_utf8(&text).is_ok();
        }
        text = next;
    }
}

fn has_plain_segments(text: &[u8]) -> bool {
    let Some((b'/', rest)) = text.split_first() else { return false };
    let odd = |byte: &u8| byte.is_ascii_control() || *byte == b'\\';
    let has_percent_u = text.windows(2).any(|two| two == b"%u" || two == b"%U");
    let rest = rest.strip_suffix(b"/").unwrap_or(rest);
    let mut segments = rest.split(|byte| *byte == b'/');
    let is_plain =
        text == b"/" || segments.all(|segment| !segment.is_empty() && !b"..".starts_with(&name(segment)));
    is_plain && !text.iter().any(odd) && !has_percent_u
}

/// A segment without its parameters and the spaces behind it. An empty one is no dots.
fn name(segment: &[u8]) -> Vec<u8> {
    let name = segment.split(|byte| *byte == b';').next().unwrap_or_default();
    let name = String::from_utf8_lossy(name).trim_end_matches(' ').as_bytes().to_vec();
    if name.is_empty() { b"-".to_vec() } else { name }
}

/// One round of decoding the escapes that are asked for; and whether any hid what separates, or a control character.
fn decode(text: &[u8], which: impl Fn(u8) -> bool) -> (Vec<u8>, bool) {
    let digit = |at: usize| text.get(at).and_then(|digit| char::from(*digit).to_digit(16));
    let (mut decoded, mut hid, mut at) = (Vec::new(), false, 0);
    while at < text.len() {
        let escape = digit(at + 1).zip(digit(at + 2)).filter(|_| text[at] == b'%');
        let byte = escape.and_then(|(high, low)| u8::try_from(high * 16 + low).ok()).filter(|b| which(*b));
        match byte {
            Some(byte) => {
                hid |= b"/\\?#".contains(&byte) || byte.is_ascii_control();
                decoded.push(byte);
                at += 3;
            }
            None => {
                decoded.push(text[at]);
                at += 1;
            }
        }
    }
    (decoded, hid)
}

/// Everything that a server may take the path for; nothing if it is not plain.
pub(super) fn readings(path: &str) -> Option<Vec<String>> {
    let stands_for_itself = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&byte);
    if !is_plain(path) {
        return None;
    }
    let once = decode(path.as_bytes(), |_| true).0;
    let only_what_must_be = decode(path.as_bytes(), |byte| !stands_for_itself(byte)).0;
    let mut whole = once.clone();
    while decode(&whole, |_| true).0 != whole {
        whole = decode(&whole, |_| true).0;
    }
    let mut readings = Vec::new();
    for reading in [once, only_what_must_be, whole] {
        let reading = String::from_utf8(reading).ok()?;
        let names = reading
            .split('/')
            .map(|segment| segment.split(';').next().unwrap_or_default().trim_end_matches([' ', '.']))
            .filter(|name| !name.is_empty());
        readings.push("/".to_owned() + &names.collect::<Vec<_>>().join("/"));
        readings.push(reading);
    }
    Some(readings)
}
