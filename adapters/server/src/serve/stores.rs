//! Where sessions are kept, and what gates share.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use authgate_core::{ConfigError, Sharing};
use authgate_redis::RedisStore;

use super::problems::Problems;
use super::settings::Settings;
use crate::keys;

/// Where sessions are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Store {
    /// This process's memory.
    Memory,
    /// The cookie itself, sealed.
    Cookie,
    /// A Redis that several gates share.
    Redis(RedisUrl),
}

/// A Redis, as `redis://host:6379/0`. It prints without what stands in it, which may be a password.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct RedisUrl(pub(crate) String);

impl FromStr for Store {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "memory" => Ok(Self::Memory),
            "cookie" => Ok(Self::Cookie),
            other => other.parse().map(Self::Redis).map_err(|_| {
                "write \"memory\", \"cookie\", or a Redis such as \"redis://127.0.0.1:6379/0\"".to_owned()
            }),
        }
    }
}

impl FromStr for RedisUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.contains("://") {
            Ok(Self(text.to_owned()))
        } else {
            Err("write for example \"redis://127.0.0.1:6379/0\", or rediss:// for TLS".to_owned())
        }
    }
}

impl RedisUrl {
    /// Whether somebody who sees the command line sees a password, too.
    pub(super) fn has_password(&self) -> bool {
        let authority =
            self.0.split_once("://").map_or("", |(_, rest)| rest.split('/').next().unwrap_or_default());
        authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'))
    }
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RedisUrl(…)")
    }
}

/// The Redis that gates share, and how.
pub(super) struct Shared {
    pub(super) store: KeptStore,
    pub(super) sharing: Sharing,
}

/// A store, and what it was made of: with the same, its connection goes on.
#[derive(Clone)]
pub(super) struct KeptStore {
    pub(super) store: Arc<RedisStore>,
    made_of: MadeOf,
}

/// Its address, prefix and authorities.
type MadeOf = (RedisUrl, Option<String>, Option<Vec<u8>>);

impl Settings {
    pub(super) fn store(&self) -> Store {
        self.session_store.clone().unwrap_or(Store::Memory)
    }

    /// The Redis that is asked, if one is.
    fn redis(&self) -> Option<(&'static str, &RedisUrl)> {
        match (&self.session_store, &self.revocation_store) {
            (Some(Store::Redis(url)), _) => Some(("session_store", url)),
            (_, Some(url)) => Some(("revocation_store", url)),
            _ => None,
        }
    }

    /// Gates that share a store, which is the one `before` if it is the same; nothing if these settings name none, or one
    /// that is of no use, which is told.
    pub(super) fn shared(&self, before: Option<&KeptStore>, problems: &mut Problems) -> Option<Shared> {
        self.contradictions_about_stores(problems);
        let (key, url) = self.redis()?;
        let authorities = match self.redis_ca_file.as_deref().map(keys::read).transpose() {
            Ok(authorities) => authorities,
            Err(failure) => {
                problems.say("redis_ca_file", failure.into_sentence());
                return None;
            }
        };
        let made_of = (url.clone(), self.redis_prefix.clone(), authorities);
        let store = match before.filter(|before| before.made_of == made_of) {
            Some(before) => before.clone(),
            None => KeptStore { store: Arc::new(self.made(key, &made_of, problems)?), made_of },
        };
        let stale = self.revocation_delay.map_or(Sharing::default().stale, |delay| delay.0);
        if stale > Duration::from_mins(1) {
            problems
                .say("revocation_delay", "a sign-out would go unheard for more than a minute; choose less");
            return None;
        }
        let grace = Sharing::default().grace.max(stale);
        Some(Shared { store, sharing: Sharing { stale, grace } })
    }

    /// The store; or what is wrong with what it would be made of.
    fn made(
        &self,
        key: &'static str,
        (url, prefix, authorities): &MadeOf,
        problems: &mut Problems,
    ) -> Option<RedisStore> {
        let told = |error: &ConfigError| format!("{}; {}", error.problem(), error.remedy());
        let store = RedisStore::new(&url.0).map_err(|error| problems.say(key, told(&error))).ok()?;
        let store = match prefix {
            Some(prefix) => store.prefix(prefix),
            None => store,
        };
        let (Some(authorities), Some(path)) = (authorities, &self.redis_ca_file) else { return Some(store) };
        let refused = |error| problems.say("redis_ca_file", format!("{}: {}", path.display(), told(&error)));
        store.trust(authorities).map_err(refused).ok()
    }

    /// The keys whose Redis has a password that stands in the URL.
    pub(super) fn passwords(&self) -> impl Iterator<Item = &'static str> {
        self.redis().into_iter().filter(|(_, url)| url.has_password()).map(|(key, _)| key)
    }

    fn contradictions_about_stores(&self, problems: &mut Problems) {
        if self.store() != Store::Cookie {
            if !self.session_secret_files.is_empty() {
                problems.say(
                    "session_secret_files",
                    "they are for sessions in cookies; set session_store to cookie, or leave them out",
                );
            }
            if self.revocation_store.is_some() {
                problems.say(
                    "revocation_store",
                    "it is for sessions in cookies; set session_store to cookie, or name the Redis there",
                );
            }
        }
        if self.redis_prefix.as_deref() == Some("") {
            problems.say("redis_prefix", "it is empty; leave it out for \"authgate:\"");
        }
        let for_redis = [
            ("revocation_delay", self.revocation_delay.is_some()),
            ("redis_prefix", self.redis_prefix.is_some()),
            ("redis_ca_file", self.redis_ca_file.is_some()),
        ];
        for (key, _) in for_redis.into_iter().filter(|(_, said)| *said && self.redis().is_none()) {
            problems.say(key, "it is for a Redis, and none is named; set session_store or revocation_store");
        }
        if let Some((key, _)) = self.redis().filter(|_| self.users_file.is_none()) {
            problems
                .say(key, "nobody signs in, so there are no sessions; name a users_file, or leave it out");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_is_read_and_prints_no_password() {
        assert_eq!("memory".parse(), Ok(Store::Memory));
        assert_eq!("cookie".parse(), Ok(Store::Cookie));
        let redis: Store = "redis://ada:enigma@127.0.0.1:6379/0".parse().unwrap();
        assert!(!format!("{redis:?}").contains("enigma"));
        let Store::Redis(url) = redis else { panic!() };
        assert!(url.has_password());
        for text in ["redis://127.0.0.1/0", "rediss://ada@dash.example", "redis://h/a:b@c"] {
            assert!(!text.parse::<RedisUrl>().unwrap().has_password(), "{text}");
        }
        for text in ["", "redis", "Memory", "redis:127.0.0.1", "enigma"] {
            let error = text.parse::<Store>().unwrap_err();
            assert!(error.contains("redis://") && !error.contains("enigma"), "{text}");
        }
    }
}
