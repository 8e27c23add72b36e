//! What a store that gates share knows of endings, as Python's stores tell it.

use std::sync::{Mutex, PoisonError};

use authgate_core::{Ending, EndingsNews, SessionId, Timestamp};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::clock;

/// What has ended before its time, from a store that gates share.
#[pyclass(frozen, module = "authgate")]
pub(crate) struct Endings(Mutex<Option<EndingsNews>>);

#[pymethods]
impl Endings {
    #[new]
    #[pyo3(signature = (*, position, floor, now, more = false, sessions = Vec::new(), users = Vec::new()))]
    fn new(
        position: String,
        floor: f64,
        now: f64,
        more: bool,
        sessions: Vec<(String, f64)>,
        users: Vec<(String, f64)>,
    ) -> PyResult<Self> {
        let mut endings = Vec::with_capacity(sessions.len() + users.len());
        for (id, at) in sessions {
            endings.push(Ending::Session { id: session_id(&id)?, at: moment("sessions", at)? });
        }
        for (user, until) in users {
            endings.push(Ending::User { user, until: moment("users", until)? });
        }
        let (floor, now) = (moment("floor", floor)?, moment("now", now)?);
        Ok(Self::of(EndingsNews { endings, position, more, floor, now }))
    }

    fn __repr__(&self) -> String {
        format!("{:?}", self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Endings {
    pub(crate) fn of(news: EndingsNews) -> Self {
        Self(Mutex::new(Some(news)))
    }

    /// What is told, once.
    pub(crate) fn take(&self) -> PyResult<EndingsNews> {
        let taken = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        taken.ok_or_else(|| {
            PyValueError::new_err("these endings have been told; make new ones for each answer")
        })
    }
}

/// The id of a session, as stores are given it.
pub(crate) fn session_id(text: &str) -> PyResult<SessionId> {
    serde_json::from_value(text.into()).map_err(|_| PyValueError::new_err("this is no session's id"))
}

fn moment(what: &str, seconds: f64) -> PyResult<Timestamp> {
    clock::moment(seconds).ok_or_else(|| {
        PyValueError::new_err(format!("{what}: {seconds} is no moment; give seconds since 1970"))
    })
}
