//! A request as ASGI or WSGI tells it, read into what the core borrows.

use std::borrow::Cow;
use std::net::IpAddr;

use authgate_core::{Head, HeaderView, Peer, Scheme};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode, percent_encode};
use pyo3::PyTypeCheck;
use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString, PyTuple};

/// What must be escaped in a path that somebody has decoded (RFC 3986 §3.3: all that is no `pchar` and no `/`).
const PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// A request, kept as long as its head is needed.
pub(crate) struct Request<'py> {
    method: Text<'py>,
    path: Text<'py>,
    query: Text<'py>,
    root: Text<'py>,
    headers: Fields<'py>,
    scheme: Scheme,
    peer: Peer,
    websocket: bool,
}

/// Text as Python keeps it, or as it had to be written anew.
enum Text<'py> {
    Str(Bound<'py, PyString>),
    Bytes(Bound<'py, PyBytes>),
    Owned(Cow<'static, str>),
}

enum Fields<'py> {
    /// ASGI: pairs of bytes, not yet looked into.
    Bytes(Vec<Bound<'py, PyTuple>>),
    /// WSGI: names made of CGI variables.
    Text(Vec<(String, Vec<u8>)>),
}

impl<'py> Request<'py> {
    /// Reads an ASGI scope of the type `http` or `websocket` (ASGI 3, HTTP & WebSocket).
    pub(crate) fn of_scope(scope: &Bound<'py, PyDict>, websocket: bool) -> PyResult<Self> {
        let py = scope.py();
        let method: Option<Bound<'py, PyString>> = entry(scope, intern!(py, "method"))?;
        let path: Bound<'py, PyString> = entry(scope, intern!(py, "path"))?.ok_or_else(|| missing("path"))?;
        let root: Option<Bound<'py, PyString>> = entry(scope, intern!(py, "root_path"))?;
        let raw: Option<Bound<'py, PyBytes>> = entry(scope, intern!(py, "raw_path"))?;
        let query: Option<Bound<'py, PyBytes>> = entry(scope, intern!(py, "query_string"))?;
        let scheme: Option<Bound<'py, PyString>> = entry(scope, intern!(py, "scheme"))?;
        let root_text = root.as_ref().map(|root| root.to_str()).transpose()?.unwrap_or_default();
        let path_text = path.to_str()?;
        let is_as_sent = root_text.is_empty()
            && raw.as_ref().is_none_or(|raw| raw.as_bytes() == path_text.as_bytes())
            && is_plain(path_text);
        let (root, path) = if is_as_sent {
            (Text::Owned(Cow::Borrowed("")), Text::Str(path))
        } else {
            let raw = raw.as_ref().map(PyBytesMethods::as_bytes);
            let (root, path) = as_sent(root_text.as_bytes(), path_text.as_bytes(), raw);
            (root.into(), path.into())
        };
        Ok(Self {
            method: match method {
                Some(method) => Text::Str(method),
                None => Text::Owned(Cow::Borrowed("GET")),
            },
            path,
            query: match query {
                Some(query) if query.as_bytes().is_ascii() => Text::Bytes(query),
                Some(query) => String::from_utf8_lossy(query.as_bytes()).into_owned().into(),
                None => Text::Owned(Cow::Borrowed("")),
            },
            root,
            headers: Fields::Bytes(pairs(fields(scope)?.as_ref())?),
            scheme: scheme
                .and_then(|scheme| scheme.to_str().ok().and_then(Scheme::parse))
                .unwrap_or_default(),
            peer: peer(scope.get_item(intern!(py, "client"))?.as_ref()),
            websocket,
        })
    }

    /// Reads a WSGI environ (PEP 3333).
    pub(crate) fn of_environ(environ: &Bound<'py, PyDict>) -> PyResult<Self> {
        let text = |key: &str| -> PyResult<Option<String>> {
            environ.get_item(key)?.map(|value| value.extract()).transpose()
        };
        let bytes = |key: &str| -> PyResult<Vec<u8>> {
            Ok(text(key)?.map(|text| latin1(&text)).transpose()?.unwrap_or_default())
        };
        let raw = text("REQUEST_URI")?.or(text("RAW_URI")?);
        let raw = raw.as_deref().map(|raw| raw.split_once('?').map_or(raw, |(path, _)| path));
        let path = match bytes("PATH_INFO")? {
            path if path.is_empty() => b"/".to_vec(),
            path => path,
        };
        let root = bytes("SCRIPT_NAME")?;
        let full = [root.as_slice(), path.as_slice()].concat();
        let (root, path) = as_sent(&root, &full, raw.map(str::as_bytes));
        let mut headers = Vec::new();
        for (key, value) in environ.iter() {
            let Ok(key) = key.extract::<Cow<'_, str>>() else { continue };
            let name = match key.strip_prefix("HTTP_") {
                Some(name) => name,
                None if matches!(&*key, "CONTENT_TYPE" | "CONTENT_LENGTH") => &*key,
                None => continue,
            };
            let value: String = value.extract()?;
            // A server may set these two to nothing, which is as good as leaving them out (PEP 3333). Any other field that
            // is empty was sent so, and an empty `Origin` is not the same as none.
            if !value.is_empty() || key.starts_with("HTTP_") {
                headers.push((name.to_ascii_lowercase().replace('_', "-"), latin1(&value)?));
            }
        }
        let address = text("REMOTE_ADDR")?.unwrap_or_default();
        Ok(Self {
            method: text("REQUEST_METHOD")?.ok_or_else(|| missing("REQUEST_METHOD"))?.into(),
            path: path.into(),
            query: text("QUERY_STRING")?.unwrap_or_default().into(),
            root: root.into(),
            headers: Fields::Text(headers),
            scheme: text("wsgi.url_scheme")?.as_deref().and_then(Scheme::parse).unwrap_or_default(),
            peer: if address.is_empty() { Peer::Unix } else { address_of(&address) },
            websocket: false,
        })
    }

    /// Hands the head to somebody who borrows it.
    pub(crate) fn with_head<T>(&self, act: impl FnOnce(&Head<'_>) -> T) -> PyResult<T> {
        let mut pairs: Vec<(&[u8], &[u8])> = Vec::with_capacity(self.headers.len());
        match &self.headers {
            Fields::Bytes(fields) => {
                for field in fields {
                    pairs.push((bytes(field, 0)?, bytes(field, 1)?));
                }
            }
            Fields::Text(fields) => {
                pairs.extend(fields.iter().map(|(name, value)| (name.as_bytes(), value.as_slice())));
            }
        }
        let query = Some(self.query.as_str()).filter(|query| !query.is_empty());
        let head = Head::of(self.method(), self.path(), query, HeaderView::Pairs(&pairs))
            .rooted(self.root.as_str())
            .over(self.scheme)
            .from_peer(self.peer);
        Ok(act(&if self.websocket { head.as_websocket() } else { head }))
    }

    /// The same request as if it had asked for another path below its root.
    pub(crate) fn at(mut self, path: &str) -> Self {
        let root = self.root.as_str();
        self.path = format!("{}{path}", root.strip_suffix('/').unwrap_or(root)).into();
        self
    }

    pub(crate) fn method(&self) -> &str {
        self.method.as_str()
    }

    pub(crate) fn path(&self) -> &str {
        self.path.as_str()
    }
}

impl Fields<'_> {
    fn len(&self) -> usize {
        match self {
            Self::Bytes(fields) => fields.len(),
            Self::Text(fields) => fields.len(),
        }
    }
}

impl Text<'_> {
    fn as_str(&self) -> &str {
        // Both have been looked at when they were taken.
        match self {
            Self::Str(text) => text.to_str().unwrap_or_default(),
            Self::Bytes(bytes) => std::str::from_utf8(bytes.as_bytes()).unwrap_or_default(),
            Self::Owned(text) => text,
        }
    }
}

impl From<String> for Text<'_> {
    fn from(text: String) -> Self {
        Self::Owned(Cow::Owned(text))
    }
}

/// Whether a path reads the same decoded and as it was sent.
fn is_plain(path: &str) -> bool {
    path.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'.' | b'_' | b'~'))
}

/// The root and the path as they were sent.
///
/// A server tells the path decoded, because applications route by that, and most tell what was sent, too. That is taken
/// only if it decodes to the very path that the application will see: whoever rewrote one and not the other would have the
/// gate judge what nobody asked for.
fn as_sent(told_root: &[u8], path: &[u8], raw: Option<&[u8]>) -> (String, String) {
    let root = encode(told_root);
    let raw = raw.and_then(|raw| std::str::from_utf8(raw).ok()).filter(|raw| {
        let is_plain = raw.as_bytes() == path && !raw.contains('%');
        let decodes_to = |wanted: &mut dyn Iterator<Item = u8>| percent_decode(raw.as_bytes()).eq(wanted);
        let is_below = is_below(raw.as_bytes(), root.as_bytes());
        // Some frameworks have cut the root off the path already; then what was sent still carries it. A path that is
        // below the root counts as whole, as ASGI has it: nobody else would see what is left of it after a second cut.
        let is_cut = !self::is_below(path, told_root);
        (is_plain || decodes_to(&mut path.iter().copied())) && (is_below || is_cut)
            || is_below && is_cut && decodes_to(&mut told_root.iter().chain(path).copied())
    });
    let path = raw.map_or_else(|| encode(path), str::to_owned);
    (root, path)
}

fn is_below(path: &[u8], prefix: &[u8]) -> bool {
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
}

fn encode(path: &[u8]) -> String {
    percent_encode(path, PATH).to_string()
}

/// WSGI keeps bytes as text, a character each.
fn latin1(text: &str) -> PyResult<Vec<u8>> {
    let byte =
        |c| u8::try_from(u32::from(c)).map_err(|_| PyValueError::new_err("environ: text beyond latin-1"));
    text.chars().map(byte).collect()
}

/// What a scope tells under `key`, if it tells anything.
fn entry<'py, T: PyTypeCheck>(
    scope: &Bound<'py, PyDict>,
    key: &Bound<'py, PyString>,
) -> PyResult<Option<Bound<'py, T>>> {
    let told = scope.get_item(key)?.filter(|value| !value.is_none());
    told.map(Bound::cast_into).transpose().map_err(Into::into)
}

/// The fields of a scope. What can be read only once (ASGI allows any iterable) is kept for the application, too.
fn fields<'py>(scope: &Bound<'py, PyDict>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = scope.py();
    let Some(given) = scope.get_item(intern!(py, "headers"))? else { return Ok(None) };
    if given.is_instance_of::<PyList>() || given.is_instance_of::<PyTuple>() {
        return Ok(Some(given));
    }
    let list = PyList::new(py, given.try_iter()?.collect::<PyResult<Vec<_>>>()?)?;
    scope.set_item(intern!(py, "headers"), &list)?;
    Ok(Some(list.into_any()))
}

fn pairs<'py>(headers: Option<&Bound<'py, PyAny>>) -> PyResult<Vec<Bound<'py, PyTuple>>> {
    let Some(headers) = headers else { return Ok(Vec::new()) };
    let Ok(list) = headers.cast::<PyList>() else {
        return headers.try_iter()?.map(|field| pair(field?)).collect();
    };
    let mut pairs = Vec::with_capacity(list.len());
    for field in list.iter() {
        pairs.push(pair(field)?);
    }
    Ok(pairs)
}

/// A field's name and value; some servers give them in a list.
fn pair(field: Bound<'_, PyAny>) -> PyResult<Bound<'_, PyTuple>> {
    match field.cast_into() {
        Ok(pair) => Ok(pair),
        Err(other) => {
            let field = other.into_inner();
            PyTuple::new(field.py(), [field.get_item(0)?, field.get_item(1)?])
        }
    }
}

/// The name or the value of a field.
fn bytes<'a>(field: &'a Bound<'_, PyTuple>, at: usize) -> PyResult<&'a [u8]> {
    Ok(field.get_borrowed_item(at)?.extract()?)
}

/// Who connected. Servers on unix sockets tell nothing; what they tell that is no address is nobody known.
fn peer(client: Option<&Bound<'_, PyAny>>) -> Peer {
    match client.filter(|client| !client.is_none()) {
        None => Peer::Unix,
        Some(client) => {
            let host = match client.cast::<PyTuple>() {
                Ok(pair) => pair.get_item(0),
                Err(_) => client.get_item(0),
            };
            let host = host.ok().and_then(|host| host.cast_into::<PyString>().ok());
            host.as_ref().and_then(|host| host.to_str().ok()).map_or(Peer::Unknown, address_of)
        }
    }
}

fn address_of(text: &str) -> Peer {
    // An IPv6 address may carry a zone.
    let text = text.split_once('%').map_or(text, |(address, _)| address);
    text.parse::<IpAddr>().map_or(Peer::Unknown, Peer::from)
}

fn missing(key: &str) -> PyErr {
    PyValueError::new_err(format!("the server told no {key}"))
}
