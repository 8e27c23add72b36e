//! Backends that are written in Python, as the core sees them.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use authgate_core::{
    AuthBackend, Head, JwtBackend as Tokens, LoginAnswer, LogoutAnswer, Proof, Proven, Timestamp, Unavailable,
};

/// A backend that Python is asked about.
pub(crate) struct Asked {
    pub(crate) name: &'static str,
    /// Its own public paths.
    pub(crate) routes: Vec<String>,
}

impl AuthBackend for Asked {
    fn name(&self) -> &'static str {
        self.name
    }

    fn authenticate(&self, _: &Head<'_>, _: Timestamp) -> Proof {
        Proof::Wait
    }

    fn login(&self) -> LoginAnswer {
        LoginAnswer::Delegate
    }

    fn logout(&self) -> LogoutAnswer {
        LogoutAnswer::Delegate
    }

    fn routes(&self) -> Vec<String> {
        self.routes.clone()
    }
}

/// The function behind AsyncMQ's `authenticate=`: the dashboard has its own login and logout.
pub(crate) struct Function {
    /// Tokens are checked here and now; any other function is asked.
    pub(crate) tokens: Option<Arc<Tokens>>,
}

impl Function {
    pub(crate) const NAME: &'static str = "authenticate";
}

impl AuthBackend for Function {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    // AsyncMQ asks for an origin whatever proves who asks, so every proof counts as one that the browser attaches.
    fn authenticate(&self, head: &Head<'_>, now: Timestamp) -> Proof {
        match &self.tokens {
            None => Proof::Wait,
            Some(tokens) => ambient(tokens.authenticate(head, now)),
        }
    }

    fn authenticate_with_keys(
        &self,
        token: &[u8],
        asked: Timestamp,
        fetched: Result<(), Unavailable>,
        now: Timestamp,
    ) -> Proof {
        match &self.tokens {
            None => Proof::Absent,
            Some(tokens) => ambient(tokens.authenticate_with_keys(token, asked, fetched, now)),
        }
    }

    fn login(&self) -> LoginAnswer {
        LoginAnswer::Forward
    }

    fn logout(&self) -> LogoutAnswer {
        LogoutAnswer::Forward
    }

    fn challenge(&self) -> &str {
        self.tokens.as_ref().map_or("Session", |tokens| tokens.challenge())
    }
}

fn ambient(proof: Proof) -> Proof {
    match proof {
        Proof::Proven(proven) => Proof::Proven(Proven { ambient: true, ..proven }),
        other => other,
    }
}

/// Tokens that a Python object shares with its gates.
pub(crate) struct Shared(pub(crate) Arc<Tokens>);

impl AuthBackend for Shared {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn authenticate(&self, head: &Head<'_>, now: Timestamp) -> Proof {
        self.0.authenticate(head, now)
    }

    fn authenticate_with_keys(
        &self,
        token: &[u8],
        asked: Timestamp,
        fetched: Result<(), Unavailable>,
        now: Timestamp,
    ) -> Proof {
        self.0.authenticate_with_keys(token, asked, fetched, now)
    }

    fn login(&self) -> LoginAnswer {
        self.0.login()
    }

    fn logout(&self) -> LogoutAnswer {
        self.0.logout()
    }

    fn challenge(&self) -> &str {
        self.0.challenge()
    }
}

/// A name that lives as long as the process. Each is kept once, and classes are few.
pub(crate) fn lasting(name: &str) -> &'static str {
    static NAMES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = names.get(name) {
        return known;
    }
    let kept: &'static str = Box::leak(name.to_owned().into_boxed_str());
    names.insert(kept);
    kept
}
