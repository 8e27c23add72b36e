use authgate_core::{LoginError, LoginForm as CoreForm, Reply as CoreReply};
use bytes::Bytes;
use http::HeaderValue;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDict, PyList, PyTuple};

use crate::error;

/// An answer of the gate's own, ready to be sent.
#[pyclass(frozen, module = "authgate._core")]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(Bytes, Bytes)>,
    body: Bytes,
    reason: &'static str,
    detail: String,
    user: Option<String>,
    form: Option<CoreForm>,
    bodiless: bool,
}

impl Reply {
    pub(crate) fn new(reply: &CoreReply) -> Self {
        let event = reply.event();
        let (reason, detail) = (event.reason.slug(), event.detail.into_owned());
        let user = event.user.map(str::to_owned);
        let form = reply.login_form().cloned();
        let status = reply.status().as_u16();
        let bodiless = reply.is_bodiless();
        let body = reply.body().clone();
        let headers = fields(reply.headers());
        Self { status, headers, body, reason, detail, user, form, bodiless }
    }
}

#[pymethods]
impl Reply {
    /// The status.
    #[getter]
    fn status(&self) -> u16 {
        self.status
    }

    /// The reason in the audit trail, such as `not-signed-in`.
    #[getter]
    fn reason(&self) -> &'static str {
        self.reason
    }

    /// The user in the audit trail.
    #[getter]
    fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// The header fields, in order, names in lower case; the length of the body among them.
    #[getter]
    fn headers<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let fields = self.headers.iter().map(|(name, value)| (&name[..], &value[..]));
        listed(py, fields, told_length(self.bodiless, self.status, &self.body))
    }

    /// The body.
    #[getter]
    fn body<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.body)
    }

    /// The form that this page shows, if it shows one.
    #[getter]
    fn form(&self) -> Option<LoginForm> {
        self.form.clone().map(LoginForm)
    }

    /// The same answer with another page: HTML, under a policy (CSP level 3).
    fn with_own_page(&self, py: Python<'_>, html: &str, policy: &str) -> PyResult<Self> {
        let Ok(policy) = HeaderValue::from_str(policy) else {
            return Err(error::refused(py, "login_page", "login_page: its policy cannot stand in a header"));
        };
        let mut headers: Vec<_> = self
            .headers
            .iter()
            .filter(|(name, _)| &name[..] != b"content-security-policy")
            .cloned()
            .collect();
        headers.push((
            Bytes::from_static(b"content-security-policy"),
            Bytes::copy_from_slice(policy.as_bytes()),
        ));
        let body = if self.bodiless { Bytes::new() } else { Bytes::copy_from_slice(html.as_bytes()) };
        Ok(Self {
            headers,
            body,
            detail: self.detail.clone(),
            user: self.user.clone(),
            form: self.form.clone(),
            ..*self
        })
    }

    /// The two messages that answer a request in ASGI.
    fn messages<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyDict>, Bound<'py, PyDict>)> {
        both(py, self.status, self.headers(py)?, &self.body)
    }

    fn __repr__(&self) -> String {
        format!("Reply({}, {})", self.status, self.reason)
    }
}

/// The length of a body, if it is to be told: without a body there is nothing to measure (RFC 9110 §8.6).
fn told_length(bodiless: bool, status: u16, body: &Bytes) -> Option<usize> {
    (!bodiless && status != 204).then_some(body.len())
}

/// The two messages that answer a request in ASGI, of a reply that nobody wants to look at.
pub(crate) fn messages<'py>(
    py: Python<'py>,
    reply: &CoreReply,
) -> PyResult<(Bound<'py, PyDict>, Bound<'py, PyDict>)> {
    let status = reply.status().as_u16();
    let length = told_length(reply.is_bodiless(), status, reply.body());
    let fields = reply.headers().iter().map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes()));
    both(py, status, listed(py, fields, length)?, reply.body())
}

fn both<'py>(
    py: Python<'py>,
    status: u16,
    headers: Bound<'py, PyList>,
    content: &[u8],
) -> PyResult<(Bound<'py, PyDict>, Bound<'py, PyDict>)> {
    let start = PyDict::new(py);
    start.set_item(intern!(py, "type"), intern!(py, "http.response.start"))?;
    start.set_item(intern!(py, "status"), status)?;
    start.set_item(intern!(py, "headers"), headers)?;
    let body = PyDict::new(py);
    body.set_item(intern!(py, "type"), intern!(py, "http.response.body"))?;
    body.set_item(intern!(py, "body"), PyBytes::new(py, content))?;
    Ok((start, body))
}

fn listed<'py, 'a>(
    py: Python<'py>,
    fields: impl Iterator<Item = (&'a [u8], &'a [u8])>,
    length: Option<usize>,
) -> PyResult<Bound<'py, PyList>> {
    // As many as most answers of ours have.
    let mut list = Vec::with_capacity(8);
    for (name, value) in fields {
        list.push(pair(py, name, value)?);
    }
    match length {
        // No text need be made of it.
        Some(0) => list.push(pair(py, b"content-length", b"0")?),
        Some(length) => list.push(pair(py, b"content-length", length.to_string().as_bytes())?),
        None => {}
    }
    PyList::new(py, list)
}

/// Fields that most answers have.
const USUAL: [(&[u8], &[u8]); 4] = [
    (b"cache-control", b"no-store"),
    (b"vary", b"Cookie"),
    (b"x-content-type-options", b"nosniff"),
    (b"content-length", b"0"),
];

/// A field as ASGI has it. The usual ones are made once: nobody can change a pair of bytes.
pub(crate) fn pair<'py>(py: Python<'py>, name: &[u8], value: &[u8]) -> PyResult<Bound<'py, PyTuple>> {
    static MADE: [PyOnceLock<Py<PyTuple>>; USUAL.len()] = [const { PyOnceLock::new() }; USUAL.len()];
    let new = || (PyBytes::new(py, name), PyBytes::new(py, value)).into_pyobject(py);
    match USUAL.iter().zip(&MADE).find(|(usual, _)| **usual == (name, value)) {
        Some((_, made)) => Ok(made.get_or_try_init(py, || new().map(Bound::unbind))?.bind(py).clone()),
        None => new(),
    }
}

/// The form that somebody signs in with, as data.
#[pyclass(frozen, module = "authgate._core")]
pub(crate) struct LoginForm(CoreForm);

#[pymethods]
impl LoginForm {
    /// Where to post it.
    #[getter]
    fn action(&self) -> &str {
        self.0.action.as_str()
    }

    /// Where to go afterwards: the value of the field `next`.
    #[getter]
    fn next(&self) -> Option<&str> {
        self.0.next.as_ref().map(authgate_core::LocalPath::as_str)
    }

    /// The username that was typed before.
    #[getter]
    fn username(&self) -> &str {
        &self.0.username
    }

    /// Why it is shown again: `wrong`, `throttled` or `cannot-check`.
    #[getter]
    fn error(&self) -> Option<&'static str> {
        self.0.error.map(|error| match error {
            LoginError::Wrong => "wrong",
            LoginError::Throttled { .. } => "throttled",
            _ => "cannot-check",
        })
    }

    /// How long to wait before the next try, in seconds.
    #[getter]
    fn wait(&self) -> Option<f64> {
        match self.0.error {
            Some(LoginError::Throttled { wait }) => Some(wait.as_secs_f64()),
            _ => None,
        }
    }

    /// Whether HTMX asked: then the form alone is the answer.
    #[getter]
    fn fragment(&self) -> bool {
        self.0.fragment
    }
}

/// Fields as bytes.
pub(crate) fn fields(headers: &[(http::HeaderName, HeaderValue)]) -> Vec<(Bytes, Bytes)> {
    let bytes = |text: &[u8]| Bytes::copy_from_slice(text);
    headers.iter().map(|(name, value)| (bytes(name.as_str().as_bytes()), bytes(value.as_bytes()))).collect()
}
