use std::fmt;

use super::allow::Allow;
use super::rule::Rule;

/// Whether somebody may pass, and which rule says so.
#[derive(Debug, Clone)]
pub(crate) struct Verdict<'r>(Result<Allowed<'r>, Why<'r>>);

#[derive(Debug, Clone)]
struct Allowed<'r> {
    /// Counted from one, as people do.
    number: usize,
    rule: &'r Rule,
    allow: &'r Allow,
}

/// Why nobody, or not this one, may pass.
#[derive(Debug, Clone)]
pub(crate) enum Why<'r> {
    /// Servers may read the path in different ways.
    NotPlain,
    /// No rule's path contains it.
    NoRule,
    /// The rules of that path do not speak of the method.
    NoMethod,
    /// These decide, and allow somebody else.
    Nobody(Vec<(usize, &'r Rule)>),
}

impl<'r> Verdict<'r> {
    pub(super) fn allowed(number: usize, rule: &'r Rule, allow: &'r Allow) -> Self {
        Self(Ok(Allowed { number, rule, allow }))
    }

    pub(super) fn refused(why: Why<'r>) -> Self {
        Self(Err(why))
    }

    pub(crate) fn allows(&self) -> bool {
        self.0.is_ok()
    }
}

impl fmt::Display for Verdict<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Ok(Allowed { number, rule, allow }) => write!(f, "rule {number} ({rule}) allows {allow}"),
            Err(why) => why.fmt(f),
        }
    }
}

impl fmt::Display for Why<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotPlain => f.write_str("servers may read the path in different ways, so it is for nobody"),
            Self::NoRule => f.write_str("no rule has a path that contains it"),
            Self::NoMethod => f.write_str("the rules of its path do not speak of the method"),
            Self::Nobody(rules) => {
                for (place, (number, rule)) in rules.iter().enumerate() {
                    let and = if place == 0 { "" } else { ", and " };
                    write!(f, "{and}rule {number} ({rule})")?;
                }
                f.write_str(if rules.len() == 1 {
                    " decides and does not allow"
                } else {
                    " decide and do not allow"
                })
            }
        }
    }
}
