//! What a path names, as far as servers disagree about it.

use std::borrow::Cow;

use crate::path::{decode_fully, is_bare, is_plain};

/// All that a server behind the gate may read in `path`; a rule must hold for each. Nothing, if some would see other segments
/// than others: such a path is for nobody.
///
/// One server decodes escapes, another only those that it must, or decodes twice or until nothing is left; some cut
/// `;parameters` and the dots and spaces at a segment's end. Case is not decided here.
pub(super) fn readings(path: &str) -> Option<Vec<Cow<'_, str>>> {
    if is_bare(path) && !path.contains("./") && !path.ends_with('.') {
        return Some(vec![Cow::Borrowed(path)]);
    }
    if !is_plain(path) {
        return None;
    }
    let whole = text(decode_fully(path.as_bytes()).0)?;
    let once = text(decode_once(path.as_bytes(), |_| true))?;
    let needed = text(decode_once(path.as_bytes(), |byte| !stands_for_itself(byte)))?;
    let mut all: Vec<_> = [&whole, &once, &needed].map(|reading| Cow::Owned(cut(reading))).into();
    all.extend([whole, once, needed].map(Cow::Owned));
    all.sort_unstable();
    all.dedup();
    Some(all)
}

fn text(bytes: Vec<u8>) -> Option<String> {
    String::from_utf8(bytes).ok()
}

/// Decodes, once, the escapes of the bytes that `which` names. Those of what can stand in a path by itself (RFC 3986 §3.3) mean
/// another path to whoever compares paths as they are sent.
fn decode_once(path: &[u8], which: impl Fn(u8) -> bool) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(path.len());
    let mut rest = path;
    while let [byte, tail @ ..] = rest {
        match rest {
            [b'%', high, low, after @ ..] => {
                match hex(*high).zip(hex(*low)).map(|(high, low)| high << 4 | low) {
                    Some(byte) if which(byte) => {
                        decoded.push(byte);
                        rest = after;
                    }
                    _ => {
                        decoded.push(b'%');
                        rest = tail;
                    }
                }
            }
            _ => {
                decoded.push(*byte);
                rest = tail;
            }
        }
    }
    decoded
}

fn stands_for_itself(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&byte)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// Without parameters (RFC 3986 §3.3), trailing dots and spaces, and what is then empty.
fn cut(path: &str) -> String {
    let mut short = String::with_capacity(path.len());
    for segment in path.split('/') {
        let name = segment.split(';').next().unwrap_or_default().trim_end_matches([' ', '.']);
        if !name.is_empty() {
            short.push('/');
            short.push_str(name);
        }
    }
    if short.is_empty() { "/".to_owned() } else { short }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_read_as_every_server_might() {
        let read = |path| readings(path).unwrap().into_iter().map(Cow::into_owned).collect::<Vec<_>>();
        assert_eq!(read("/audit/x.html"), ["/audit/x.html"]);
        assert_eq!(read("/%61udit"), ["/%61udit", "/audit"]);
        assert_eq!(read("/%2561udit"), ["/%61udit", "/audit"]);
        assert_eq!(read("/%61/%2562"), ["/%61/%62", "/a/%62", "/a/b"]);
        assert_eq!(read("/caf%C3%A9/a%20b"), ["/café/a b"]);
        assert_eq!(read("/audit;v=1/x"), ["/audit/x", "/audit;v=1/x"]);
        assert_eq!(read("/;v/audit"), ["/;v/audit", "/audit"]);
        assert_eq!(read("/audit%3Bx"), ["/audit", "/audit%3Bx", "/audit;x"]);
        assert_eq!(read("/audit%20"), ["/audit", "/audit "]);
        assert_eq!(read("/audit./x"), ["/audit./x", "/audit/x"].map(str::to_owned).to_vec());
        for path in ["/a/../audit", "//audit", "/a%2Faudit", "/%2e%2e/audit", "/a%5Caudit", "/audit%00"] {
            assert!(readings(path).is_none(), "{path}");
        }
    }
}
