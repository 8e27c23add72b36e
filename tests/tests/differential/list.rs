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
    /// Why nobody gets in by it, if the other one is the stricter one.
    safe: Option<String>,
    /// An input that shows it.
    witness: toml::Table,
}

/// A reason by its name, and how to tell whether an input has it.
pub(crate) enum Reason<I> {
    /// Whether the input has the cause. Good enough where the gate refuses what the other reader takes.
    Has(&'static str, fn(&I) -> bool),
    /// The same input without the cause, if it has it. What the gate takes and the other reader refuses is excused by
    /// nothing less: both must take the rest, so that the cause is the only one.
    Without(&'static str, fn(&I) -> Option<I>),
}

impl<I> Reason<I> {
    fn what(&self) -> &'static str {
        match self {
            Self::Has(what, _) | Self::Without(what, _) => what,
        }
    }
}

/// What two readers made of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Both {
    pub(crate) ours: bool,
    pub(crate) theirs: bool,
}

impl Both {
    const TAKEN: Self = Self { ours: true, theirs: true };
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
pub(crate) fn check<I: Clone + std::fmt::Debug>(
    name: &str,
    reasons: &[Reason<I>],
    input: impl Fn(&toml::Table) -> I,
    ask: impl Fn(&I) -> Both,
) {
    let listed = with(name);
    let told: BTreeSet<_> = listed.iter().map(|difference| difference.what.as_str()).collect();
    let known: BTreeSet<_> = reasons.iter().map(Reason::what).collect();
    assert_eq!(told, known, "the list and the tests name different differences");
    assert_eq!(reasons.len(), known.len(), "a reason stands there twice");
    for difference in listed {
        let input = input(&difference.witness);
        let what = &difference.what;
        let is_stricter = difference.stricter == "authgate";
        let expected = Both { ours: !is_stricter, theirs: is_stricter };
        assert_eq!(ask(&input), expected, "{what} with {name}: {input:?}");
        match reasons.iter().find(|reason| reason.what() == what).unwrap() {
            Reason::Has(_, holds) => {
                assert!(
                    is_stricter,
                    "{what}: what we take is excused by what is left without the cause only"
                );
                assert!(holds(&input), "{what} is not told of its own witness {input:?}");
            }
            Reason::Without(_, mend) => {
                let mended = mend(&input).unwrap_or_else(|| panic!("{what} is not told of {input:?}"));
                let is_alike = |both: Both| both == Both::TAKEN || is_stricter && both.ours == both.theirs;
                assert!(is_alike(ask(&mended)), "{what} is not all that is odd about {input:?}: {mended:?}");
            }
        }
    }
}

/// Whether a difference is one of the list, in that direction.
pub(crate) fn is_listed<I: Clone>(
    reasons: &[Reason<I>],
    input: &I,
    both: Both,
    ask: impl Fn(&I) -> Both,
) -> bool {
    if both.ours {
        return mended(reasons, input).is_some_and(|mended| ask(&mended) == Both::TAKEN);
    }
    reasons.iter().any(|reason| matches!(reason, Reason::Has(_, holds) if holds(input)))
}

/// An input without all causes that can be taken away from it; nothing if there is none.
pub(crate) fn mended<I: Clone>(reasons: &[Reason<I>], input: &I) -> Option<I> {
    reasons.iter().fold(None, |mended, reason| match reason {
        Reason::Without(_, mend) => mend(mended.as_ref().unwrap_or(input)).or(mended),
        Reason::Has(..) => mended,
    })
}

#[test]
fn every_difference_says_with_whom_in_which_direction_and_why() {
    let all = all();
    let mut seen = BTreeSet::new();
    for Difference { with, what, stricter, why, safe, witness } in all {
        assert!(NAMES.contains(&with.as_str()), "{with}");
        assert!(stricter == with || stricter == "authgate", "{what}: {stricter}");
        let sources = ["§", "manual, ", "our own rule: ", "CVE-"];
        assert!(sources.iter().any(|source| why.contains(source)), "{what}: {why}");
        assert_eq!(
            safe.is_some(),
            stricter != "authgate",
            "{what}: we say why it is safe where we are laxer"
        );
        assert!(!witness.is_empty(), "{what}");
        assert!(seen.insert((with, what)), "{what} twice");
    }
    let with: BTreeSet<_> = all.iter().map(|difference| difference.with.as_str()).collect();
    assert_eq!(with, NAMES.into_iter().collect());
}
