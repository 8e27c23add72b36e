//! Who may send which requests: rules by path and method.

mod allow;
#[cfg(test)]
mod properties;
mod readings;
mod rule;
mod verdict;

use std::collections::BTreeMap;

use self::allow::Allow;
use self::rule::Action;
pub use self::rule::Rule;
pub(crate) use self::rule::WEBSOCKET;
pub(crate) use self::verdict::Verdict;
use self::verdict::Why;
use crate::kind::Kind;
use crate::{Peer, User};

/// All rules of a gate, prepared: one lookup a segment, however many there are.
#[derive(Debug)]
pub(crate) struct RuleSet {
    rules: Vec<Rule>,
    /// The rules of each path, by their place in the list.
    by_path: Paths,
    /// The same for whoever takes `/Audit` for `/audit`.
    by_folded_path: Paths,
    /// Whether any rule's path is not the same when it is folded.
    has_capitals: bool,
    /// How long the longest path is, in bytes: no longer one needs to be looked for.
    longest: usize,
}

type Paths = BTreeMap<String, Vec<usize>>;

/// What a request demands of its sender: for every reading of its path, one of the rules that fit must allow it.
#[derive(Debug, Clone)]
pub(crate) struct Demand(Option<Vec<Fit>>);

/// The rules that one reading leads to.
#[derive(Debug, Clone)]
struct Fit {
    /// Whether any rule has a path that contains it.
    known: bool,
    /// Those that speak of the method.
    rules: Vec<usize>,
}

impl RuleSet {
    pub(crate) fn new(rules: Vec<Rule>) -> Self {
        let (mut by_path, mut by_folded_path) = (Paths::new(), Paths::new());
        for (place, rule) in rules.iter().enumerate() {
            by_path.entry(rule.path.clone()).or_default().push(place);
            by_folded_path.entry(rule.path.to_ascii_lowercase()).or_default().push(place);
        }
        let has_capitals = by_path.keys().any(|path| has_capitals(path));
        let longest = by_path.keys().map(String::len).max().unwrap_or_default();
        Self { rules, by_path, by_folded_path, has_capitals, longest }
    }

    /// Whether being somewhere is proof enough for anything.
    pub(crate) fn has_networks(&self) -> bool {
        self.rules.iter().flat_map(|rule| &rule.allow).any(|allow| matches!(allow, Allow::Network(_)))
    }

    /// What a request for `path`, below the mount, demands.
    ///
    /// A websocket's handshake demands what a GET does, too: whoever is behind may answer it as one. Any other method is never
    /// a handshake, whatever else the request says (RFC 6455 §4.1).
    pub(crate) fn demand(&self, kind: Kind, method: &str, path: &str) -> Demand {
        let websocket = (kind == Kind::WebSocket && method == "GET").then_some(Action::WebSocket);
        let Some(readings) = readings::readings(path) else { return Demand(None) };
        let mut fits = Vec::with_capacity(2 * readings.len());
        for action in [Action::Method(method)].into_iter().chain(websocket) {
            for reading in &readings {
                fits.push(self.fit(&self.by_path, action, reading));
                if self.has_capitals || has_capitals(reading) {
                    fits.push(self.fit(&self.by_folded_path, action, &reading.to_ascii_lowercase()));
                }
            }
        }
        Demand(Some(fits))
    }

    fn fit(&self, paths: &Paths, action: Action<'_>, path: &str) -> Fit {
        let within = path.as_bytes().get(..=self.longest).unwrap_or(path.as_bytes());
        let whole = (path.len() <= self.longest).then_some(path.len());
        let ends = memchr::memrchr_iter(b'/', within);
        let mut prefixes = whole.into_iter().chain(ends).filter_map(|end| path.get(..end));
        match prefixes.find_map(|prefix| paths.get(prefix)) {
            None => Fit { known: false, rules: Vec::new() },
            Some(places) => {
                let fits = |place: &&usize| self.rules.get(**place).is_some_and(|rule| rule.fits(action));
                Fit { known: true, rules: places.iter().filter(fits).copied().collect() }
            }
        }
    }

    /// Whether this user, or nobody in particular, at this address may pass, and which rule says so.
    pub(crate) fn judge(&self, demand: &Demand, user: Option<&User>, client: Peer) -> Verdict<'_> {
        let Some(fits) = &demand.0 else { return Verdict::refused(Why::NotPlain) };
        let mut allowed = Verdict::refused(Why::NoRule);
        for fit in fits {
            let verdict = self.judge_one(fit, user, client);
            if !verdict.allows() {
                return verdict;
            }
            allowed = verdict;
        }
        allowed
    }

    fn judge_one(&self, fit: &Fit, user: Option<&User>, client: Peer) -> Verdict<'_> {
        let rules = || fit.rules.iter().filter_map(|place| Some((place + 1, self.rules.get(*place)?)));
        for (number, rule) in rules() {
            if let Some(allow) = rule.allow.iter().find(|allow| allow.covers(user, client)) {
                return Verdict::allowed(number, rule, allow);
            }
        }
        Verdict::refused(match fit {
            Fit { known: false, .. } => Why::NoRule,
            Fit { rules, .. } if rules.is_empty() => Why::NoMethod,
            Fit { .. } => Why::Nobody(rules().collect()),
        })
    }
}

fn has_capitals(path: &str) -> bool {
    path.bytes().any(|byte| byte.is_ascii_uppercase())
}
