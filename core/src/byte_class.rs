//! Sets of bytes, as tables: each byte of a request's method, path and host is asked about, and some more than once.

/// A set of ASCII bytes.
pub(crate) struct ByteClass([bool; 256]);

impl ByteClass {
    /// Letters, digits, and `others`.
    pub(crate) const fn alphanumeric_and(others: &[u8]) -> Self {
        Self::of(false, others)
    }

    /// Whatever can be seen, but not `others`.
    pub(crate) const fn graphic_but(others: &[u8]) -> Self {
        Self::of(true, others)
    }

    /// `others` are added to letters and digits, or taken from what can be seen.
    #[allow(
        clippy::indexing_slicing,
        reason = "done as the program is compiled, and an index is no larger than a byte"
    )]
    const fn of(graphic: bool, mut others: &[u8]) -> Self {
        let mut set = [false; 256];
        let mut byte = 0_u8;
        while byte < 128 {
            set[byte as usize] = if graphic { byte.is_ascii_graphic() } else { byte.is_ascii_alphanumeric() };
            byte += 1;
        }
        while let [other, rest @ ..] = others {
            set[*other as usize] = !graphic;
            others = rest;
        }
        Self(set)
    }

    pub(crate) fn has(&self, byte: u8) -> bool {
        self.0.get(usize::from(byte)).is_some_and(|&has| has)
    }

    pub(crate) fn has_all(&self, bytes: &[u8]) -> bool {
        bytes.iter().all(|&byte| self.has(byte))
    }

    /// How many bytes at the start of `bytes` it has.
    pub(crate) fn length_in(&self, bytes: &[u8]) -> usize {
        bytes.iter().position(|&byte| !self.has(byte)).unwrap_or(bytes.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_has_what_it_is_made_of_and_nothing_else() {
        let (names, links) = (ByteClass::alphanumeric_and(b"-_"), ByteClass::graphic_but(b"\\#"));
        for byte in 0..=u8::MAX {
            assert_eq!(names.has(byte), byte.is_ascii_alphanumeric() || b"-_".contains(&byte), "{byte}");
            assert_eq!(links.has(byte), byte.is_ascii_graphic() && !b"\\#".contains(&byte), "{byte}");
        }
        assert!(names.has_all(b"a-Z_9") && !names.has_all(b"a b") && names.has_all(b""));
        assert_eq!([&b"a-Z_9"[..], b"a b", b" ab", b""].map(|bytes| names.length_in(bytes)), [5, 1, 0, 0]);
    }
}
