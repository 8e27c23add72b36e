use std::io::{self, Write as _};

use crate::failure::Failure;

/// Writes `text` and a line's end to stdout, at once. Whoever closed the other end wanted no more: no failure.
pub(crate) fn say(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match writeln!(stdout, "{text}").and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::new(format!("stdout cannot be written: {error}")))
        }
        _ => Ok(()),
    }
}

/// Writes a remark to stderr, on one line: all went well, and something is worth knowing.
pub(crate) fn remark(sentence: &str) {
    // Nobody is left to tell if stderr is closed.
    let _ = writeln!(io::stderr().lock(), "authgate: {}", sentence.replace(char::is_control, " "));
}
