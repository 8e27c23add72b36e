//! The one list of intended differences.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use serde::Deserialize;

/// An intended difference.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Difference {
    /// Whose reader it is.
    with: String,
    /// What is read otherwise.
    what: String,
    /// Who is stricter.
    stricter: String,
    /// A section of a standard, or of the design.
    why: String,
    /// An input that shows it.
    witness: toml::Table,
}

/// A reason by its name, and how to tell whether an input has it.
pub(crate) type Reason<I> = (&'static str, fn(&I) -> bool);

/// What two readers made of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Both {
    pub(crate) ours: bool,
    pub(crate) theirs: bool,
}

const NAMES: [&str; 5] = ["jsonwebtoken", "PyJWT", "url", "cookie", "hyper"];

fn all() -> &'static [Difference] {
    #[derive(Deserialize)]
    struct List {
        difference: Vec<Difference>,
    }
    static LIST: OnceLock<List> = OnceLock::new();
    let list = LIST.get_or_init(|| toml::from_str(include_str!("../../differences.toml")).unwrap());
    &list.difference
}

/// Those with one reader.
fn with(name: &str) -> Vec<&'static Difference> {
    all().iter().filter(|difference| difference.with == name).collect()
}

/// Runs each witness of a reader: it must be read otherwise, in the direction and for the reason that the list says; and
/// list and tests name the same reasons.
pub(crate) fn check<I: std::fmt::Debug>(
    name: &str,
    reasons: &[Reason<I>],
    input: impl Fn(&toml::Table) -> I,
    ask: impl Fn(&I) -> Both,
) {
    let listed = with(name);
    let told: BTreeSet<_> = listed.iter().map(|difference| difference.what.as_str()).collect();
    let known: BTreeSet<_> = reasons.iter().map(|(what, _)| *what).collect();
    assert_eq!(told, known, "the list and the tests name different differences");
    for difference in listed {
        let input = input(&difference.witness);
        let strict_is_ours = difference.stricter == "authgate";
        let expected = Both { ours: !strict_is_ours, theirs: strict_is_ours };
        assert_eq!(ask(&input), expected, "{} with {name}: {input:?}", difference.what);
        let (_, holds) = reasons.iter().find(|(what, _)| *what == difference.what).unwrap();
        assert!(holds(&input), "{} is not told of its own witness {input:?}", difference.what);
    }
}

/// Whether a difference is one of the list, in that direction.
pub(crate) fn is_listed<I>(name: &str, reasons: &[Reason<I>], input: &I, both: Both) -> bool {
    let stricter = if both.ours { name } else { "authgate" };
    let listed = with(name);
    let of_that_kind = |what: &str| listed.iter().any(|one| one.what == what && one.stricter == stricter);
    reasons.iter().any(|(what, holds)| of_that_kind(what) && holds(input))
}

/// Whether there is any reason to read an input otherwise.
pub(crate) fn has_a_reason<I>(reasons: &[Reason<I>], input: &I) -> bool {
    reasons.iter().any(|(_, holds)| holds(input))
}

#[test]
fn every_difference_says_with_whom_in_which_direction_and_why() {
    let all = all();
    let mut seen = BTreeSet::new();
    for Difference { with, what, stricter, why, witness } in all {
        assert!(NAMES.contains(&with.as_str()), "{with}");
        assert!(stricter == with || stricter == "authgate", "{what}: {stricter}");
        let sources = ["§", "manual, ", "our own rule: ", "CVE-"];
        assert!(sources.iter().any(|source| why.contains(source)), "{what}: {why}");
        assert!(!witness.is_empty(), "{what}");
        assert!(seen.insert((with, what)), "{what} twice");
    }
    let with: BTreeSet<_> = all.iter().map(|difference| difference.with.as_str()).collect();
    assert_eq!(with, NAMES.into_iter().collect());
}
