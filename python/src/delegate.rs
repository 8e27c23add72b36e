use std::sync::{Mutex, PoisonError};

use authgate_core::{DelegatedPage, Delegation, Unavailable};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::forward::{forget_user, forget_user_in_environ, without_pretences};
use crate::reply::Reply;
use crate::step::Visit;

/// A custom backend answers this itself.
#[pyclass(frozen, module = "authgate._core")]
pub(crate) struct Delegate {
    open: Mutex<Option<(Delegation, Visit)>>,
    backend: &'static str,
    page: &'static str,
    path: String,
    next: String,
    place: Py<PyDict>,
}

impl Delegate {
    pub(crate) fn new(py: Python<'_>, delegation: Delegation, visit: Visit) -> PyResult<Self> {
        let page = match delegation.page {
            DelegatedPage::Login => "login",
            DelegatedPage::Logout => "logout",
            DelegatedPage::Route => "route",
        };
        let place = without_pretences(visit.place.bind(py), |name| delegation.strips_bytes(name))?;
        forget_user(&place)?;
        forget_user_in_environ(&place)?;
        let (backend, next) = (delegation.backend, delegation.next().as_str().to_owned());
        let path = delegation.path.clone();
        Ok(Self {
            place: place.unbind(),
            open: Mutex::new(Some((delegation, visit))),
            backend,
            page,
            path,
            next,
        })
    }

    fn take(&self) -> PyResult<(Delegation, Visit)> {
        let taken = self.open.lock().unwrap_or_else(PoisonError::into_inner).take();
        taken.ok_or_else(|| PyRuntimeError::new_err("this has been answered"))
    }
}

#[pymethods]
impl Delegate {
    /// The backend's name.
    #[getter]
    fn backend(&self) -> &'static str {
        self.backend
    }

    /// What it is to answer: `login`, `logout` or `route`.
    #[getter]
    fn page(&self) -> &'static str {
        self.page
    }

    /// The path below the mount.
    #[getter]
    fn path(&self) -> &str {
        &self.path
    }

    /// Where to go after signing in: a path below the mount.
    #[getter]
    fn next(&self) -> &str {
        &self.next
    }

    /// The scope or environ to answer to, without pretended identities.
    #[getter]
    fn place<'py>(&self, py: Python<'py>) -> Bound<'py, PyDict> {
        self.place.bind(py).clone()
    }

    /// It has answered.
    fn answered(&self, py: Python<'_>) -> PyResult<()> {
        let (delegation, visit) = self.take()?;
        visit.gate.trail.tell(py, &delegation.event(), &visit.method, &visit.path);
        Ok(())
    }

    /// It could not; `why` is for the log.
    fn unavailable(&self, py: Python<'_>, why: &str) -> PyResult<Reply> {
        let (delegation, visit) = self.take()?;
        let reply = delegation.unavailable(&Unavailable::new(why));
        visit.gate.trail.tell(py, &reply.event(), &visit.method, &visit.path);
        Ok(Reply::new(&reply))
    }
}
