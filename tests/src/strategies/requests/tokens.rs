use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::Value;

use crate::case::Trust;
use crate::case::tokens::{Issued, book};

/// A token that is still to be chosen for a gate.
#[derive(Debug, Clone)]
pub(super) struct TokenPlan {
    which: Index,
    /// How much of what the gate asks for it may miss.
    most_missed: usize,
}

/// Any token; mostly one with all that the gate asks for, or all but one thing. When it holds is left to chance.
pub(super) fn tokens() -> BoxedStrategy<TokenPlan> {
    let most_missed = prop_oneof![6 => Just(0), 3 => Just(1), 1 => Just(usize::MAX)];
    (any::<Index>(), most_missed).prop_map(|(which, most_missed)| TokenPlan { which, most_missed }).boxed()
}

impl TokenPlan {
    /// The token's text.
    pub(super) fn write(self, trust: Option<&Trust>) -> &'static str {
        let fits = |issued: &&Issued| trust.is_none_or(|trust| trust.missed(issued) <= self.most_missed);
        // The first that fits, from some place on and round.
        let (before, from) = book().split_at(self.which.index(book().len()));
        let mut all = from.iter().chain(before);
        &all.find(fits).unwrap_or(&book()[0]).text
    }
}

impl Trust {
    /// How much of what is asked for a token misses, roughly: to choose one, and not to judge it.
    fn missed(&self, issued: &Issued) -> usize {
        let is_known = issued.key.is_some_and(|key| {
            let is_fetched = self.provider && issued.algorithm != "HS256";
            is_fetched || self.keys.iter().any(|known| known.name == key)
        });
        let says = |claim: &str, wanted: &[&str]| match issued.claims.get(claim) {
            Some(Value::String(one)) => wanted.contains(&one.as_str()),
            Some(Value::Array(many)) => many.iter().any(|one| wanted.iter().any(|name| one == name)),
            _ => wanted.is_empty(),
        };
        let has = |claim: &&str| issued.claims.get(*claim).is_some();
        let tests = [
            self.algorithms.contains(&issued.algorithm),
            is_known,
            says("aud", &self.audience) || self.ignored.contains(&"aud"),
            self.issuer.is_empty() || says("iss", &self.issuer),
            self.require.iter().all(has),
            has(&self.user_claim),
        ];
        tests.iter().filter(|held| !**held).count()
    }
}
