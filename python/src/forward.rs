//! A request that is let through: with its user, without pretended identities, for as long as it may.

use std::sync::{Arc, Mutex, PoisonError};

use authgate_core::{Admission, Lease as CoreLease, ResponseFields, Timestamp};
use pyo3::exceptions::{PyConnectionError, PyRuntimeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDict, PyList, PyString, PyTuple};

use crate::clock::{moment, seconds};
use crate::gate::Inner;
use crate::reply::pair;
use crate::step::Visit;
use crate::user::{Known, User};

/// Leave to pass a request on.
#[pyclass(frozen, module = "authgate._core")]
pub(crate) struct Forward {
    open: Mutex<Option<(Admission, Visit)>>,
}

impl Forward {
    pub(crate) fn new(admission: Admission, visit: Visit) -> Self {
        Self { open: Mutex::new(Some((admission, visit))) }
    }

    fn take(&self) -> PyResult<(Admission, Visit)> {
        let taken = self.open.lock().unwrap_or_else(PoisonError::into_inner).take();
        taken.ok_or_else(|| PyRuntimeError::new_err("this request has been passed on"))
    }
}

#[pymethods]
impl Forward {
    /// Passes an ASGI request on, and gives what the application gives: something to be awaited.
    fn to_asgi<'py>(
        &self,
        py: Python<'py>,
        app: &Bound<'py, PyAny>,
        receive: &Bound<'py, PyAny>,
        send: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (admission, visit) = self.take()?;
        visit.gate.trail.tell(py, &admission.event(), &visit.method, &visit.path);
        let scope = without_pretences(visit.place.bind(py), |name| admission.strips_bytes(name))?;
        let websocket =
            scope.get_item(intern!(py, "type"))?.is_some_and(|kind| kind.eq("websocket").unwrap_or(true));
        pass_on(&visit.gate, admission, &scope, websocket, visit.found, (app, receive, send))
    }

    /// Makes a WSGI request ready: the environ, what to append to the answer, whether a session touched it, and the lease.
    fn to_wsgi<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let (admission, visit) = self.take()?;
        visit.gate.trail.tell(py, &admission.event(), &visit.method, &visit.path);
        let fields = admission.response_fields();
        let appended = PyList::empty(py);
        for (name, value) in fields.appended() {
            appended.append((name.as_str(), value.to_str().unwrap_or_default()))?;
        }
        let environ = without_pretences(visit.place.bind(py), |name| admission.strips_bytes(name))?;
        let (lease, touched) = (admission.lease(), !fields.is_empty());
        match user(py, &visit.gate, admission, visit.found)? {
            Some(user) => environ.set_item(intern!(py, "authgate.user"), user)?,
            None => forget_user_in_environ(&environ)?,
        }
        let lease = Bound::new(py, Lease { lease, gate: visit.gate.clone() })?;
        (environ, appended, touched, lease).into_pyobject(py)
    }
}

/// Calls the application with a request that is let through, and that pretends nothing.
pub(crate) fn pass_on<'py>(
    gate: &Arc<Inner>,
    admission: Admission,
    scope: &Bound<'py, PyDict>,
    websocket: bool,
    found: Option<Py<PyAny>>,
    (app, receive, send): (&Bound<'py, PyAny>, &Bound<'py, PyAny>, &Bound<'py, PyAny>),
) -> PyResult<Bound<'py, PyAny>> {
    let py = scope.py();
    let (lease, fields) = (admission.lease(), admission.response_fields().clone());
    match user(py, gate, admission, found)? {
        Some(user) => set_user(scope, &user)?,
        None => forget_user(scope)?,
    }
    let ends = lease.until().is_some() || lease.is_revocable();
    let send = if fields.is_empty() && (websocket || !ends) {
        send.clone()
    } else {
        let to = send.clone().unbind();
        // A websocket is guarded both ways, further below.
        let lease = (!websocket).then(|| lease.clone());
        // The method and not the object: Python calls methods of ours without a tuple for their arguments.
        Bound::new(py, Send { to, fields, lease, gate: gate.clone() })?.getattr(intern!(py, "send"))?
    };
    if ends && websocket {
        let lease = Bound::new(py, Lease { lease, gate: gate.clone() })?;
        let guarded = py.import("authgate._websocket")?.getattr("guarded")?;
        return guarded.call1((app, scope, receive, send, lease));
    }
    app.call1((scope, receive, send))
}

/// How long an admission is good for.
#[pyclass(frozen, module = "authgate._core")]
pub(crate) struct Lease {
    lease: CoreLease,
    gate: Arc<Inner>,
}

#[pymethods]
impl Lease {
    /// Whether it still is.
    fn holds(&self, py: Python<'_>) -> PyResult<bool> {
        Ok(self.lease.holds(self.gate.now(py)?))
    }

    /// For how many seconds at most from now on; `None` if nothing ends it.
    fn left(&self, py: Python<'_>) -> PyResult<Option<f64>> {
        let now = self.gate.now(py)?;
        Ok(self.lease.until().map(|until| seconds(until) - seconds(now)))
    }

    /// Whether it can end before that, because its user signs out.
    #[getter]
    fn is_revocable(&self) -> bool {
        self.lease.is_revocable()
    }

    /// Who asks the store for what has ended elsewhere, if that can end it.
    #[getter]
    fn hearing<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        let hearing = self.gate.hearing.as_ref().filter(|_| self.lease.is_shared());
        hearing.map(|hearing| hearing.bind(py).clone())
    }

    /// What must be asked, if it must be: up to where the store has been heard, how long sessions live, and the moment.
    /// Whoever calls it must ask: for a while nobody else is told to.
    fn asks(&self, py: Python<'_>) -> PyResult<Option<Asked>> {
        Ok(asked(&self.lease, self.gate.now(py)?))
    }

    /// Takes what the store has told when it was asked at that moment.
    fn hear(&self, py: Python<'_>, endings: &Bound<'_, PyAny>, asked: f64) -> PyResult<()> {
        let news = crate::step::endings(endings)?;
        let asked = moment(asked).ok_or_else(|| PyValueError::new_err("asked: this is no moment"))?;
        self.lease.hear(news, asked, self.gate.now(py)?);
        Ok(())
    }
}

type Asked = (Option<String>, f64, f64);

fn asked(lease: &CoreLease, now: Timestamp) -> Option<Asked> {
    lease.asks(now).map(|since| (since.position, since.lifetime.as_secs_f64(), seconds(now)))
}

/// An ASGI `send` that writes what a session leaves on an answer, be it a websocket's, and ends with the lease if it has
/// one.
#[pyclass(frozen, module = "authgate._core")]
pub(crate) struct Send {
    to: Py<PyAny>,
    fields: ResponseFields,
    lease: Option<CoreLease>,
    gate: Arc<Inner>,
}

#[pymethods]
impl Send {
    fn send<'py>(&self, py: Python<'py>, message: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let send = self.to.bind(py);
        let Ok(message) = message.cast::<PyDict>() else { return send.call1((message,)) };
        let kind = message.get_item(intern!(py, "type"))?;
        let kind = kind.as_ref().and_then(|kind| kind.cast::<PyString>().ok()).map(|kind| kind.to_str());
        match kind.transpose()? {
            Some("http.response.start") if self.fields.is_empty() => send.call1((message,)),
            Some("http.response.start" | "websocket.accept" | "websocket.http.response.start") => {
                let copy = message.copy()?;
                copy.set_item(intern!(py, "headers"), self.with_fields(message)?)?;
                send.call1((copy,))
            }
            // A body, or whatever else an extension sends of it.
            _ => self.pass(py, message),
        }
    }
}

impl Send {
    /// Sends a message as long as the admission holds, as far as is known here; where others may have ended it, they are
    /// heard first.
    fn pass<'py>(&self, py: Python<'py>, message: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyAny>> {
        static AFTER_HEARING: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let send = self.to.bind(py);
        let Some(lease) = &self.lease else { return send.call1((message,)) };
        let now = self.gate.now(py)?;
        match (&self.gate.hearing, asked(lease, now)) {
            (Some(hearing), Some(asked)) => {
                let lease = Lease { lease: lease.clone(), gate: self.gate.clone() };
                let after = AFTER_HEARING.import(py, "authgate._hearing", "send_after_hearing")?;
                after.call1((hearing, lease, asked, send, message))
            }
            _ if lease.holds(now) => send.call1((message,)),
            // As a server does whose client has gone (ASGI 2.4, "Send - send event").
            _ => Err(PyConnectionError::new_err("the admission of this request has ended")),
        }
    }

    fn with_fields<'py>(&self, message: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyList>> {
        let py = message.py();
        let list = PyList::empty(py);
        // Some applications say `None` for none.
        let headers = message.get_item(intern!(py, "headers"))?.filter(|headers| !headers.is_none());
        if let Some(headers) = headers {
            for field in headers.try_iter()? {
                let field = field?;
                let name = field.get_item(0)?;
                if !name.cast::<PyBytes>()?.as_bytes().eq_ignore_ascii_case(b"cache-control") {
                    list.append(field)?;
                }
            }
        }
        list.append(pair(py, b"cache-control", b"no-store")?)?;
        for (name, value) in self.fields.appended() {
            list.append(pair(py, name.as_str().as_bytes(), value.as_bytes())?)?;
        }
        Ok(list)
    }
}

/// Who is let through: as the backend gave them, or as the core knows them.
fn user<'py>(
    py: Python<'py>,
    gate: &Inner,
    admission: Admission,
    found: Option<Py<PyAny>>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let Some(user) = admission.user else { return Ok(None) };
    if let Some(found) = found {
        return Ok(Some(found.into_bound(py)));
    }
    let named = gate.named.clone().filter(|_| user.claims.is_some());
    Ok(Some(Bound::new(py, User::known(Some(Known { user, named })))?.into_any()))
}

fn set_user(scope: &Bound<'_, PyDict>, user: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = scope.py();
    match scope.get_item(intern!(py, "state"))?.filter(|state| !state.is_none()) {
        Some(state) => state.set_item(intern!(py, "user"), user),
        None => {
            let state = PyDict::new(py);
            state.set_item(intern!(py, "user"), user)?;
            scope.set_item(intern!(py, "state"), state)
        }
    }
}

pub(crate) fn forget_user_in_environ(environ: &Bound<'_, PyDict>) -> PyResult<()> {
    let key = intern!(environ.py(), "authgate.user");
    if environ.contains(key)? { environ.del_item(key) } else { Ok(()) }
}

/// On a public path nobody is known to this gate, whoever an outer layer says it is.
pub(crate) fn forget_user(place: &Bound<'_, PyDict>) -> PyResult<()> {
    let py = place.py();
    match place.get_item(intern!(py, "state"))?.filter(|state| !state.is_none()) {
        Some(state) if state.contains(intern!(py, "user"))? => state.del_item(intern!(py, "user")),
        _ => Ok(()),
    }
}

/// The scope or environ itself, or a copy of it without the fields that pretend an identity, if there are any.
pub(crate) fn without_pretences<'py>(
    place: &Bound<'py, PyDict>,
    pretends: impl Fn(&[u8]) -> bool,
) -> PyResult<Bound<'py, PyDict>> {
    let py = place.py();
    let Some(headers) = place.get_item(intern!(py, "headers"))? else {
        return environ_without(place, pretends);
    };
    let Ok(list) = headers.cast::<PyList>() else {
        let list = PyList::new(py, headers.try_iter()?.collect::<PyResult<Vec<_>>>()?)?;
        let copy = place.copy()?;
        copy.set_item(intern!(py, "headers"), &list)?;
        return without_pretences(&copy, pretends);
    };
    let mut kept = Vec::with_capacity(list.len());
    for field in list.iter() {
        let name = field.get_item(0)?;
        if !pretends(name.cast::<PyBytes>()?.as_bytes()) {
            kept.push(field);
        }
    }
    if kept.len() == list.len() {
        return Ok(place.clone());
    }
    let copy = place.copy()?;
    copy.set_item(intern!(py, "headers"), PyList::new(py, kept)?)?;
    Ok(copy)
}

fn environ_without<'py>(
    environ: &Bound<'py, PyDict>,
    pretends: impl Fn(&[u8]) -> bool,
) -> PyResult<Bound<'py, PyDict>> {
    let is_pretence = |key: &Bound<'_, PyAny>| {
        key.extract::<&str>()
            .is_ok_and(|key| key.strip_prefix("HTTP_").is_some_and(|name| pretends(name.as_bytes())))
    };
    let pretended: Vec<_> = environ.keys().iter().filter(is_pretence).collect();
    if pretended.is_empty() {
        return Ok(environ.clone());
    }
    let copy = environ.copy()?;
    for key in pretended {
        copy.del_item(key)?;
    }
    Ok(copy)
}
