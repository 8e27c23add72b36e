//! JSON as tokens may use it: what serde_json reads, less what two readers could read differently.

/// How deeply arrays and objects may be nested.
const MAX_DEPTH: usize = 127;

/// How many digits an integer may have: Python reads no more, so PyJWT refuses such a token as well.
const MAX_DIGITS: usize = 4300;

/// Whether `text` is safe to hand to the JSON parser.
///
/// The parser skips what nobody asked for without looking closely: it would accept half of a surrogate pair, and any
/// depth there. So that is looked at here, in passes that end early for nearly every token. A byte order mark, UTF-16,
/// `NaN` and the like are refused by the parser itself.
pub(super) fn is_readable(text: &str) -> bool {
    let bytes = text.as_bytes();
    let has_many_openings = memchr::memchr2_iter(b'{', b'[', bytes).nth(MAX_DEPTH).is_some();
    (!has_many_openings || depth(bytes) <= MAX_DEPTH)
        && (bytes.len() <= MAX_DIGITS || !has_huge_integer(bytes))
        && (memchr::memchr(b'\\', bytes).is_none() || surrogates_pair_up(bytes))
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

/// Whether an integer outside of strings has too many digits. A float may have any number of them.
fn has_huge_integer(bytes: &[u8]) -> bool {
    let (mut digits, mut is_float, mut quoted, mut escaped) = (0_usize, false, false, false);
    // One byte more than there is, so that a number at the very end is weighed, too.
    for byte in bytes.iter().chain(b" ") {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'0'..=b'9' => digits += 1,
            b'.' | b'e' | b'E' | b'+' | b'-' if digits > 0 => is_float = true,
            _ if digits > MAX_DIGITS && !is_float => return true,
            _ => (digits, is_float) = (0, false),
        }
    }
    false
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
        let nested = |levels: usize| ["[".repeat(levels), "]".repeat(levels)].concat();
        assert!(is_readable(&nested(127)));
        assert!(!is_readable(&nested(128)));
        assert!(!is_readable(&nested(60_000)));
        let quoted = format!("{{\"a\":\"{}\\\"\"}}", "[".repeat(1000));
        assert!(is_readable(&quoted));
        let wide = format!("[{}[]]", "[],".repeat(1000));
        assert!(is_readable(&wide));
        // An escaped quote does not end a string, and brackets in one close nothing.
        assert!(!is_readable(&format!(r#"["\"",{}]"#, nested(127))));
        let (open, close) = ("[".repeat(100), "]".repeat(100));
        assert!(!is_readable(&format!(r#"{open}"{close}",{open}{close}{close}"#)));
    }

    #[test]
    fn half_a_surrogate_pair_is_refused() {
        for text in [r#""\ud83d\ude00""#, r#""\\ud83d""#, r#""\u0041\n""#, r#""\\\\""#] {
            assert!(is_readable(text), "{text}");
        }
        for text in [r#""\ud83d""#, r#""\ude00""#, r#""\ud83dx\ude00""#, r#""\ud83d\ud83d""#, r#""\\\ud83d""#]
        {
            assert!(!is_readable(text), "{text}");
        }
    }

    #[test]
    fn an_integer_has_as_many_digits_as_cpython_reads() {
        let digits = |count: usize| "7".repeat(count);
        for fits in [
            digits(4300),
            format!("-{}", digits(4300)),
            format!("[{},{}]", digits(4300), digits(4300)),
            format!("{}.5", digits(5000)),
            format!("0.{}", digits(5000)),
            format!("1e{}", digits(5000)),
            format!("{}E-2", digits(5000)),
            format!("\"{}\"", digits(5000)),
            format!("\"\\\"{}\"", digits(5000)),
            format!("{{\"{}\":1}}", digits(5000)),
        ] {
            assert!(is_readable(&fits), "{}…", &fits[..8]);
        }
        for huge in [
            digits(4301),
            format!("-{}", digits(4301)),
            format!("[1.5,{},1.5]", digits(4301)),
            format!("{{\"a\\\"\":{}\n}}", digits(4301)),
        ] {
            assert!(!is_readable(&huge), "{}…", &huge[..8]);
        }
    }
}
