use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use authgate_core::{Decision, Gate as CoreGate, MemoryStore, Step, Timestamp, Unavailable};
use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::clock::moment;
use crate::record::Trail;
use crate::request::Request;
use crate::settings::{Backend, Settings, build};
use crate::step::{Visit, go_on};
use crate::user::Named;

/// A gate: settings, keys and backends, prepared once and shared by all requests and threads.
#[pyclass(frozen, module = "authgate._core")]
pub(crate) struct Gate(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) core: CoreGate,
    /// Records of sessions, if they are kept here.
    memory: Option<Mutex<MemoryStore>>,
    /// Which claims name the users of tokens.
    pub(crate) named: Option<Arc<Named>>,
    /// Who asks the store for what has ended while something streams, if gates share one.
    pub(crate) hearing: Option<Py<PyAny>>,
    /// Seconds since 1970, if not the system's.
    clock: Option<Py<PyAny>>,
    pub(crate) trail: Trail,
}

#[pymethods]
impl Gate {
    #[new]
    #[pyo3(signature = (backends, settings, *, keeps_records, clock, on_event, hearing = None))]
    #[allow(clippy::needless_pass_by_value, reason = "what is extracted from a call is handed over by value")]
    fn new(
        py: Python<'_>,
        backends: Vec<Backend<'_>>,
        settings: Settings,
        keeps_records: bool,
        clock: Option<Py<PyAny>>,
        on_event: Option<Py<PyAny>>,
        hearing: Option<Py<PyAny>>,
    ) -> PyResult<Self> {
        let core = build(py, &backends, settings)?;
        let named = backends.iter().find_map(|backend| match backend {
            Backend::Tokens(tokens) | Backend::Function((Some(tokens),)) => Some(tokens.named().cloned()),
            _ => None,
        });
        let named = named.transpose()?;
        let memory = keeps_records.then(|| Mutex::new(MemoryStore::default()));
        Ok(Self(Arc::new(Inner { core, memory, named, hearing, clock, trail: Trail::new(py, on_event)? })))
    }

    /// Begins with a request: an ASGI scope, or a WSGI environ. With a `path`, as if that had been asked for.
    ///
    /// Gives a `Question`, or the end: a `Reply`, a `Forward` or a `Delegate`.
    #[pyo3(signature = (place, path = None))]
    fn begin<'py>(
        &self,
        py: Python<'py>,
        place: &Bound<'py, PyDict>,
        path: Option<&str>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let request = read(place)?;
        let request = match path {
            Some(path) => request.at(path),
            None => request,
        };
        let (step, _) = self.0.begin(py, &request)?;
        go_on(py, step, Visit::new(self.0.clone(), &request, place))
    }

    /// Ends all sessions of the user with this id that have begun until now, in this process.
    fn sign_out_everywhere(&self, py: Python<'_>, user: &str) -> PyResult<()> {
        self.0.core.sign_out_everywhere(user, self.0.now(py)?);
        Ok(())
    }

    fn __repr__(&self) -> String {
        format!("{:?}", self.0.core)
    }
}

impl Inner {
    /// The first step that is not answered at once; and whether, if the request is let through, some of its fields are not.
    pub(crate) fn begin(&self, py: Python<'_>, request: &Request<'_>) -> PyResult<(Step, bool)> {
        let now = self.now(py)?;
        request.with_head(|head| {
            let step = self.at_once(self.core.begin(head, now), now);
            let strips = match &step {
                Step::Done(Decision::Forward(admission)) => admission.strips_any(head.headers()),
                _ => false,
            };
            (step, strips)
        })
    }

    /// Answers what nobody has to be waited for.
    pub(crate) fn at_once(&self, mut step: Step, now: Timestamp) -> Step {
        // Nearly every step is the end, and is not even moved.
        while !matches!(step, Step::Done(_)) {
            step = match (step, &self.memory) {
                (Step::DrawBytes(then), _) => then.resume(draw(), now),
                (Step::LoadSession(id, then), Some(memory)) => {
                    then.resume(Ok(lock(memory).load(&id, now)), now)
                }
                (Step::CreateSession(id, session, then), Some(memory)) => {
                    let created = lock(memory).create(id, session, now);
                    then.resume(Ok(created), now)
                }
                (Step::RenewSession(id, session, then), Some(memory)) => {
                    let renewed = lock(memory).renew(id, session, now);
                    then.resume(Ok(renewed), now)
                }
                (Step::DropSession(id, then), Some(memory)) => {
                    lock(memory).remove(&id, now);
                    then.resume(Ok(()), now)
                }
                (step, _) => return step,
            };
        }
        step
    }

    pub(crate) fn now(&self, py: Python<'_>) -> PyResult<Timestamp> {
        match &self.clock {
            None => Ok(SystemTime::now().into()),
            Some(clock) => moment(clock.call0(py)?.extract(py)?).ok_or_else(|| {
                PyTypeError::new_err("the clock tells no moment: it must answer seconds since 1970")
            }),
        }
    }
}

/// The place that a request was told in, read.
fn read<'py>(place: &Bound<'py, PyDict>) -> PyResult<Request<'py>> {
    let py = place.py();
    match place.get_item(intern!(py, "type"))? {
        Some(kind) => match kind.cast::<PyString>()?.to_str()? {
            kind @ ("http" | "websocket") => Request::of_scope(place, kind == "websocket"),
            other => Err(PyTypeError::new_err(format!("scope: {other:?} is no request"))),
        },
        None => Request::of_environ(place),
    }
}

fn draw() -> Result<[u8; 32], Unavailable> {
    let mut bytes = [0; 32];
    match getrandom::fill(&mut bytes) {
        Ok(()) => Ok(bytes),
        Err(error) => Err(Unavailable::new(format!("no random bytes: {error}"))),
    }
}

/// Never held while Python is called.
fn lock(memory: &Mutex<MemoryStore>) -> std::sync::MutexGuard<'_, MemoryStore> {
    memory.lock().unwrap_or_else(PoisonError::into_inner)
}
