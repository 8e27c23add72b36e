use http::header::{HeaderMap, HeaderName, HeaderValue};

use crate::field_names::{FieldName, mark};

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

    fn for_each(self, mut look: impl FnMut(&'a [u8], &'a [u8])) {
        match self {
            Self::Map(map) => {
                map.iter().for_each(|(name, value)| look(name.as_str().as_bytes(), value.as_bytes()));
            }
            Self::Parsed(list) => list.iter().for_each(|field| look(field.name.as_bytes(), field.value)),
            Self::Pairs(list) => list.iter().for_each(|(name, value)| look(name, value)),
        }
    }
}

/// A request's header fields after one look at all of them: most of those that a gate asks for are not there, and then
/// nobody looks again.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RequestFields<'a> {
    view: HeaderView<'a>,
    /// A bit for each name that stands there; names may share one.
    marks: u64,
    /// How many there are.
    pub(crate) count: usize,
    /// How many bytes their names and values take.
    pub(crate) bytes: usize,
}

impl<'a> RequestFields<'a> {
    pub(crate) fn of(view: HeaderView<'a>) -> Self {
        let mut fields = Self { view, marks: 0, count: 0, bytes: 0 };
        view.for_each(|name, value| {
            fields.marks |= mark(name);
            fields.count += 1;
            fields.bytes = fields.bytes.saturating_add(name.len() + value.len());
        });
        fields
    }

    pub(crate) fn view(self) -> HeaderView<'a> {
        self.view
    }

    /// Whether the field `name` may stand there.
    fn may_have(self, name: &FieldName) -> bool {
        self.marks & name.mark() != 0
    }

    /// As [`HeaderView::all`].
    pub(crate) fn all(self, name: &FieldName) -> Values<'a, '_> {
        if self.may_have(name) { self.view.all(name.header()) } else { Values(Source::Pairs([].iter(), "")) }
    }

    /// As [`HeaderView::one`].
    pub(crate) fn one(self, name: &FieldName) -> Result<Option<&'a [u8]>, Repeated> {
        if self.may_have(name) { self.view.one(name.header()) } else { Ok(None) }
    }

    /// As [`HeaderView::has`].
    pub(crate) fn has(self, name: &FieldName) -> bool {
        self.may_have(name) && self.view.has(name.header())
    }

    /// As [`HeaderView::text`].
    pub(crate) fn text(self, name: &FieldName) -> Option<&'a str> {
        if self.may_have(name) { self.view.text(name.header()) } else { None }
    }

    /// As [`HeaderView::lists`].
    pub(crate) fn lists(self, name: &FieldName, token: &str) -> bool {
        self.may_have(name) && self.view.lists(name.header(), token)
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
    use proptest::prelude::*;

    use super::*;
    use crate::field_names;

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
            assert!(
                view.any_name(|name| name.eq_ignore_ascii_case(b"host"))
                    && !view.any_name(|name| name == b"x")
            );
            let (fields, [accept, host]) =
                (RequestFields::of(view), [&field_names::ACCEPT, &field_names::HOST]);
            assert_eq!((fields.count, fields.bytes), (3, 22));
            assert_eq!(fields.all(accept).collect::<Vec<_>>(), [&b"a, B"[..], b"c"]);
            assert_eq!((fields.one(accept), fields.one(host)), (Err(Repeated), Ok(Some(&b"x"[..]))));
            assert!(fields.has(host) && fields.lists(accept, "b") && fields.text(host) == Some("x"));
            for missing in [&field_names::COOKIE, &field_names::ORIGIN, &field_names::UPGRADE] {
                assert!(!fields.has(missing) && fields.one(missing) == Ok(None));
                assert!(fields.all(missing).next().is_none() && fields.text(missing).is_none());
            }
        }
    }

    proptest! {
        #[test]
        fn a_field_that_is_there_is_found_whatever_the_case(
            names in proptest::collection::vec("[a-zA-Z_-]{1,3}|[hH][oO][sS][tT]|[aA]ccep[tT]|COOKIE", 0..6),
            asked in "[a-z_-]{1,3}|host|accept|cookie",
        ) {
            let pairs: Vec<_> = names.iter().map(|name| (name.as_bytes(), &b"x"[..])).collect();
            let (view, asked) = (HeaderView::Pairs(&pairs), FieldName::of(HeaderName::try_from(asked).unwrap()));
            let (fields, name) = (RequestFields::of(view), asked.header());
            prop_assert_eq!(fields.all(&asked).count(), view.all(name).count());
            prop_assert_eq!(fields.one(&asked), view.one(name));
            prop_assert_eq!((fields.has(&asked), fields.text(&asked)), (view.has(name), view.text(name)));
        }
    }
}
