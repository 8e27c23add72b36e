use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd as _;

use authgate_core::Secret;
use authgate_users::HashError;

use crate::failure::Failure;

/// The longest password, in bytes.
const LONGEST: usize = 1024;

/// A line of the longest password with its end, and one byte more, which is too much.
const MOST_BYTES: usize = LONGEST + 2 + 1;

/// The first line of stdin, without its end. Nothing is read beyond it: whoever writes may keep the pipe open.
pub(super) fn line() -> Result<Secret<String>, Failure> {
    // A file of its own has no buffer that would keep a copy.
    let line = io::stdin().as_fd().try_clone_to_owned().and_then(|stdin| first_line(File::from(stdin)));
    let line = line.map_err(|error| {
        Failure::new(format!("stdin cannot be read: {error}; write the password to it, as one line"))
    })?;
    let Some(mut line) = line else {
        return Err(Failure::new(
            "there is no password: stdin is empty; write the password to it, as one line",
        ));
    };
    for end in [b'\n', b'\r'] {
        if line.last() == Some(&end) {
            line.pop();
        }
    }
    let long = line.len() > LONGEST;
    // From here on it erases itself, whatever comes of it.
    let line = String::from_utf8(line).map(Secret::new).map_err(|error| Secret::new(error.into_bytes()));
    match line {
        // It may have been cut within a character, so this comes first.
        _ if long => Err(Failure::new(HashError::TooLong.to_string())),
        Ok(line) => Ok(line),
        Err(_) => Err(Failure::new("the password on stdin is not UTF-8; write it as text")),
    }
}

/// The first line with its end, or as much of it as is too much; nothing if there is not one byte.
fn first_line(mut from: impl Read) -> io::Result<Option<Vec<u8>>> {
    // It never grows: what growing leaves behind could not be erased.
    let mut line = Vec::with_capacity(MOST_BYTES);
    let mut byte = [0];
    while line.last() != Some(&b'\n') && line.len() < MOST_BYTES {
        match from.read(&mut byte) {
            Ok(0) => break,
            Ok(_) => line.extend(byte),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok((!line.is_empty()).then_some(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_read_than_one_line() {
        let mut two = &b"enigma\nand more"[..];
        assert_eq!(first_line(&mut two).unwrap().unwrap(), b"enigma\n");
        assert_eq!(two, b"and more");
        let mut endless = io::repeat(b'x');
        assert_eq!(first_line(&mut endless).unwrap().unwrap().len(), MOST_BYTES);
        assert_eq!(first_line(io::empty()).unwrap(), None);
    }
}
