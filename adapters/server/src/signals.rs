use std::process;
use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals as Heard;
use smol::channel::{Receiver, bounded};

use crate::failure::Failure;

/// SIGTERM and Ctrl-C, heard on a thread of their own so that every runtime hears them alike.
pub(crate) struct Signals(Receiver<()>);

impl Signals {
    /// Starts to listen. The first signal asks the program to end, the second one ends it.
    pub(crate) fn listen() -> Result<Self, Failure> {
        let mut heard = hear(&[SIGTERM, SIGINT])?;
        let (told, signals) = bounded(1);
        let listen = move || {
            for signal in heard.forever() {
                if told.try_send(()).is_err() {
                    process::exit(128 + signal);
                }
            }
        };
        on_a_thread("signals", listen)?;
        Ok(Self(signals))
    }

    /// Returns at the first signal.
    pub(crate) async fn first(&self) {
        let _ = self.0.recv().await;
    }
}

/// SIGHUP: it is heard from the start, when it would otherwise end the program, and heeded once that is ready.
pub(crate) struct HangUps(Heard);

impl HangUps {
    /// Starts to listen.
    pub(crate) fn listen() -> Result<Self, Failure> {
        hear(&[SIGHUP]).map(Self)
    }

    /// Calls `reload` for every SIGHUP, and once for several that come meanwhile. That has a thread of its own: however long it
    /// takes to read some file, the program can be asked to end.
    pub(crate) fn heed(self, mut reload: impl FnMut() + Send + 'static) -> Result<(), Failure> {
        let Self(mut heard) = self;
        on_a_thread("reload", move || heard.forever().for_each(|_| reload()))
    }
}

fn hear(which: &[i32]) -> Result<Heard, Failure> {
    Heard::new(which).map_err(|error| failed(&error))
}

fn on_a_thread(name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), Failure> {
    thread::Builder::new().name(name.to_owned()).spawn(work).map(drop).map_err(|error| failed(&error))
}

fn failed(error: &std::io::Error) -> Failure {
    Failure::new(format!("signals cannot be heard: {error}"))
}
