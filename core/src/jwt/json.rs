//! JSON as tokens may use it: what serde_json reads, less what two readers could read differently.

/// How deeply arrays and objects may be nested.
const MAX_DEPTH: usize = 127;

/// `bytes` as text that is safe to hand to the JSON parser, or nothing.
///
/// The parser skips what nobody asked for without looking closely: it would accept half of a surrogate pair, any
/// depth and bytes that are not UTF-8 there. So that is looked at here, in one pass that ends early for nearly every
/// token. A byte order mark, UTF-16, `NaN` and the like are refused by the parser itself.
pub(super) fn readable(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    let openings = bytes.iter().filter(|byte| matches!(byte, b'{' | b'[')).count();
    if openings > MAX_DEPTH && depth(bytes) > MAX_DEPTH {
        return None;
    }
    (memchr::memchr(b'\\', bytes).is_none() || surrogates_pair_up(bytes)).then_some(text)
}

fn depth(bytes: &[u8]) -> usize {
    let (mut now, mut most, mut quoted, mut escaped) = (0_usize, 0, false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'{' | b'[' if !quoted => {
                now += 1;
                most = most.max(now);
            }
            b'}' | b']' if !quoted => now = now.saturating_sub(1),
            _ => {}
        }
    }
    most
}

/// Whether every `\ud800`–`\udbff` is followed by a `\udc00`–`\udfff`, and none of those stands alone (RFC 8259 §7).
fn surrogates_pair_up(bytes: &[u8]) -> bool {
    let unit = |at: usize| -> Option<u16> {
        let digits = bytes.get(at..at + 6)?.strip_prefix(b"\\u")?;
        u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    let mut at = 0;
    while let Some(next) = bytes.get(at..).and_then(|rest| memchr::memchr(b'\\', rest)) {
        at += next;
        at += match unit(at) {
            Some(0xd800..=0xdbff) if matches!(unit(at + 6), Some(0xdc00..=0xdfff)) => 12,
            Some(0xd800..=0xdfff) => return false,
            _ => 2,
        };
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t39_depth_is_limited_and_brackets_in_text_are_not_depth() {
        let nested = |levels: usize| [vec![b'['; levels], vec![b']'; levels]].concat();
        assert!(readable(&nested(127)).is_some());
        assert!(readable(&nested(128)).is_none());
        assert!(readable(&nested(60_000)).is_none());
        let quoted = format!("{{\"a\":\"{}\\\"\"}}", "[".repeat(1000));
        assert!(readable(quoted.as_bytes()).is_some());
        let wide = format!("[{}[]]", "[],".repeat(1000));
        assert!(readable(wide.as_bytes()).is_some());
    }

    #[test]
    fn half_a_surrogate_pair_is_refused() {
        for text in [r#""\ud83d\ude00""#, r#""\\ud83d""#, r#""\u0041\n""#, r#""\\\\""#] {
            assert!(readable(text.as_bytes()).is_some(), "{text}");
        }
        for text in [r#""\ud83d""#, r#""\ude00""#, r#""\ud83dx\ude00""#, r#""\ud83d\ud83d""#, r#""\\\ud83d""#]
        {
            assert!(readable(text.as_bytes()).is_none(), "{text}");
        }
        assert!(readable(b"\"\xff\"").is_none());
    }
}
