use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, SeqAccess, Visitor};
use serde_json::value::RawValue;
use smol_str::SmolStr;

use super::plain::Plain;
use super::token::Text;
use crate::{Timestamp, User};

/// One claim of a token, and what it can be read as.
#[derive(Debug, Clone, Copy)]
pub(super) enum Claim<'a> {
    /// As nearly every issuer writes it.
    Plain(Plain<'a>),
    /// As `serde_json` has found it.
    Other(&'a RawValue),
}

impl<'a> Claim<'a> {
    /// Its JSON text.
    pub(super) fn json(self) -> &'a str {
        match self {
            Self::Plain(plain) => plain.text(),
            Self::Other(raw) => raw.get(),
        }
    }

    pub(super) fn is_null(self) -> bool {
        self.json() == "null"
    }

    /// A string's text; nothing for any other value.
    pub(super) fn string(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Plain(plain) => plain.string().map(Cow::Borrowed),
            Self::Other(raw) => Text::of(raw),
        }
    }

    /// A NumericDate (RFC 7519 §2): a number, whole seconds counted, the fraction cut off as PyJWT does. Any size; beyond
    /// the range of a clock it is the end of time. Text, booleans and what overflows a float are refused.
    pub(super) fn date(self) -> Option<Timestamp> {
        let json = self.json();
        if let Ok(seconds) = json.parse() {
            return Some(Timestamp::from_secs(seconds));
        }
        let digits = json.strip_prefix('-').unwrap_or(json);
        if digits.bytes().all(|byte| byte.is_ascii_digit()) {
            let end = if digits.len() < json.len() { i64::MIN } else { i64::MAX };
            return Some(Timestamp::from_secs(end));
        }
        // The standard library rounds as Python does. Its words, such as `inf`, are no JSON.
        let seconds: f64 = json.parse().ok()?;
        #[allow(clippy::cast_possible_truncation, reason = "beyond the range it saturates, as it should")]
        seconds.is_finite().then(|| Timestamp::from_secs(seconds.trunc() as i64))
    }

    /// What can name somebody: a string or a number, and not an empty or zero one.
    pub(super) fn name(self) -> Option<Cow<'a, str>> {
        let json = self.json();
        match json.as_bytes().first()? {
            b'"' => self.string().filter(|text| !text.is_empty()),
            b'-' | b'0'..=b'9' => (!is_zero(json)).then_some(Cow::Borrowed(json)),
            _ => None,
        }
    }

    /// AsyncMQ's notion of a right that is granted: true itself, or a string that says so. Never a number, list or object.
    pub(super) fn is_true(self) -> bool {
        self.json() == "true" || self.string().is_some_and(|text| User::grants(&text))
    }

    /// One role as a string, or several as a list of strings and integers. What else stands in a list, and an object
    /// instead of one, grants nothing. A number or a boolean instead of one is a mistake: AsyncMQ fails on it, too.
    pub(super) fn roles(self) -> Option<Vec<SmolStr>> {
        let is_integer = |json: &str| json.bytes().all(|byte| matches!(byte, b'-' | b'0'..=b'9'));
        match self.json().as_bytes().first()? {
            b'[' => {
                let mut roles = Vec::new();
                self.entries(|role| {
                    let json = role.json();
                    if (json.starts_with('"') || is_integer(json))
                        && let Some(name) = role.name()
                    {
                        roles.push(SmolStr::new(name));
                    }
                })?;
                Some(roles)
            }
            b'"' => {
                Some(self.string().filter(|role| !role.is_empty()).map(SmolStr::from).into_iter().collect())
            }
            b'{' | b'n' => Some(Vec::new()),
            _ => None,
        }
    }

    /// Shows each entry of a list of strings; nothing if it is none.
    pub(super) fn strings(self, mut look: impl FnMut(&str)) -> Option<()> {
        let mut others = false;
        self.entries(|entry| match entry.string() {
            Some(text) => look(&text),
            None => others = true,
        })?;
        (!others).then_some(())
    }

    /// Shows each entry of a list; nothing if it is none.
    fn entries(self, mut look: impl FnMut(Self)) -> Option<()> {
        match self {
            Self::Plain(plain) => plain.entries(|entry| look(Self::Plain(entry))),
            Self::Other(raw) => {
                serde_json::Deserializer::from_str(raw.get()).deserialize_seq(Entries(look)).ok()
            }
        }
    }
}

/// Whether a JSON number is zero, as a float that is too small to be anything else is, too.
fn is_zero(number: &str) -> bool {
    match number.find(['.', 'e', 'E']) {
        Some(_) => number.parse::<f64>().is_ok_and(|value| value == 0.0),
        None => number.bytes().all(|digit| matches!(digit, b'-' | b'0')),
    }
}

/// Shows each entry of a list to a function.
struct Entries<F>(F);

impl<'de, F: FnMut(Claim<'de>)> Visitor<'de> for Entries<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<S: SeqAccess<'de>>(mut self, mut list: S) -> Result<(), S::Error> {
        while let Some(entry) = list.next_element()? {
            (self.0)(Claim::Other(entry));
        }
        Ok(())
    }
}
