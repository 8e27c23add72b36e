mod error;
mod parse;

pub use self::error::HeadError;
use crate::Peer;
use crate::byte_class::ByteClass;
use crate::field_names::{CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use crate::headers::{HeaderView, RequestFields};
use crate::mount::below;
use crate::origin::{Authority, Origin, Scheme};

/// What a path may be made of; the rest of a URL is escaped.
static PATH: ByteClass = ByteClass::graphic_but(b"#");

/// What the gate borrows from a request: everything but the body.
///
/// Made from [`http::request::Parts`], from plain parts by a binding, or from raw bytes with [`Head::parse`]. It is
/// checked by [`Gate::begin`](crate::Gate::begin), so that every driver refuses the same heads.
#[derive(Debug, Clone, Copy)]
pub struct Head<'a> {
    pub(crate) method: &'a str,
    pub(crate) prefix: &'a str,
    pub(crate) path: &'a str,
    pub(crate) query: Option<&'a str>,
    pub(crate) authority: Option<&'a str>,
    pub(crate) headers: RequestFields<'a>,
    pub(crate) scheme: Scheme,
    pub(crate) peer: Peer,
    pub(crate) websocket: bool,
}

/// How large a request head may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeadLimits {
    /// Request target, names and values together, in bytes. Default 64 KiB.
    pub bytes: usize,
    /// Number of header fields. Default 100.
    pub headers: usize,
}

impl Default for HeadLimits {
    fn default() -> Self {
        Self { bytes: 64 * 1024, headers: 100 }
    }
}

impl<'a> Head<'a> {
    /// A head from plain parts: a method, a request target (a path, or an absolute URL; RFC 9112 §3.2) and header fields.
    pub fn new(method: &'a str, target: &'a str, headers: HeaderView<'a>) -> Self {
        let (authority, rest) = split_target(target);
        let (path, query) = match rest.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (rest, None),
        };
        // An absolute target without a path means the root (RFC 9112 §3.2.1).
        let path = if path.is_empty() && authority.is_some() { "/" } else { path };
        Self { authority, ..Self::of(method, path, query, headers) }
    }

    /// A head whose path and query a host has taken apart already: the path as it was sent, escapes and all.
    pub fn of(method: &'a str, path: &'a str, query: Option<&'a str>, headers: HeaderView<'a>) -> Self {
        Self {
            method,
            prefix: "",
            path,
            query,
            authority: None,
            headers: RequestFields::of(headers),
            scheme: Scheme::Http,
            peer: Peer::Unknown,
            websocket: false,
        }
    }

    /// How the request arrived here. Default: plain HTTP.
    #[must_use]
    pub fn over(self, scheme: Scheme) -> Self {
        Self { scheme, ..self }
    }

    /// Who is at the other end of the connection. Default: unknown, who is trusted with nothing.
    #[must_use]
    pub fn from_peer(self, peer: Peer) -> Self {
        Self { peer, ..self }
    }

    /// A prefix that a router has already cut off the path (ASGI's `root_path`, a nested router's prefix). Links
    /// carry it before the gate's own mount.
    #[must_use]
    pub fn below(self, prefix: &'a str) -> Self {
        Self { prefix: prefix.strip_suffix('/').unwrap_or(prefix), ..self }
    }

    /// The same for a path that may still carry the prefix, as ASGI's does: it is cut off, at a segment boundary.
    #[must_use]
    pub fn rooted(self, root: &'a str) -> Self {
        let head = self.below(root);
        Self { path: below(head.path, head.prefix).unwrap_or(head.path), ..head }
    }

    /// Marks a websocket's handshake whose `Upgrade` field the server has already consumed (ASGI, HTTP/2).
    #[must_use]
    pub fn as_websocket(self) -> Self {
        Self { websocket: true, ..self }
    }

    /// The method, as sent.
    pub fn method(&self) -> &'a str {
        self.method
    }

    /// The path, as sent, below the prefix; without the query.
    pub fn path(&self) -> &'a str {
        self.path
    }

    /// The query, as sent, without the `?`.
    pub fn query(&self) -> Option<&'a str> {
        self.query
    }

    /// The prefix that a router has cut off the path.
    pub fn prefix(&self) -> &'a str {
        self.prefix
    }

    /// How the request arrived here.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Who is at the other end of the connection; behind a proxy, the proxy.
    pub fn peer(&self) -> Peer {
        self.peer
    }

    /// The header fields.
    pub fn headers(&self) -> HeaderView<'a> {
        self.headers.view()
    }

    /// Whether the method only reads (RFC 9110 §9.2.1). Methods are case-sensitive; an unknown one may write.
    pub fn is_safe(&self) -> bool {
        matches!(self.method, "GET" | "HEAD" | "OPTIONS")
    }

    /// The one host that the request names, in the target or in `Host`. Two different ones are refused.
    pub(crate) fn host(&self) -> Result<Option<Authority<'a>>, HeadError> {
        let read =
            |text: &'a [u8]| std::str::from_utf8(text).ok().and_then(Authority::parse).ok_or(HeadError::Host);
        let field = self.headers.one(&HOST).map_err(|_| HeadError::Host)?.map(read).transpose()?;
        let target = self.authority.map(|text| read(text.as_bytes())).transpose()?;
        match (target, field) {
            (Some(target), Some(field))
                if Origin::new(self.scheme, target) != Origin::new(self.scheme, field) =>
            {
                Err(HeadError::Host)
            }
            (target, field) => Ok(target.or(field)),
        }
    }

    /// What no honest client sends and two parsers may read differently.
    pub(crate) fn check(&self, limits: &HeadLimits) -> Result<(), HeadError> {
        let RequestFields { count, bytes, .. } = self.headers;
        let bytes = bytes.saturating_add(self.path.len()).saturating_add(self.query.map_or(0, str::len));
        if count > limits.headers {
            return Err(HeadError::TooManyHeaders { limit: limits.headers, at: None });
        }
        if bytes > limits.bytes {
            return Err(HeadError::TooLarge { limit: limits.bytes, at: None });
        }
        if self.method.is_empty() || !self.method.bytes().all(is_token) {
            return Err(HeadError::Method);
        }
        if !self.path.starts_with('/')
            || !PATH.has_all(self.path.as_bytes())
            || self.query.is_some_and(|query| query.contains('#'))
        {
            return Err(HeadError::Target);
        }
        if self.headers.has(&TRANSFER_ENCODING) && self.headers.has(&CONTENT_LENGTH) {
            return Err(HeadError::Framing);
        }
        Ok(())
    }
}

/// Reads a [`Peer`] and a [`Scheme`] from the extensions, where the server has left them.
impl<'a> From<&'a http::request::Parts> for Head<'a> {
    fn from(parts: &'a http::request::Parts) -> Self {
        Self {
            path: parts.uri.path(),
            query: parts.uri.query(),
            authority: parts.uri.authority().map(http::uri::Authority::as_str),
            // Never the target's own word: whoever writes it knows no more than that they would like TLS.
            scheme: parts.extensions.get().copied().unwrap_or_default(),
            peer: parts.extensions.get().copied().unwrap_or_default(),
            ..Self::new(parts.method.as_str(), "/", HeaderView::Map(&parts.headers))
        }
    }
}

/// The authority of an absolute-form target, and the rest.
fn split_target(target: &str) -> (Option<&str>, &str) {
    let absolute = target.split_once("://").filter(|(scheme, _)| Scheme::parse(scheme).is_some());
    match absolute {
        Some((_, rest)) => {
            let (authority, rest) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
            (Some(authority), rest)
        }
        None => (None, target),
    }
}

/// RFC 9110 §5.6.2.
pub(crate) fn is_token(byte: u8) -> bool {
    static TOKEN: ByteClass = ByteClass::alphanumeric_and(b"!#$%&'*+-.^_`|~");
    TOKEN.has(byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: [(&[u8], &[u8]); 2] = [(b"host", b"a"), (b"accept", b"b")];

    #[test]
    fn a_head_that_is_as_large_as_it_may_be_is_read() {
        let head = Head::new("GET", "/ab?cd", HeaderView::Pairs(&FIELDS));
        let RequestFields { count: headers, bytes, .. } = head.headers;
        let limits = HeadLimits { headers, bytes: bytes + "/ab".len() + "cd".len() };
        assert_eq!(head.check(&limits), Ok(()));
        let fewer = HeadLimits { headers: headers - 1, ..limits };
        assert!(matches!(head.check(&fewer), Err(HeadError::TooManyHeaders { limit: 1, .. })));
        let shorter = HeadLimits { bytes: limits.bytes - 1, ..limits };
        assert!(matches!(head.check(&shorter), Err(HeadError::TooLarge { .. })));
    }

    #[test]
    fn a_backend_reads_of_a_head_what_was_put_in() {
        let peer = Peer::from(std::net::IpAddr::from([192, 0, 2, 1]));
        let head = Head::new("PUT", "/a?b", HeaderView::Pairs(&FIELDS)).over(Scheme::Https).from_peer(peer);
        assert_eq!((head.method(), head.path(), head.query()), ("PUT", "/a", Some("b")));
        assert_eq!((head.scheme(), head.peer(), head.is_safe()), (Scheme::Https, peer, false));
        assert_eq!(head.below("/team/").prefix(), "/team");
        assert!(Head::new("HEAD", "/", HeaderView::Pairs(&[])).is_safe());
    }

    #[test]
    fn hypers_types_say_the_same_as_a_head_that_was_read() {
        let peer = Peer::from(std::net::IpAddr::from([192, 0, 2, 1]));
        let request =
            http::Request::put("http://dash.example:81/a?b").extension(peer).extension(Scheme::Https);
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let head = Head::from(&parts);
        assert_eq!((head.method(), head.path(), head.query()), ("PUT", "/a", Some("b")));
        assert_eq!((head.scheme(), head.peer()), (Scheme::Https, peer));
        assert_eq!(head.authority, Some("dash.example:81"));
    }
}
