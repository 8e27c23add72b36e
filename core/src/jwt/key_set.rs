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
    /// How long to wait after a fetch that a token with an unknown `kid` caused, or that failed, before the next. 10 seconds by
    /// default; at least one.
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
    /// When a fetch was begun last, whatever came of it.
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

    /// How long until the next fetch, whether or not a token asks for one; none, if there is no set yet.
    pub fn next_fetch(&self, now: Timestamp) -> Duration {
        let state = self.state();
        // What a clock that was set back makes of a moment is no reason to wait any longer.
        let left = |moment: Timestamp, span: Duration| moment.after(span).time_left(now).min(span);
        match (&state.good, state.begun) {
            (Some(good), begun) if begun.is_none_or(|begun| good.at >= begun) => left(good.at, good.lifetime),
            (_, Some(begun)) => left(begun, self.0.limits.interval),
            (_, None) => Duration::ZERO,
        }
    }

    /// Begins a fetch by which the set is kept up.
    pub fn begin_fetch(&self, now: Timestamp) {
        self.state().begun = Some(now);
    }

    /// Begins a fetch because a token asks for it, if it is time.
    ///
    /// # Errors
    /// It is too early for another; when it is not, is for the log.
    pub fn begin_fetch_for_token(&self, now: Timestamp) -> Result<(), Unavailable> {
        let mut state = self.state();
        let wait = state.wait(self.0.limits.interval, now);
        if !wait.is_zero() {
            return Err(Unavailable::new(format!(
                "the token's key is unknown, and the provider was asked for keys just now; it may be asked again in {} s",
                wait.as_millis().div_ceil(1000)
            )));
        }
        (state.begun, state.asked) = (Some(now), Some(now));
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
        let KeySetLimits { lifetime: usual, shortest, longest, .. } = self.0.limits;
        let lifetime = lifetime.map_or(usual, |said| said.clamp(shortest, longest));
        let good = Good { document: document.into(), verifiers: Arc::new(verifiers), at: now, lifetime };
        self.state().good = Some(good);
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
    /// How long until a token may cause a fetch. A clock that was set back delays it by one interval at most.
    fn wait(&self, interval: Duration, now: Timestamp) -> Duration {
        self.asked.map_or(Duration::ZERO, |asked| asked.after(interval).time_left(now).min(interval))
    }
}

impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeySet").field("algorithms", &self.0.algorithms).finish_non_exhaustive()
    }
}
