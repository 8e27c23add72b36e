use std::process;
use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use smol::channel::{Receiver, bounded};

use crate::failure::Failure;

/// SIGTERM and Ctrl-C, heard on a thread of their own so that every runtime hears them alike.
pub(crate) struct Signals(Receiver<()>);

impl Signals {
    /// Starts to listen. The first signal asks the program to end, the second one ends it.
    pub(crate) fn listen() -> Result<Self, Failure> {
        Self::start(&[SIGTERM, SIGINT], || {})
    }

    /// The same, and calls `reload`, on the thread that listens, at every SIGHUP.
    pub(crate) fn listen_and_reload(reload: impl FnMut() + Send + 'static) -> Result<Self, Failure> {
        Self::start(&[SIGTERM, SIGINT, SIGHUP], reload)
    }

    fn start(which: &[i32], mut reload: impl FnMut() + Send + 'static) -> Result<Self, Failure> {
        let failed = |error| Failure::new(format!("signals cannot be heard: {error}"));
        let mut heard = signal_hook::iterator::Signals::new(which).map_err(failed)?;
        let (told, signals) = bounded(1);
        let listen = move || {
            for signal in heard.forever() {
                if signal == SIGHUP {
                    reload();
                } else if told.try_send(()).is_err() {
                    process::exit(128 + signal);
                }
            }
        };
        thread::Builder::new().name("signals".to_owned()).spawn(listen).map_err(failed)?;
        Ok(Self(signals))
    }

    /// Returns at the first signal.
    pub(crate) async fn first(&self) {
        let _ = self.0.recv().await;
    }
}
