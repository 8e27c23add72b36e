use http::header::{HeaderMap, HeaderName, HeaderValue};

/// A request's header fields, wherever they are kept. Nothing is copied to ask a question.
#[derive(Debug, Clone, Copy)]
pub enum HeaderView<'a> {
    /// The `http` crate's map.
    Map(&'a HeaderMap),
    /// What `httparse` found in a buffer.
    Parsed(&'a [httparse::Header<'a>]),
    /// Pairs of name and value, as ASGI lists them. Names match whatever their case.
    Pairs(&'a [(&'a [u8], &'a [u8])]),
}

/// A field that must stand once stands several times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repeated;

impl<'a> HeaderView<'a> {
    /// All values of the field `name`, in order.
    pub fn all(self, name: &HeaderName) -> Values<'a, '_> {
        Values(match self {
            Self::Map(map) => Source::Map(map.get_all(name).into_iter()),
            Self::Parsed(list) => Source::Parsed(list.iter(), name.as_str()),
            Self::Pairs(list) => Source::Pairs(list.iter(), name.as_str()),
        })
    }

    /// The value of the field `name`, if it stands once.
    ///
    /// # Errors
    /// [`Repeated`] if it stands several times.
    pub fn one(self, name: &HeaderName) -> Result<Option<&'a [u8]>, Repeated> {
        let mut values = self.all(name);
        let first = values.next();
        if values.next().is_some() { Err(Repeated) } else { Ok(first) }
    }

    /// Whether the field `name` stands at all.
    pub fn has(self, name: &HeaderName) -> bool {
        self.all(name).next().is_some()
    }

    /// The value of the field `name` as visible ASCII, if it stands once and is that.
    pub fn text(self, name: &HeaderName) -> Option<&'a str> {
        let value = self.one(name).ok()??;
        value.iter().all(|byte| (b' '..=b'~').contains(byte)).then(|| std::str::from_utf8(value).ok())?
    }

    /// Whether any value of the field `name` lists `token`, whatever its case (RFC 9110 §5.6.1).
    pub(crate) fn lists(self, name: &HeaderName, token: &str) -> bool {
        self.all(name)
            .flat_map(|value| value.split(|&byte| byte == b','))
            .any(|item| item.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
    }

    /// Whether any field's name is one that somebody looks for.
    pub(crate) fn any_name(self, wanted: impl Fn(&[u8]) -> bool) -> bool {
        self.find_name(wanted).is_some()
    }

    /// The first field's name that somebody looks for.
    pub(crate) fn find_name(self, wanted: impl Fn(&[u8]) -> bool) -> Option<&'a [u8]> {
        match self {
            Self::Map(map) => map.keys().map(|name| name.as_str().as_bytes()).find(|name| wanted(name)),
            Self::Parsed(list) => list.iter().map(|field| field.name.as_bytes()).find(|name| wanted(name)),
            Self::Pairs(list) => list.iter().map(|(name, _)| *name).find(|name| wanted(name)),
        }
    }

    /// How many fields there are, and how many bytes their names and values take.
    pub(crate) fn size(self) -> (usize, usize) {
        let count = |sizes: &mut dyn Iterator<Item = usize>| {
            sizes.fold((0, 0), |(fields, bytes): (usize, usize), size| {
                (fields + 1, bytes.saturating_add(size))
            })
        };
        match self {
            Self::Map(map) => count(&mut map.iter().map(|(name, value)| name.as_str().len() + value.len())),
            Self::Parsed(list) => count(&mut list.iter().map(|field| field.name.len() + field.value.len())),
            Self::Pairs(list) => count(&mut list.iter().map(|(name, value)| name.len() + value.len())),
        }
    }
}

/// The values of one field; see [`HeaderView::all`].
#[derive(Debug)]
pub struct Values<'a, 'n>(Source<'a, 'n>);

#[derive(Debug)]
enum Source<'a, 'n> {
    Map(http::header::ValueIter<'a, HeaderValue>),
    Parsed(std::slice::Iter<'a, httparse::Header<'a>>, &'n str),
    Pairs(std::slice::Iter<'a, (&'a [u8], &'a [u8])>, &'n str),
}

impl<'a> Iterator for Values<'a, '_> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        match &mut self.0 {
            Source::Map(values) => values.next().map(HeaderValue::as_bytes),
            Source::Parsed(fields, name) => {
                fields.find(|field| field.name.eq_ignore_ascii_case(name)).map(|field| field.value)
            }
            Source::Pairs(fields, name) => {
                fields.find(|(field, _)| field.eq_ignore_ascii_case(name.as_bytes())).map(|(_, value)| *value)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use http::header::{ACCEPT, HOST};

    use super::*;

    #[test]
    fn every_kind_of_list_answers_alike() {
        let mut map = HeaderMap::new();
        map.append(ACCEPT, HeaderValue::from_static("a, B"));
        map.append(ACCEPT, HeaderValue::from_static("c"));
        map.append(HOST, HeaderValue::from_static("x"));
        let parsed = [("Accept", "a, B"), ("accept", "c"), ("HOST", "x")]
            .map(|(name, value)| httparse::Header { name, value: value.as_bytes() });
        let pairs: [(&[u8], &[u8]); 3] = [(b"accept", b"a, B"), (b"Accept", b"c"), (b"host", b"x")];
        for view in [HeaderView::Map(&map), HeaderView::Parsed(&parsed), HeaderView::Pairs(&pairs)] {
            assert_eq!(view.all(&ACCEPT).collect::<Vec<_>>(), [&b"a, B"[..], b"c"]);
            assert_eq!(view.one(&ACCEPT), Err(Repeated));
            assert_eq!(view.one(&HOST), Ok(Some(&b"x"[..])));
            assert!(view.lists(&ACCEPT, "b") && view.lists(&ACCEPT, "C") && !view.lists(&ACCEPT, "a, b"));
            assert_eq!(view.size(), (3, 22));
            assert!(
                view.any_name(|name| name.eq_ignore_ascii_case(b"host"))
                    && !view.any_name(|name| name == b"x")
            );
        }
    }
}
