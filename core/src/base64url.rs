//! Base64url without padding (RFC 4648 §5), canonical: one text for each value.

use std::fmt;
use std::mem::MaybeUninit;

use base64_simd::{AsOut, URL_SAFE_NO_PAD};
use serde::de::{Error, Visitor};
use serde::{Deserializer, Serializer};

/// Room on the stack for what is decoded, not written to before.
pub(crate) const fn room<const BYTES: usize>() -> [MaybeUninit<u8>; BYTES] {
    [const { MaybeUninit::uninit() }; BYTES]
}

/// Why nothing is decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Undecoded {
    /// It is no such text.
    Encoding,
    /// There is no room for it.
    TooLong,
}

/// What `text` stands for, in `room`.
pub(crate) fn decode<'r>(text: &[u8], room: &'r mut [MaybeUninit<u8>]) -> Result<&'r mut [u8], Undecoded> {
    let length = URL_SAFE_NO_PAD.decoded_length(text).map_err(|_| Undecoded::Encoding)?;
    let room = room.get_mut(..length).ok_or(Undecoded::TooLong)?;
    URL_SAFE_NO_PAD.decode(text, room.as_out()).map_err(|_| Undecoded::Encoding)
}

/// The `N` bytes that `text` stands for, if it stands for exactly as many.
pub(crate) fn decode_array<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    let mut room = room::<N>();
    let bytes: &[u8] = decode(text, &mut room).ok()?;
    bytes.try_into().ok()
}

/// For serde: bytes of a known length as text, wherever sessions are written down.
pub(crate) fn serialize<S: Serializer, const N: usize>(bytes: &[u8; N], to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&URL_SAFE_NO_PAD.encode_to_string(bytes))
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>, const N: usize>(from: D) -> Result<[u8; N], D::Error> {
    struct Bytes<const N: usize>;

    impl<const N: usize> Visitor<'_> for Bytes<N> {
        type Value = [u8; N];

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "{N} bytes in base64url")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<[u8; N], E> {
            decode_array(text.as_bytes()).ok_or_else(|| E::custom("not base64url of the right length"))
        }
    }

    from.deserialize_str(Bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_canonical_text_is_decoded_and_only_where_there_is_room() {
        assert_eq!(decode(b"aGk", &mut room::<2>()).map(|bytes| bytes.to_vec()), Ok(b"hi".to_vec()));
        assert_eq!(decode(b"aGk", &mut room::<1>()), Err(Undecoded::TooLong));
        for text in ["aGk=", "aGl", "aG k", "aGk\n", "a+b/", "aGk.", "a"] {
            assert_eq!(decode(text.as_bytes(), &mut room::<8>()), Err(Undecoded::Encoding), "{text:?}");
        }
    }

    #[test]
    fn bytes_of_a_known_length_are_neither_fewer_nor_more() {
        assert_eq!(decode_array(b"aGk"), Some(*b"hi"));
        assert_eq!((decode_array::<1>(b"aGk"), decode_array::<3>(b"aGk")), (None, None));
    }
}
