use std::sync::{Arc, OnceLock};

use authgate_core::{Decision, Step};
use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyString, PyTuple};

use crate::forward::{pass_on, without_pretences};
use crate::gate::{Gate, Inner};
use crate::reply::messages;
use crate::request::Request;
use crate::step::{Visit, go_on};

/// An ASGI application behind a gate: what is let through at once goes on without any Python of ours.
#[pyclass(frozen, subclass, module = "authgate._core")]
pub(crate) struct AsgiGate {
    made: OnceLock<Made>,
}

struct Made {
    app: Py<PyAny>,
    gate: Arc<Inner>,
}

#[pymethods]
impl AsgiGate {
    // A subclass takes other arguments; they are for its own `__init__`, which calls ours.
    #[new]
    #[pyo3(signature = (*_arguments, **_keywords), text_signature = "(app, gate)")]
    fn blank(_arguments: &Bound<'_, PyTuple>, _keywords: Option<&Bound<'_, PyDict>>) -> Self {
        Self { made: OnceLock::new() }
    }

    fn __init__(&self, app: Py<PyAny>, gate: &Gate) -> PyResult<()> {
        let is_new = self.made.set(Made { app, gate: gate.0.clone() }).is_ok();
        if is_new { Ok(()) } else { Err(PyTypeError::new_err("a gate is made once")) }
    }

    /// The application behind the gate.
    #[getter]
    fn app<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(self.made()?.app.bind(py).clone())
    }

    fn __call__<'py>(
        slf: &Bound<'py, Self>,
        scope: &Bound<'py, PyDict>,
        receive: &Bound<'py, PyAny>,
        send: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (py, this) = (slf.py(), slf.get().made()?);
        let app = this.app.bind(py);
        let kind = scope.get_item(intern!(py, "type"))?;
        let kind = kind.as_ref().and_then(|kind| kind.cast::<PyString>().ok()).map(|kind| kind.to_str());
        let websocket = match kind.transpose()? {
            Some("http") => false,
            Some("websocket") => true,
            Some("lifespan") => return app.call1((scope, receive, send)),
            _ => return slf.call_method1(intern!(py, "_refuse_scope"), (scope,)),
        };
        let request = Request::of_scope(scope, websocket)?;
        let (step, strips) = this.gate.begin(py, &request)?;
        match step {
            Step::Done(Decision::Forward(admission)) => {
                this.gate.trail.tell(py, &admission.event(), request.method(), request.path());
                let stripped = if strips {
                    Some(without_pretences(scope, |name| admission.strips_bytes(name))?)
                } else {
                    None
                };
                let scope = stripped.as_ref().unwrap_or(scope);
                pass_on(&this.gate, admission, scope, websocket, None, (app, receive, send))
            }
            Step::Done(Decision::Respond(reply)) if !websocket && reply.login_form().is_none() => {
                static SEND: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
                this.gate.trail.tell(py, &reply.event(), request.method(), request.path());
                let (start, body) = messages(py, &reply)?;
                SEND.import(py, "authgate.middleware", "send_both")?.call1((start, body, send))
            }
            step => {
                let step = go_on(py, step, Visit::new(this.gate.clone(), &request, scope))?;
                slf.call_method1(intern!(py, "_drive"), (step, scope, receive, send))
            }
        }
    }
}

impl AsgiGate {
    fn made(&self) -> PyResult<&Made> {
        self.made
            .get()
            .ok_or_else(|| PyTypeError::new_err("this gate has no application: call `super().__init__(…)`"))
    }
}
