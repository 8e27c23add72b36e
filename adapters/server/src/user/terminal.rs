use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use authgate_core::Secret;
use signal_hook::consts::SIGINT;
use signal_hook::{flag, low_level};

use crate::failure::Failure;

/// Asks for a password, which is not shown while it is typed.
pub(super) fn ask(prompt: &str) -> Result<Secret<String>, Failure> {
    // Ctrl-C must not end the program while the terminal hides what is typed: it would go on hiding it.
    let heard = flag::register(SIGINT, Arc::new(AtomicBool::new(false)));
    let typed = rpassword::prompt_password(format!("{prompt}: "));
    if let Ok(heard) = heard {
        low_level::unregister(heard);
    }
    typed.map(Secret::new).map_err(|error| {
        if error.kind() == io::ErrorKind::Interrupted {
            // Whoever waits for the program sees that it was interrupted. If that fails, the error is told.
            let _ = low_level::emulate_default_handler(SIGINT);
        }
        Failure::new(format!("the terminal cannot be read: {error}; give the password as one line on stdin"))
    })
}
