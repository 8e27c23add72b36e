use std::process;
use std::thread;

use signal_hook::consts::{SIGINT, SIGTERM};
use smol::channel::{Receiver, bounded};

use crate::failure::Failure;

/// SIGTERM and Ctrl-C, heard on a thread of their own so that every runtime hears them alike.
pub(crate) struct Signals(Receiver<()>);

impl Signals {
    /// Starts to listen. The first signal asks the program to end, the second one ends it.
    pub(crate) fn listen() -> Result<Self, Failure> {
        let failed = |error| Failure::new(format!("signals cannot be heard: {error}"));
        let mut heard = signal_hook::iterator::Signals::new([SIGTERM, SIGINT]).map_err(failed)?;
        let (told, signals) = bounded(1);
        let listen = move || {
            for signal in heard.forever() {
                if told.try_send(()).is_err() {
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
