//! JSON as nearly every issuer writes claims: an object of strings, integers, words, and lists of those, in which nothing is
//! escaped. It is read in one go. Whatever is written otherwise is left to `serde_json`, which reads these texts alike.

/// The longest integer, in digits, that is left to nobody else.
const MAX_DIGITS: usize = 18;

/// JSON text that is plain, or is to be found so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
        let mut tokens = Tokens { text: self.0, at: 0 };
        tokens.expect(b'[')?;
        tokens.list(b']', |tokens| tokens.scalar().map(|entry| show(Self(entry))))
    }
}

/// Shows the name and the value of each member of an object, or of some if nothing comes back: then `json` is none, or not
/// plain.
pub(super) fn members<'a>(json: &'a str, mut show: impl FnMut(&'a str, Plain<'a>)) -> Option<()> {
    let mut tokens = Tokens { text: json, at: 0 };
    tokens.expect(b'{')?;
    tokens.list(b'}', |tokens| {
        tokens.expect(b'"')?;
        let name = Plain(tokens.string()?).string()?;
        tokens.expect(b':')?;
        show(name, Plain(tokens.value()?));
        Some(())
    })?;
    tokens.peek().is_none().then_some(())
}

/// Text, and how far it has been read.
struct Tokens<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Tokens<'a> {
    fn bytes(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    /// The first byte of the next token; blanks before it are read.
    fn peek(&mut self) -> Option<u8> {
        loop {
            match self.text.as_bytes().get(self.at) {
                Some(b' ') => self.at += 1,
                next => return next.copied(),
            }
        }
    }

    /// The same byte, which is read.
    fn next(&mut self) -> Option<u8> {
        self.peek().inspect(|_| self.at += 1)
    }

    fn expect(&mut self, mark: u8) -> Option<()> {
        (self.next()? == mark).then_some(())
    }

    /// The rest of a list or an object: items with commas in between, and the end.
    fn list(&mut self, end: u8, mut item: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        if self.peek()? == end {
            return self.expect(end);
        }
        loop {
            item(self)?;
            match self.next()? {
                b',' => {}
                other => return (other == end).then_some(()),
            }
        }
    }

    fn value(&mut self) -> Option<&'a str> {
        if self.peek()? != b'[' {
            return self.scalar();
        }
        let start = self.at;
        self.at += 1;
        self.list(b']', |tokens| tokens.scalar().map(drop))?;
        self.text.get(start..self.at)
    }

    fn scalar(&mut self) -> Option<&'a str> {
        match self.next()? {
            b'"' => self.string(),
            b't' => self.word("true"),
            b'f' => self.word("false"),
            b'n' => self.word("null"),
            b'-' => self.integer(1),
            b'0'..=b'9' => self.integer(0),
            _ => None,
        }
    }

    /// A string, from the quote that has been read to the one that ends it.
    fn string(&mut self) -> Option<&'a str> {
        let length = length_of_string(self.bytes())?;
        self.pass(length + 1)
    }

    /// A word whose first letter has been read.
    fn word(&mut self, word: &str) -> Option<&'a str> {
        self.pass(word.len() - 1).filter(|found| *found == word)
    }

    /// An integer whose first byte has been read; a fraction or an exponent behind it is no token.
    fn integer(&mut self, sign: usize) -> Option<&'a str> {
        let more = self.bytes().iter().take_while(|byte| byte.is_ascii_digit()).count();
        let text = self.pass(more)?;
        let digits = text.get(sign..)?;
        let is_short = (1..=MAX_DIGITS).contains(&digits.len());
        (is_short && (digits == "0" || !digits.starts_with('0'))).then_some(text)
    }

    /// The token whose first byte has been read, and so many more.
    fn pass(&mut self, more: usize) -> Option<&'a str> {
        let start = self.at - 1;
        self.at += more;
        self.text.get(start..self.at)
    }
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
            "{\"a\":\"\t\"}",
            "{\"a\":\n1}",
            r#"{"a":1.5}"#,
            r#"{"a":1e2}"#,
            r#"{"a":1234567890123456789}"#,
            r#"{"a":{}}"#,
            r#"{"a":[[]]}"#,
        ] {
            assert!(serde_json::from_str::<serde_json::Value>(json).is_ok() != json.contains('\t'), "{json}");
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
