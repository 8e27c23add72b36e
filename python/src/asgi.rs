use std::sync::Arc;

use authgate_core::{Decision, Step};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::forward::pass_on;
use crate::gate::{Gate, Inner};
use crate::request::Request;
use crate::step::{Visit, go_on};

/// An ASGI application behind a gate: what is let through at once goes on without any Python of ours.
#[pyclass(frozen, subclass, module = "authgate._core")]
pub(crate) struct AsgiGate {
    app: Py<PyAny>,
    gate: Arc<Inner>,
}

#[pymethods]
impl AsgiGate {
    #[new]
    fn new(app: Py<PyAny>, gate: &Gate) -> Self {
        Self { app, gate: gate.0.clone() }
    }

    /// The application behind the gate.
    #[getter]
    fn app<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        self.app.bind(py).clone()
    }

    fn __call__<'py>(
        slf: &Bound<'py, Self>,
        scope: &Bound<'py, PyDict>,
        receive: &Bound<'py, PyAny>,
        send: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (py, this) = (slf.py(), slf.get());
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
        match this.gate.begin(py, &request)? {
            Step::Done(Decision::Forward(admission)) => {
                this.gate.trail.tell(py, &admission.event(), request.method(), request.path());
                pass_on(this.gate.clone(), admission, scope, None, (app, receive, send))
            }
            step => {
                let step = go_on(py, step, Visit::new(this.gate.clone(), &request, scope))?;
                slf.call_method1(intern!(py, "_drive"), (step, scope, receive, send))
            }
        }
    }
}
