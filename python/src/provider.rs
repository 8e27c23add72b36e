//! The keys of an identity provider: fetched by a thread of each process, which begins when keys are first asked for.

use std::mem;
use std::process;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use authgate_core::{KeySet, Unavailable};
use authgate_jwks::{Fetcher, KeySource};
use authgate_tower::{Host, KeyFetcher as _};
use pyo3::prelude::*;
use tokio::runtime::{Builder, Handle};

use crate::log;

/// Where a backend's keys come from, and who fetches them in which process.
pub(crate) struct Provider {
    source: KeySource,
    key_set: KeySet,
    fetcher: Mutex<Option<Of<Fetcher>>>,
}

/// Something of one process. Threads do not survive a fork, so a child makes its own.
struct Of<T> {
    process: u32,
    it: T,
}

impl Provider {
    pub(crate) fn new(source: KeySource, key_set: KeySet) -> Self {
        Self { source, key_set, fetcher: Mutex::new(None) }
    }

    /// Waits until a fetch has ended that a token asks for, as [`KeyFetcher`](authgate_tower::KeyFetcher) does, while
    /// other threads run.
    pub(crate) fn fetch(&self, py: Python<'_>) -> Result<(), Unavailable> {
        log::listen();
        py.detach(|| {
            let fetcher = self.fetcher()?;
            futures_lite::future::block_on(fetcher.fetch())
        })
    }

    fn fetcher(&self) -> Result<Fetcher, Unavailable> {
        of_this_process(&self.fetcher, || {
            let runtime = runtime()?;
            let _within = runtime.enter();
            authgate_jwks::tokio::start(self.source.clone(), self.key_set.clone(), World)
                .map_err(|error| Unavailable::new(error.to_string()))
        })
    }
}

/// The runtime that all providers of a process share, in a thread of its own.
fn runtime() -> Result<Handle, Unavailable> {
    static RUNTIME: Mutex<Option<Of<Handle>>> = Mutex::new(None);
    of_this_process(&RUNTIME, || {
        let failed = |error: std::io::Error| Unavailable::new(format!("no thread fetches keys: {error}"));
        let runtime = Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let handle = runtime.handle().clone();
        let run = move || runtime.block_on(std::future::pending::<()>());
        thread::Builder::new().name("authgate-keys".to_owned()).spawn(run).map_err(failed)?;
        Ok(handle)
    })
}

/// Made while the lock is held, so that there is one: two fetchers of one set would get into each other's way.
fn of_this_process<T: Clone>(
    kept: &Mutex<Option<Of<T>>>,
    make: impl FnOnce() -> Result<T, Unavailable>,
) -> Result<T, Unavailable> {
    let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
    let process = process::id();
    if let Some(Of { process: of, it }) = &*kept
        && *of == process
    {
        return Ok(it.clone());
    }
    let it = make()?;
    // What the parent had is not dropped here: its thread, which would be told, is not in this process.
    mem::forget(kept.replace(Of { process, it: it.clone() }));
    Ok(it)
}

/// The system's clock, tokio's timers.
#[derive(Clone)]
struct World;

impl Host for World {
    fn sleep(&self, span: Duration) -> impl Future<Output = ()> + Send + 'static {
        tokio::time::sleep(span)
    }
}
