use std::sync::LazyLock;

use authgate_core::{ConfigError, KeySet};
use authgate_jwks::{Fetcher, KeySource};
use authgate_tokio::Tokio;
use authgate_tower::Host;
use tokio::runtime::Runtime;

// It outlives every fetcher, so nothing ends merely because its runtime did.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

pub(crate) fn start(source: KeySource, key_set: KeySet, host: impl Host) -> Result<Fetcher, ConfigError> {
    let _entered = RUNTIME.enter();
    authgate_jwks::tokio::start(source, key_set, host)
}

pub(crate) fn spawn(task: impl Future<Output = ()> + Send + 'static) {
    RUNTIME.spawn(task);
}

pub(crate) const HOST: Tokio = Tokio;
