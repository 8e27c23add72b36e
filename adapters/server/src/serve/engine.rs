//! What the program needs of a runtime, beyond what serves.

use std::future::Future;

use authgate_core::{ConfigError, KeySet};
use authgate_jwks::{Fetcher, KeySource};
use authgate_smol::Smol;
use authgate_tokio::Tokio;
use authgate_tower::Host;

/// A runtime, wherever it is called from: the configuration is read again on a thread of its own.
pub(super) trait Engine: Clone + Send + Sync + 'static {
    /// Its clock and timers.
    type Host: Host;

    fn host(&self) -> Self::Host;

    /// Runs `task` to its end beside everything else.
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static);

    /// Fetches keys from now on, until the last fetcher is dropped.
    fn fetch_keys(&self, source: KeySource, key_set: KeySet) -> Result<Fetcher, ConfigError>;
}

/// A tokio runtime.
#[derive(Clone)]
pub(super) struct OnTokio(pub(super) tokio::runtime::Handle);

/// smol's global executor.
#[derive(Clone)]
pub(super) struct OnSmol;

impl Engine for OnTokio {
    type Host = Tokio;

    fn host(&self) -> Tokio {
        Tokio
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.0.spawn(task);
    }

    fn fetch_keys(&self, source: KeySource, key_set: KeySet) -> Result<Fetcher, ConfigError> {
        let _within = self.0.enter();
        authgate_jwks::tokio::start(source, key_set, Tokio)
    }
}

impl Engine for OnSmol {
    type Host = Smol;

    fn host(&self) -> Smol {
        Smol
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        smol::spawn(task).detach();
    }

    fn fetch_keys(&self, source: KeySource, key_set: KeySet) -> Result<Fetcher, ConfigError> {
        authgate_jwks::smol::start(source, key_set, Smol)
    }
}
