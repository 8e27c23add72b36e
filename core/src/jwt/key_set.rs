use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::algorithm::Algorithm;
use super::key::Key;
use super::verifier::Verifiers;
use crate::{ConfigError, Timestamp, Unavailable};

/// How many key ids are remembered that a provider does not know.
const MOST_MISSING: usize = 1000;

/// The longest key id that is remembered, in bytes.
const LONGEST_MISSING: usize = 256;

/// How long the keys of an identity provider are used, and how often they are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeySetLimits {
    /// How long a set is used before it is fetched again, if the provider does not say (`Cache-Control`, RFC 9111 §4.2.1).
    /// 1 hour by default.
    pub lifetime: Duration,
    /// The least that a provider may say. 1 minute by default.
    pub shortest: Duration,
    /// The most that a provider may say. 1 day by default.
    pub longest: Duration,
    /// How long to wait after a fetch that a token with an unknown `kid` caused, or that failed, before the next. 10
    /// seconds by default; at least one.
    pub interval: Duration,
    /// For how long the last set serves while the provider is down. 1 day by default.
    pub usable: Duration,
}

impl Default for KeySetLimits {
    fn default() -> Self {
        let hour = Duration::from_hours(1);
        Self {
            lifetime: hour,
            shortest: Duration::from_mins(1),
            longest: 24 * hour,
            interval: Duration::from_secs(10),
            usable: 24 * hour,
        }
    }
}

/// The keys that an identity provider publishes and changes from time to time: a JWK Set (RFC 7517 §5) at a URL.
///
/// A backend that has one ([`JwtBackendBuilder::key_set`](super::JwtBackendBuilder::key_set)) asks for it by
/// [`Step::FetchKeys`](crate::Step::FetchKeys). Whoever fetches
///
/// - asks [`begin_fetch_for_token`](Self::begin_fetch_for_token) before, so that forged tokens cause at most one fetch an interval;
/// - hands what came to [`fetched`](Self::fetched); a failure needs no word: the last good set goes on serving;
/// - and fetches by itself after [`next_fetch`](Self::next_fetch), so that nobody waits for a set that has merely aged.
///
/// Cloning is cheap, and clones are one set.
#[derive(Clone)]
pub struct KeySet(Arc<Shared>);

struct Shared {
    algorithms: Vec<Algorithm>,
    limits: KeySetLimits,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// What was fetched last, as text and prepared.
    good: Option<Good>,
    /// When a fetch was begun that has brought no set, or not yet. None once one came: which was first must not be told by a
    /// clock that may be set.
    begun: Option<Timestamp>,
    /// When one was begun last because of a token.
    asked: Option<Timestamp>,
    /// Key ids that tokens named, and that the set did not have when it was fetched for them.
    missing: BTreeSet<String>,
}

#[derive(Clone)]
struct Good {
    document: Arc<str>,
    verifiers: Arc<Verifiers>,
    at: Timestamp,
    /// When the fetch was begun that brought it.
    begun: Timestamp,
    lifetime: Duration,
}

impl KeySet {
    pub(super) fn new(algorithms: &[Algorithm], limits: KeySetLimits) -> Result<Self, ConfigError> {
        let refuse = |problem: &str, remedy: &str| Err(ConfigError::new("key_set", problem, remedy));
        let KeySetLimits { lifetime, shortest, longest, interval, usable } = limits;
        if interval < Duration::from_secs(1) {
            return refuse("the interval is below a second", "10 seconds is the default");
        }
        if !(shortest..=longest).contains(&lifetime) || shortest < interval {
            return refuse(
                "its lifetimes are out of order",
                "interval ≤ shortest ≤ lifetime ≤ longest; 10 s, 1 min, 1 h and 1 day are the defaults",
            );
        }
        if usable < lifetime {
            return refuse("it is usable for less than its lifetime", "1 day is the default");
        }
        let public: Vec<_> = algorithms.iter().copied().filter(|algorithm| !algorithm.is_hmac()).collect();
        if public.is_empty() {
            return Err(ConfigError::new(
                "algorithms",
                "none is for the public keys of a provider",
                "say which it signs with, such as RS256",
            ));
        }
        Ok(Self(Arc::new(Shared { algorithms: public, limits, state: Mutex::default() })))
    }

    /// Takes over what another set knows: the gate is built anew, and the provider is the same.
    pub fn succeed(&self, other: &Self) {
        let good = other.state().good.clone();
        let good = good.and_then(|good| {
            let verifiers = Arc::new(self.prepare(&good.document).ok()?.0);
            Some(Good { verifiers, ..good })
        });
        let State { begun, asked, .. } = *other.state();
        *self.state() = State { good, begun, asked, missing: BTreeSet::new() };
    }

    /// How long until the next fetch, whether or not a token asks for one; zero, if none was ever begun.
    pub fn next_fetch(&self, now: Timestamp) -> Duration {
        let state = self.state();
        // A moment that has yet to come is of a clock that was set back since, and says nothing.
        let left = |moment: Timestamp, span: Duration| {
            if moment > now { Duration::ZERO } else { moment.after(span).time_left(now) }
        };
        match (state.begun, &state.good) {
            (Some(begun), _) => left(begun, self.0.limits.interval),
            (None, Some(good)) => left(good.at, good.lifetime),
            (None, None) => Duration::ZERO,
        }
    }

    /// Begins a fetch by which the set is kept up.
    pub fn begin_fetch(&self, now: Timestamp) {
        self.state().begun = Some(now);
    }

    /// Begins a fetch because a token asks for it, if it is time.
    ///
    /// # Errors
    /// It is too early for another. The text, for the log, says when it is not.
    pub fn begin_fetch_for_token(&self, now: Timestamp) -> Result<(), Unavailable> {
        let mut state = self.state();
        let interval = self.0.limits.interval;
        // Before there is any set, a token asks for no more than is fetched anyway, and uses nothing up.
        let is_first = state.good.is_none();
        let wait = if is_first { wait_after(state.begun, interval, now) } else { state.wait(interval, now) };
        if !wait.is_zero() {
            return Err(Unavailable::new(format!(
                "the token's key is unknown, and the provider was asked for keys just now; it may be asked again in {} s",
                wait.as_millis().div_ceil(1000)
            )));
        }
        state.begun = Some(now);
        if !is_first {
            state.asked = Some(now);
        }
        state.missing.clear();
        Ok(())
    }

    /// Takes what was fetched, and tells how many of its keys can be used. `lifetime` is what the provider says, if it does.
    ///
    /// Keys of unknown types, for other uses or for algorithms that are not allowed are skipped; a secret in a set that
    /// everybody can fetch is none, and skipped, too.
    ///
    /// # Errors
    /// It is no JWK Set, or has no key that can be used. The set before it goes on serving.
    pub fn fetched(
        &self,
        document: &str,
        lifetime: Option<Duration>,
        now: Timestamp,
    ) -> Result<usize, ConfigError> {
        let (verifiers, usable) = self.prepare(document)?;
        let KeySetLimits { lifetime: usual, shortest, longest, usable: usable_for, .. } = self.0.limits;
        // Fetched again while it still serves, or it could not outlast a provider that is down just then.
        let longest = longest.min(usable_for);
        let lifetime = lifetime.map_or(usual, |said| said.clamp(shortest, longest));
        let (document, verifiers) = (document.into(), Arc::new(verifiers));
        let mut state = self.state();
        let begun = state.begun.unwrap_or(now);
        let good = Good { document, verifiers, at: now, begun, lifetime };
        (state.good, state.begun) = (Some(good), None);
        Ok(usable)
    }

    /// The keys, if they are not too old.
    pub(super) fn verifiers(&self, now: Timestamp) -> Option<Arc<Verifiers>> {
        let state = self.state();
        let good = state.good.as_ref().filter(|good| now < good.at.after(self.0.limits.usable))?;
        Some(Arc::clone(&good.verifiers))
    }

    /// Whether the provider was asked for the key of this id a moment ago, and did not have it.
    pub(super) fn misses(&self, kid: &str, now: Timestamp) -> bool {
        let state = self.state();
        !state.wait(self.0.limits.interval, now).is_zero() && state.missing.contains(kid)
    }

    /// Whether what is known was asked for at the moment `asked` or later, so that a key that it lacks was not there then.
    pub(super) fn is_of(&self, asked: Timestamp) -> bool {
        self.state().good.as_ref().is_some_and(|good| good.begun >= asked)
    }

    /// The provider was asked for the key of this id, and did not have it.
    pub(super) fn miss(&self, kid: &str) {
        let mut state = self.state();
        if state.missing.len() < MOST_MISSING && kid.len() <= LONGEST_MISSING {
            state.missing.insert(kid.to_owned());
        }
    }

    fn prepare(&self, document: &str) -> Result<(Verifiers, usize), ConfigError> {
        let keys: Vec<_> = Key::jwk_set(document)?.into_iter().filter(Key::is_public).collect();
        Verifiers::of_set(&keys, &self.0.algorithms).ok_or_else(|| {
            let allowed: Vec<_> = self.0.algorithms.iter().map(|algorithm| algorithm.as_str()).collect();
            ConfigError::new(
                "jwks",
                format!("no key in the set is for {}", allowed.join(" or ")),
                "allow the algorithms that the provider signs with",
            )
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every change of it is whole before anything could panic.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// How long until a token may cause a fetch again.
    fn wait(&self, interval: Duration, now: Timestamp) -> Duration {
        wait_after(self.asked, interval, now)
    }
}

/// How long until an interval has passed. A clock that was set back delays it by one interval at most: what is farther
/// ahead than that is of before. What is nearer may merely have been read by another thread.
fn wait_after(moment: Option<Timestamp>, interval: Duration, now: Timestamp) -> Duration {
    match moment {
        Some(moment) if moment.time_left(now) <= interval => {
            moment.after(interval).time_left(now).min(interval)
        }
        _ => Duration::ZERO,
    }
}

impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeySet").field("algorithms", &self.0.algorithms).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_secs(1_800_000_000);
    const SECOND: Duration = Duration::from_secs(1);
    const HOUR: Duration = Duration::from_hours(1);
    const DAY: Duration = Duration::from_hours(24);

    /// The public key of RFC 8037, appendix A.2.
    const ED: &str = r#""kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo""#;
    /// What that key signed there, in A.4.
    const SIGNED: &str = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
    const SIGNATURE: &str =
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    /// The public key of RFC 7515, appendix A.3.1.
    const EC: &str = r#""kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0""#;
    const SECRET: &str =
        r#""kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjA""#;

    fn key_set(limits: KeySetLimits) -> KeySet {
        KeySet::new(&[Algorithm::HS256, Algorithm::EdDSA], limits).unwrap()
    }

    /// A set with this Ed25519 key.
    fn with(kid: &str) -> String {
        format!(r#"{{"keys":[{{{ED},"kid":"{kid}"}}]}}"#)
    }

    fn knows(set: &KeySet, kid: &str, now: Timestamp) -> bool {
        set.verifiers(now).is_some_and(|verifiers| verifiers.knows(kid))
    }

    fn later(span: Duration) -> Timestamp {
        START.after(span)
    }

    #[test]
    fn a_new_set_takes_the_place_of_the_old_and_a_bad_one_does_not() {
        let set = key_set(KeySetLimits::default());
        assert!(set.verifiers(START).is_none());
        assert_eq!(set.fetched(&with("a"), None, START), Ok(1));
        for bad in ["", "[]", "{}", r#"{"keys":[]}"#, r#"{"keys":[{"kty":"odd"}]}"#] {
            assert!(set.fetched(bad, None, START).is_err(), "{bad}");
            assert!(knows(&set, "a", START));
        }
        assert_eq!(set.fetched(&with("b"), None, START), Ok(1));
        assert!(knows(&set, "b", START) && !knows(&set, "a", START));
    }

    #[test]
    fn the_last_set_serves_for_as_long_as_it_is_usable() {
        let set = key_set(KeySetLimits::default());
        set.fetched(&with("a"), Some(SECOND), START).unwrap();
        assert!(knows(&set, "a", later(DAY).before(Duration::from_millis(1))));
        assert!(!knows(&set, "a", later(DAY)));
    }

    #[test]
    fn what_a_provider_says_counts_within_limits() {
        let limits = KeySetLimits { usable: 12 * HOUR, ..KeySetLimits::default() };
        for (limits, said, lifetime) in [
            (KeySetLimits::default(), None, HOUR),
            (KeySetLimits::default(), Some(Duration::ZERO), 60 * SECOND),
            (KeySetLimits::default(), Some(2 * HOUR), 2 * HOUR),
            (KeySetLimits::default(), Some(Duration::MAX), DAY),
            // Not longer than it serves.
            (limits, Some(Duration::MAX), 12 * HOUR),
        ] {
            let set = key_set(limits);
            set.begin_fetch(START);
            set.fetched(&with("a"), said, START).unwrap();
            assert_eq!(set.next_fetch(START), lifetime, "{said:?}");
            assert_eq!(set.next_fetch(later(SECOND)), lifetime.saturating_sub(SECOND), "{said:?}");
            assert_eq!(set.next_fetch(later(lifetime)), Duration::ZERO, "{said:?}");
        }
    }

    #[test]
    fn after_a_fetch_that_brought_nothing_an_interval_passes() {
        let set = key_set(KeySetLimits::default());
        assert_eq!(set.next_fetch(START), Duration::ZERO);
        set.begin_fetch(START);
        assert_eq!(set.next_fetch(later(SECOND)), 9 * SECOND);
        set.fetched(&with("a"), None, later(SECOND)).unwrap();
        set.begin_fetch(later(HOUR));
        assert_eq!(set.next_fetch(later(HOUR)), 10 * SECOND);
    }

    #[test]
    fn tokens_cause_one_fetch_an_interval_and_upkeep_is_none_of_theirs() {
        let set = key_set(KeySetLimits::default());
        set.fetched(&with("a"), None, START).unwrap();
        set.begin_fetch(START);
        assert!(set.begin_fetch_for_token(START).is_ok());
        let early = set.begin_fetch_for_token(later(SECOND)).unwrap_err().to_string();
        assert!(early.ends_with("in 9 s"), "{early}");
        assert!(set.begin_fetch_for_token(later(10 * SECOND)).is_ok());
        assert!(set.begin_fetch_for_token(later(11 * SECOND)).is_err());
    }

    #[test]
    fn before_there_is_a_set_tokens_ask_for_no_more_than_is_fetched_anyway() {
        let set = key_set(KeySetLimits::default());
        set.begin_fetch_for_token(START).unwrap();
        assert!(set.begin_fetch_for_token(later(9 * SECOND)).is_err());
        set.begin_fetch_for_token(later(10 * SECOND)).unwrap();
        set.fetched(&with("a"), None, later(11 * SECOND)).unwrap();
        assert!(set.begin_fetch_for_token(later(11 * SECOND)).is_ok(), "the first was nobody's");
        assert!(set.begin_fetch_for_token(later(12 * SECOND)).is_err());
    }

    #[test]
    fn a_key_that_was_missing_is_missed_for_an_interval_or_until_it_comes() {
        let set = key_set(KeySetLimits::default());
        set.fetched(&with("a"), None, START).unwrap();
        set.begin_fetch_for_token(START).unwrap();
        set.fetched(&with("a"), None, START).unwrap();
        set.miss("b");
        assert!(set.misses("b", later(9 * SECOND)) && !set.misses("c", START));
        assert!(!set.misses("b", later(10 * SECOND)));
        set.begin_fetch_for_token(later(10 * SECOND)).unwrap();
        assert!(!set.misses("b", later(10 * SECOND)), "it is asked for anew");
    }

    #[test]
    fn few_short_ids_are_remembered() {
        let set = key_set(KeySetLimits::default());
        set.begin_fetch_for_token(START).unwrap();
        set.miss(&"x".repeat(LONGEST_MISSING + 1));
        assert!(!set.misses(&"x".repeat(LONGEST_MISSING + 1), START));
        (0..2 * MOST_MISSING).for_each(|number| set.miss(&number.to_string()));
        assert_eq!(set.state().missing.len(), MOST_MISSING);
    }

    #[test]
    fn a_clock_that_was_set_back_stops_no_fetch() {
        let set = key_set(KeySetLimits::default());
        set.begin_fetch_for_token(later(DAY)).unwrap();
        set.fetched(&with("a"), None, later(DAY)).unwrap();
        assert_eq!(set.next_fetch(START), Duration::ZERO);
        assert!(!set.misses("b", START));
        assert!(set.begin_fetch_for_token(START).is_ok());
        assert_eq!(set.next_fetch(START), 10 * SECOND);
        assert!(set.begin_fetch_for_token(later(SECOND)).is_err());
        // A thread that has read the clock a moment earlier is no clock that was set back.
        assert!(set.begin_fetch_for_token(START.before(Duration::from_millis(1))).is_err());
    }

    #[test]
    fn secrets_and_what_is_for_other_algorithms_are_skipped() {
        let set = key_set(KeySetLimits::default());
        let only = format!(r#"{{"keys":[{{{SECRET},"kid":"s"}}]}}"#);
        assert!(set.fetched(&only, None, START).is_err());
        let mixed = format!(
            r#"{{"keys":[{{{SECRET},"kid":"s"}},{{"kty":"odd"}},{{{ED},"use":"enc","kid":"e"}},{{{ED},"kid":"a"}}]}}"#
        );
        assert_eq!(set.fetched(&mixed, None, START), Ok(1));
        assert!(knows(&set, "a", START) && !knows(&set, "s", START) && !knows(&set, "e", START));

        let rsa = KeySet::new(&[Algorithm::RS256], KeySetLimits::default()).unwrap();
        let error = rsa.fetched(&with("a"), None, START).unwrap_err();
        assert!(error.problem().contains("RS256"), "{error}");
    }

    #[test]
    fn a_set_needs_algorithms_of_public_keys_and_limits_in_order() {
        let usual = KeySetLimits::default();
        assert_eq!(KeySet::new(&[Algorithm::HS256], usual).unwrap_err().field(), "algorithms");
        for limits in [
            KeySetLimits { interval: Duration::from_millis(999), ..usual },
            KeySetLimits { shortest: 9 * SECOND, ..usual },
            KeySetLimits { lifetime: SECOND, ..usual },
            KeySetLimits { longest: SECOND, ..usual },
            KeySetLimits { usable: SECOND, ..usual },
        ] {
            assert_eq!(KeySet::new(&[Algorithm::EdDSA], limits).unwrap_err().field(), "key_set");
        }
    }

    #[test]
    fn a_successor_knows_what_the_set_before_it_knew() {
        let (old, new) = (key_set(KeySetLimits::default()), key_set(KeySetLimits::default()));
        old.fetched(&with("a"), None, START).unwrap();
        old.begin_fetch_for_token(START).unwrap();
        old.fetched(&with("a"), None, START).unwrap();
        new.succeed(&old);
        assert!(knows(&new, "a", START));
        assert_eq!(new.next_fetch(START), HOUR);
        assert!(new.begin_fetch_for_token(later(SECOND)).is_err());
    }

    #[test]
    fn a_successor_takes_only_what_its_own_algorithms_are_for() {
        let (before, same) = (key_set(KeySetLimits::default()), key_set(KeySetLimits::default()));
        before.fetched(&with("a"), None, START).unwrap();
        same.succeed(&before);
        assert!(knows(&same, "a", START));
        let other = || KeySet::new(&[Algorithm::ES256], KeySetLimits::default()).unwrap();
        let none = other();
        none.succeed(&before);
        assert!(none.verifiers(START).is_none());

        // What was signed with a key that the successor knows, too, but for another algorithm.
        let both = format!(r#"{{"keys":[{{{ED}}},{{{EC}}}]}}"#);
        before.fetched(&both, None, START).unwrap();
        let successor = other();
        successor.succeed(&before);
        let signature = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(SIGNATURE).unwrap();
        let checks = |set: &KeySet| {
            set.verifiers(START).unwrap().check(Algorithm::EdDSA, None, SIGNED.as_bytes(), &signature)
        };
        assert!(checks(&before) && !checks(&successor));
    }

    #[test]
    fn a_set_tells_of_keys_as_they_were_when_it_was_asked_for() {
        let set = key_set(KeySetLimits::default());
        assert!(!set.is_of(START));
        set.begin_fetch(START);
        set.fetched(&with("a"), None, later(SECOND)).unwrap();
        assert!(set.is_of(START) && !set.is_of(later(SECOND)));
    }

    #[test]
    fn what_is_farther_ahead_than_an_interval_is_of_a_clock_that_was_set_back() {
        assert_eq!(wait_after(Some(later(DAY)), HOUR, START), Duration::ZERO);
        assert_eq!(wait_after(Some(later(SECOND)), HOUR, START), HOUR);
        assert_eq!(wait_after(Some(START), HOUR, later(59 * 60 * SECOND)), 60 * SECOND);
        assert_eq!(wait_after(None, HOUR, START), Duration::ZERO);
    }
}
