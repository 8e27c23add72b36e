//! JSON as nearly every issuer writes claims: an object of strings, integers, words, and lists of those, in which nothing is
//! escaped. It is read in one go. Whatever is written otherwise is left to `serde_json`, which reads these texts alike.

/// Longer integers, in digits, may not fit into 64 bits, and are left to `serde_json`.
const MOST_DIGITS: usize = 18;

/// A value in plain JSON, as it has been read: it comes from [`members`] or [`Plain::entries`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Plain<'a>(&'a str);

impl<'a> Plain<'a> {
    pub(super) fn text(self) -> &'a str {
        self.0
    }

    /// What stands in the quotes of a string.
    pub(super) fn string(self) -> Option<&'a str> {
        self.0.strip_prefix('"')?.strip_suffix('"')
    }

    /// Shows each entry of a list.
    pub(super) fn entries(self, mut show: impl FnMut(Self)) -> Option<()> {
        let text = self.0.as_bytes();
        list(text, token(text, 0, b'[')?, b']', |at| {
            let (start, end) = (skip_blanks(text, at), scalar(text, at)?);
            show(Self(self.0.get(start..end)?));
            Some(end)
        })?;
        Some(())
    }
}

/// Shows the name and the value of each member of an object, or of some if nothing comes back: then `json` is none, or not
/// plain.
pub(super) fn members<'a>(json: &'a str, mut show: impl FnMut(&'a str, Plain<'a>)) -> Option<()> {
    let text = json.as_bytes();
    let end = list(text, token(text, 0, b'{')?, b'}', |at| {
        let start = token(text, at, b'"')?;
        let behind = string(text, start)?;
        let name = json.get(start..behind - 1)?;
        let start = skip_blanks(text, token(text, behind, b':')?);
        let end = value(text, start)?;
        show(name, Plain(json.get(start..end)?));
        Some(end)
    })?;
    (skip_blanks(text, end) == text.len()).then_some(())
}

// What follows reads one token, from where it may begin, and tells where it ends; nothing if there is another. The position
// is handed on by value, and so stays in a register.

fn skip_blanks(text: &[u8], mut at: usize) -> usize {
    while text.get(at) == Some(&b' ') {
        at += 1;
    }
    at
}

/// One byte, blanks before it aside.
fn token(text: &[u8], at: usize, byte: u8) -> Option<usize> {
    let at = skip_blanks(text, at);
    (*text.get(at)? == byte).then_some(at + 1)
}

/// The rest of a list or an object: items with commas in between, and the end.
fn list(text: &[u8], mut at: usize, end: u8, mut item: impl FnMut(usize) -> Option<usize>) -> Option<usize> {
    if let Some(behind) = token(text, at, end) {
        return Some(behind);
    }
    loop {
        at = skip_blanks(text, item(at)?);
        match *text.get(at)? {
            b',' => at += 1,
            other => return (other == end).then_some(at + 1),
        }
    }
}

fn value(text: &[u8], at: usize) -> Option<usize> {
    match token(text, at, b'[') {
        Some(at) => list(text, at, b']', |at| scalar(text, at)),
        None => scalar(text, at),
    }
}

fn scalar(text: &[u8], at: usize) -> Option<usize> {
    let at = skip_blanks(text, at);
    match text.get(at)? {
        b'"' => string(text, at + 1),
        b't' => word(text, at, b"true"),
        b'f' => word(text, at, b"false"),
        b'n' => word(text, at, b"null"),
        b'-' => integer(text, at + 1),
        _ => integer(text, at),
    }
}

/// A string behind its first quote, with the one that ends it.
fn string(text: &[u8], at: usize) -> Option<usize> {
    Some(at + length_of_string(text.get(at..)?)? + 1)
}

fn word(text: &[u8], at: usize, word: &[u8]) -> Option<usize> {
    text.get(at..)?.starts_with(word).then_some(at + word.len())
}

/// An integer behind its sign; a fraction or an exponent behind it is no token.
fn integer(text: &[u8], at: usize) -> Option<usize> {
    let digits = text.get(at..)?;
    let count = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let fits = (1..=MOST_DIGITS).contains(&count) && (count == 1 || digits.first() != Some(&b'0'));
    fits.then_some(at + count)
}

/// How many bytes stand before the quote that ends a string; nothing if there is an escape before it, or what no string may
/// have as it is (RFC 8259 §7).
fn length_of_string(bytes: &[u8]) -> Option<usize> {
    let mut rest = bytes;
    // Eight bytes at a time: nearly every string ends within the first eight, or the second.
    let end = loop {
        let Some((eight, more)) = rest.split_first_chunk() else {
            break rest.iter().position(|&byte| matches!(byte, b'"' | b'\\') || byte < b' ')?;
        };
        let eight = u64::from_le_bytes(*eight);
        let found = zeros(eight ^ splat(b'"')) | zeros(eight ^ splat(b'\\')) | below(eight, b' ');
        if found != 0 {
            break found.trailing_zeros() as usize / 8;
        }
        rest = more;
    };
    (rest.get(end) == Some(&b'"')).then_some(bytes.len() - rest.len() + end)
}

const fn splat(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// The highest bit of each byte that is zero. Right up to the first of them; a byte behind it may be taken for one, too.
const fn zeros(eight: u64) -> u64 {
    below(eight, 1)
}

/// The same for each byte that is less than `least`, which is 128 at most.
const fn below(eight: u64, least: u8) -> u64 {
    eight.wrapping_sub(splat(least)) & !eight & splat(0x80)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::value::RawValue;

    use super::*;

    fn members(json: &str) -> Option<Vec<(&str, &str)>> {
        let mut all = Vec::new();
        super::members(json, |name, value| all.push((name, value.text())))?;
        Some(all)
    }

    fn entries(json: &str) -> Option<Vec<&str>> {
        let mut all = Vec::new();
        Plain(json).entries(|entry| all.push(entry.text()))?;
        Some(all)
    }

    #[test]
    fn what_issuers_write_is_plain() {
        let json = r#"{"sub":"ada","é":"ü", "n":-1 ,"z":0,"t":[true,false, null],"e":[ ],"":""} "#;
        let all = [
            ("sub", "\"ada\""),
            ("é", "\"ü\""),
            ("n", "-1"),
            ("z", "0"),
            ("t", "[true,false, null]"),
            ("e", "[ ]"),
            ("", "\"\""),
        ];
        assert_eq!(members(json).unwrap(), all);
        assert_eq!(members("{}").unwrap(), []);
        assert_eq!(entries(r#"["a",2, null]"#).unwrap(), ["\"a\"", "2", "null"]);
        assert_eq!(entries("[ ]").unwrap(), [""; 0]);
    }

    #[test]
    fn what_must_be_looked_at_closely_is_not() {
        for json in [
            r#"{"a":"\""}"#,
            "{\"a\":\n1}",
            r#"{"a":1.5}"#,
            r#"{"a":1e2}"#,
            r#"{"a":1234567890123456789}"#,
            r#"{"a":{}}"#,
            r#"{"a":[[]]}"#,
        ] {
            assert!(serde_json::from_str::<serde_json::Value>(json).is_ok(), "{json}");
            assert!(members(json).is_none(), "{json}");
        }
    }

    #[test]
    fn t38_what_is_no_json_is_nothing() {
        for json in [
            "",
            "{",
            "}",
            "{}x",
            "{} {}",
            "{,}",
            "{\"a\":\"\t\"}",
            r#"{"a"}"#,
            r#"{"a":}"#,
            r#"{"a":1,}"#,
            r#"{"a":01}"#,
            r#"{"a":-}"#,
            r#"{"a":+1}"#,
            r#"{"a":truth}"#,
            r#"{"a":nul"#,
            r#"{"a":"}"#,
            "{a:1}",
            "{}]",
            r#"{"a":[1,]}"#,
            r#"{"a":[1 2]}"#,
            r#"{"a":[1}"#,
            r#"{"a":[]]}"#,
            r#"{"a":1 "b":2}"#,
            "\u{feff}{}",
            "{\"a\":\u{a0}1}",
        ] {
            assert!(members(json).is_none(), "{json}");
        }
    }

    proptest! {
        #[test]
        fn a_string_ends_at_the_next_quote_unless_something_odd_stands_before_it(
            text in proptest::collection::vec(proptest::sample::select(b"a !\"\\\x00\x1f\x7f\xc3\xa9\xff".to_vec()), 0..40),
        ) {
            let is_end = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..b' ');
            let end = text.iter().position(is_end).filter(|&end| text[end] == b'"');
            prop_assert_eq!(length_of_string(&text), end);
        }

        /// Bits of JSON in any order, so that most of it is nearly right.
        #[test]
        fn whatever_is_plain_is_what_serde_json_reads(
            bits in proptest::collection::vec(
                proptest::sample::select(vec![
                    "{", "}", "[", "]", ":", ",", "\"a\":", "\"b\"", "\"é \"", "1", "-0", "01", "1.5", "true", "null", " ", "\"",
                    "-", "e", "{\"a\":1", ",\"b\":[", "\\", "\n",
                ]),
                0..12,
            ),
        ) {
            let json = bits.concat();
            if let Some(plain) = members(&json) {
                let read: std::collections::BTreeMap<&str, &RawValue> = serde_json::from_str(&json).unwrap();
                let last: std::collections::BTreeMap<_, _> = plain.into_iter().collect();
                for list in last.values().filter(|value| value.starts_with('[')) {
                    let read: Vec<&RawValue> = serde_json::from_str(list).unwrap();
                    prop_assert_eq!(entries(list).unwrap(), read.into_iter().map(RawValue::get).collect::<Vec<_>>());
                }
                prop_assert_eq!(last, read.into_iter().map(|(name, value)| (name, value.get())).collect());
            }
        }
    }
}
