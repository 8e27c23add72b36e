use httparse::{Header, Request, Status};

use super::{Head, HeadLimits};
use crate::head::HeadError;
use crate::headers::HeaderView;

impl<'a> Head<'a> {
    /// Reads a request head from the start of `bytes`: the head and how many bytes it takes, or nothing yet if it is
    /// not all there. `slots` is room for as many fields as the limit allows.
    ///
    /// ```
    /// use authgate_core::{Head, HeadLimits};
    /// let mut slots = [httparse::EMPTY_HEADER; 100];
    /// let raw = b"GET /ops/?page=2 HTTP/1.1\r\nHost: dash.example\r\n\r\nbody";
    /// let (head, length) = Head::parse(raw, &mut slots, &HeadLimits::default()).unwrap().unwrap();
    /// assert_eq!((head.path(), head.query(), length), ("/ops/", Some("page=2"), raw.len() - 4));
    /// ```
    ///
    /// # Errors
    /// Which limit was passed or what is malformed, and the offset in bytes of the first byte that is too much.
    pub fn parse(
        bytes: &'a [u8],
        slots: &'a mut [Header<'a>],
        limits: &HeadLimits,
    ) -> Result<Option<(Self, usize)>, HeadError> {
        let room = slots.len().min(limits.headers);
        let slots = slots.get_mut(..room).unwrap_or_default();
        let too_large = HeadError::TooLarge { limit: limits.bytes, at: Some(limits.bytes) };
        let mut request = Request::new(slots);
        let length = match request.parse(bytes) {
            Ok(Status::Complete(length)) if length <= limits.bytes => length,
            Ok(Status::Partial) if bytes.len() <= limits.bytes => return Ok(None),
            Ok(_) => return Err(too_large),
            Err(error) => {
                let at = first_bad_byte(bytes, room);
                return Err(match error {
                    _ if at >= limits.bytes => too_large,
                    httparse::Error::TooManyHeaders => {
                        HeadError::TooManyHeaders { limit: room, at: Some(at) }
                    }
                    other => HeadError::Syntax { what: what(other), at },
                });
            }
        };
        let (Some(method), Some(target)) = (request.method, request.path) else {
            return Err(HeadError::Target);
        };
        Ok(Some((Self::new(method, target, HeaderView::Parsed(request.headers)), length)))
    }
}

/// httparse tells what is wrong but not where; the end of the shortest prefix that it refuses is where.
fn first_bad_byte(bytes: &[u8], room: usize) -> usize {
    let mut slots = vec![httparse::EMPTY_HEADER; room];
    let (mut good, mut bad) = (0, bytes.len());
    while good + 1 < bad {
        let middle = good + (bad - good) / 2;
        let prefix = bytes.get(..middle).unwrap_or(bytes);
        if Request::new(&mut slots).parse(prefix).is_err() { bad = middle } else { good = middle }
    }
    bad.saturating_sub(1)
}

fn what(error: httparse::Error) -> &'static str {
    match error {
        httparse::Error::HeaderName => "a header field's name",
        httparse::Error::HeaderValue => "a header field's value",
        httparse::Error::NewLine => "a line's end",
        httparse::Error::Version => "the HTTP version",
        _ => "the request line",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(raw: &[u8]) -> Result<Option<usize>, HeadError> {
        let mut slots = [httparse::EMPTY_HEADER; 100];
        Head::parse(raw, &mut slots, &HeadLimits::default()).map(|found| found.map(|(_, length)| length))
    }

    #[test]
    fn an_error_names_the_byte() {
        assert_eq!(
            parse(b"GET / HTTP/1.1\r\nA: b\r\nC d: e\r\n\r\n"),
            Err(HeadError::Syntax { what: "a header field's name", at: 23 })
        );
        assert_eq!(
            parse(b"GET / HTTP/1.1\r\nA: b\0\r\n\r\n"),
            Err(HeadError::Syntax { what: "a header field's value", at: 20 })
        );
        assert_eq!(
            parse(b"GET / HTTP/1.1\r\nA: b\r\n folded\r\n\r\n"),
            Err(HeadError::Syntax { what: "a header field's name", at: 22 })
        );
        assert_eq!(parse(b"\x16\x03\x01"), Err(HeadError::Syntax { what: "the request line", at: 0 }));
        assert_eq!(
            parse(b"GET / HTTP/3.1\r\n\r\n"),
            Err(HeadError::Syntax { what: "the HTTP version", at: 11 })
        );
        assert_eq!(parse(b"GET / HTTP/1.1\rA"), Err(HeadError::Syntax { what: "a line's end", at: 15 }));
    }

    #[test]
    fn a_head_may_be_as_long_as_the_limit_and_what_is_beyond_it_is_not_judged() {
        let limited = |raw: &[u8], bytes| {
            let mut slots = [httparse::EMPTY_HEADER; 4];
            let limits = HeadLimits { bytes, headers: 4 };
            Head::parse(raw, &mut slots, &limits).map(|found| found.map(|(_, length)| length))
        };
        let raw = b"GET / HTTP/1.1\r\nA: b\r\n\r\n";
        assert_eq!(limited(raw, raw.len()), Ok(Some(raw.len())));
        let unfinished = &raw[..raw.len() - 1];
        assert_eq!(limited(unfinished, unfinished.len()), Ok(None));
        let bad = b"GET / HTTP/1.1\r\nA: b\0";
        assert!(matches!(limited(bad, 21), Err(HeadError::Syntax { at: 20, .. })));
        assert_eq!(limited(bad, 20), Err(HeadError::TooLarge { limit: 20, at: Some(20) }));
    }

    #[test]
    fn an_unfinished_head_is_waited_for_up_to_the_limit() {
        assert_eq!(parse(b"GET / HTTP/1.1\r\nA: b\r\n"), Ok(None));
        let endless = [b"GET / HTTP/1.1\r\nA: ".as_slice(), &b"x".repeat(70_000)].concat();
        assert_eq!(parse(&endless), Err(HeadError::TooLarge { limit: 65_536, at: Some(65_536) }));
        let complete = [endless.as_slice(), b"\r\n\r\n"].concat();
        assert_eq!(parse(&complete), Err(HeadError::TooLarge { limit: 65_536, at: Some(65_536) }));
    }

    #[test]
    fn one_field_too_many_is_named() {
        let raw = [b"GET / HTTP/1.1\r\n".as_slice(), &b"A: b\r\n".repeat(101), b"\r\n"].concat();
        assert!(matches!(parse(&raw), Err(HeadError::TooManyHeaders { limit: 100, at: Some(_) })));
        let raw = [b"GET / HTTP/1.1\r\n".as_slice(), &b"A: b\r\n".repeat(100), b"\r\n"].concat();
        assert_eq!(parse(&raw), Ok(Some(raw.len())));
    }

    #[test]
    fn an_absolute_target_names_its_host() {
        let mut slots = [httparse::EMPTY_HEADER; 4];
        let raw = b"GET http://dash.example:80?x HTTP/1.1\r\nHost: other.example\r\n\r\n";
        let (head, _) = Head::parse(raw, &mut slots, &HeadLimits::default()).unwrap().unwrap();
        assert_eq!((head.path(), head.query(), head.authority), ("/", Some("x"), Some("dash.example:80")));
        assert_eq!(head.host().unwrap_err(), HeadError::Host);
    }
    #[test]
    fn a_fragment_is_no_part_of_a_target() {
        for (target, is_sound) in [("/a?b", true), ("/a#x", false), ("/a?b#x", false)] {
            let head = Head::new("GET", target, HeaderView::Pairs(&[]));
            let wanted = if is_sound { Ok(()) } else { Err(HeadError::Target) };
            assert_eq!(head.check(&HeadLimits::default()), wanted, "{target}");
        }
    }
}
