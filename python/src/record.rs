//! The audit trail: events of the core, told to Python's `logging` and to whoever else listens.

use authgate_core::{Denial, Event, Reason};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyDict;

/// Levels of Python's `logging`.
const DEBUG: u8 = 10;
const INFO: u8 = 20;
const WARNING: u8 = 30;

/// Who is told.
pub(crate) struct Trail {
    on_event: Option<Py<PyAny>>,
    /// `logging.getLogger("authgate").isEnabledFor`
    is_enabled: Py<PyAny>,
    /// What that has answered lately, by level: the logger empties it whenever a level changes.
    answers: Option<Py<PyDict>>,
}

impl Trail {
    pub(crate) fn new(py: Python<'_>, on_event: Option<Py<PyAny>>) -> PyResult<Self> {
        let logger = py.import("logging")?.getattr("getLogger")?.call1(("authgate",))?;
        let answers = logger.getattr("_cache").ok().and_then(|cache| cache.cast_into().ok());
        let is_enabled = logger.getattr("isEnabledFor")?.unbind();
        Ok(Self { on_event, is_enabled, answers: answers.map(Bound::unbind) })
    }

    /// Tells what was decided. A listener that fails changes nothing: the decision is made.
    pub(crate) fn tell(&self, py: Python<'_>, event: &Event<'_>, method: &str, path: &str) {
        if let Err(error) = self.try_to_tell(py, event, method, path) {
            error.write_unraisable(py, None);
        }
    }

    /// Whether events of this level are logged. Asked for every request, so Python is called only where it must be.
    fn is_logged(&self, py: Python<'_>, level: u8) -> PyResult<bool> {
        let known = match &self.answers {
            Some(answers) => answers.bind(py).get_item(level)?,
            None => None,
        };
        match known {
            Some(answer) => answer.is_truthy(),
            None => self.is_enabled.call1(py, (level,))?.is_truthy(py),
        }
    }

    fn try_to_tell(&self, py: Python<'_>, event: &Event<'_>, method: &str, path: &str) -> PyResult<()> {
        static EMIT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let level = level(event.reason);
        let is_logged = self.is_logged(py, level)?;
        if !is_logged && self.on_event.is_none() {
            return Ok(());
        }
        let emit = EMIT.import(py, "authgate.events", "emit")?;
        let facts = (
            event.outcome.as_str(),
            event.status,
            event.reason.slug(),
            &*event.detail,
            event.user,
            event.client.to_string(),
            event.kind.as_str(),
            method,
            path,
        );
        emit.call1((is_logged.then_some(level), self.on_event.as_ref(), facts))?;
        Ok(())
    }
}

/// What happens all the time is for whoever looks for it; what changes something or is refused is the audit trail.
fn level(reason: Reason) -> u8 {
    match reason {
        Reason::Denied(Denial::Unavailable) => WARNING,
        Reason::Denied(_) | Reason::SignIn | Reason::SignOut => INFO,
        _ => DEBUG,
    }
}
