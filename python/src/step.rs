//! What the core asks, handed to Python and answered once.

use std::sync::{Arc, Mutex, PoisonError};

use authgate_core::{
    Account, Body, BodyError, BodyLimit, Count, CountKey, EndingsNews, Lookup, Proven, Session, Step,
    Unavailable, Verdict,
};
use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString, PyTuple};

use crate::backend::Function;
use crate::clock::seconds;
use crate::delegate::Delegate;
use crate::endings::Endings;
use crate::forward::Forward;
use crate::gate::Inner;
use crate::reply::Reply;
use crate::request::Request;
use crate::translate::{is_nobody, to_core, to_core_for_good, to_core_whoever};

/// What must be remembered of a request until there is a decision.
pub(crate) struct Visit {
    pub(crate) gate: Arc<Inner>,
    /// The ASGI scope or the WSGI environ.
    pub(crate) place: Py<PyDict>,
    pub(crate) method: String,
    pub(crate) path: String,
    /// Whom a backend has found, as it gave them.
    pub(crate) found: Option<Py<PyAny>>,
}

impl Visit {
    pub(crate) fn new(gate: Arc<Inner>, request: &Request<'_>, place: &Bound<'_, PyDict>) -> Self {
        let (method, path) = (request.method().to_owned(), request.path().to_owned());
        Self { gate, place: place.clone().unbind(), method, path, found: None }
    }
}

/// A question to the driver. Answering consumes it: a second answer raises `RuntimeError`.
#[pyclass(frozen, module = "authgate._core")]
pub(crate) struct Question {
    open: Mutex<Option<(Step, Visit)>>,
    kind: &'static str,
    arguments: Py<PyTuple>,
}

#[pymethods]
impl Question {
    /// What is asked: the name of a method of the driver's.
    #[getter]
    fn kind(&self) -> &'static str {
        self.kind
    }

    /// What is asked about: the arguments of that method.
    #[getter]
    fn arguments<'py>(&self, py: Python<'py>) -> Bound<'py, PyTuple> {
        self.arguments.bind(py).clone()
    }

    /// Goes on with an answer; an answer of the wrong kind counts as none.
    fn resume<'py>(&self, py: Python<'py>, answer: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let (step, mut visit) = self.take()?;
        let now = visit.gate.now(py)?;
        let nonsense = |error: PyErr| Unavailable::new(format!("the answer makes no sense: {error}"));
        let step = match step {
            Step::ReadBody(limit, then) => then.resume(body(limit, answer), now),
            Step::AskBackend(name, then) => {
                let found = proven(name, answer).map_err(nonsense);
                visit.found = matches!(found, Ok(Some(_))).then(|| answer.clone().unbind());
                then.resume(found, now)
            }
            Step::CheckPassword(_, then) => then.resume(verdict(answer).map_err(nonsense), now),
            Step::LookUpUser(_, then) => then.resume(lookup(answer).map_err(nonsense), now),
            Step::LoadSession(_, then) => then.resume(record(answer).map_err(nonsense), now),
            Step::CreateSession(_, _, then) | Step::RenewSession(_, _, then) => {
                then.resume(answer.extract().map_err(nonsense), now)
            }
            Step::DropSession(_, then) | Step::FetchKeys(_, then) => then.resume(Ok(()), now),
            Step::HearEndings(_, then) => then.resume(endings(answer).map_err(nonsense), now),
            Step::LoadCounts(_, then) => then.resume(counts(answer).map_err(nonsense), now),
            Step::SwapCounts(_, then) => then.resume(answer.extract().map_err(nonsense), now),
            step @ (Step::DrawBytes(_) | Step::Done(_)) => step,
        };
        go_on(py, visit.gate.at_once(step, now), visit)
    }

    /// Goes on without an answer, because there is none to be had; `why` is for the log.
    fn unavailable<'py>(&self, py: Python<'py>, why: &str) -> PyResult<Bound<'py, PyAny>> {
        let (step, visit) = self.take()?;
        let now = visit.gate.now(py)?;
        let step = visit.gate.at_once(step.unavailable(Unavailable::new(why), now), now);
        go_on(py, step, visit)
    }

    fn __repr__(&self) -> String {
        format!("Question({})", self.kind)
    }
}

impl Question {
    fn take(&self) -> PyResult<(Step, Visit)> {
        let taken = self.open.lock().unwrap_or_else(PoisonError::into_inner).take();
        taken.ok_or_else(|| PyRuntimeError::new_err("this question has been answered"))
    }
}

/// A step as Python gets it.
pub(crate) fn go_on(py: Python<'_>, step: Step, visit: Visit) -> PyResult<Bound<'_, PyAny>> {
    use authgate_core::Decision;
    let now = visit.gate.now(py)?;
    let (kind, arguments) = match step {
        Step::Done(Decision::Respond(reply)) => {
            visit.gate.trail.tell(py, &reply.event(), &visit.method, &visit.path);
            return Ok(Bound::new(py, Reply::new(&reply))?.into_any());
        }
        Step::Done(Decision::Forward(admission)) => {
            return Ok(Bound::new(py, Forward::new(admission, visit))?.into_any());
        }
        Step::Done(Decision::Delegate(delegation)) => {
            return Ok(Bound::new(py, Delegate::new(py, *delegation, visit)?)?.into_any());
        }
        Step::ReadBody(limit, _) => ("read_body", (limit.bytes(),).into_pyobject(py)?),
        Step::AskBackend(name, _) => ("ask_backend", (name,).into_pyobject(py)?),
        Step::CheckPassword(ref who, _) => {
            ("check_password", (&who.username, who.password.expose()).into_pyobject(py)?)
        }
        Step::LookUpUser(ref id, _) => ("look_up_user", (id,).into_pyobject(py)?),
        Step::LoadSession(id, _) => ("load_session", (id.to_string(),).into_pyobject(py)?),
        Step::DropSession(id, _) => ("remove_session", (id.to_string(),).into_pyobject(py)?),
        Step::CreateSession(id, ref session, _) => (
            "create_session",
            (id.to_string(), written(py, session)?, seconds(now.after(session.lasts()))).into_pyobject(py)?,
        ),
        Step::RenewSession(id, ref session, _) => (
            "renew_session",
            (id.to_string(), written(py, session)?, seconds(now.after(session.lasts()))).into_pyobject(py)?,
        ),
        Step::FetchKeys(name, _) => ("fetch_keys", (name,).into_pyobject(py)?),
        Step::HearEndings(ref since, _) => {
            ("hear_endings", (&since.position, since.lifetime.as_secs_f64()).into_pyobject(py)?)
        }
        Step::LoadCounts(ref keys, _) => ("load_counts", (texts(keys),).into_pyobject(py)?),
        Step::SwapCounts(ref swaps, _) => {
            let text = |count: Option<Count>| count.map(|count| count.to_string());
            let changes: Vec<_> = swaps
                .iter()
                .map(|swap| {
                    let left = swap.becomes.map(|_| swap.lasts.as_secs_f64());
                    (swap.key.to_string(), text(swap.was), text(swap.becomes), left)
                })
                .collect();
            ("swap_counts", (changes,).into_pyobject(py)?)
        }
        Step::DrawBytes(_) => return Err(PyRuntimeError::new_err("random bytes are drawn at once")),
    };
    let arguments = arguments.unbind();
    let open = Mutex::new(Some((step, visit)));
    Ok(Bound::new(py, Question { open, kind, arguments })?.into_any())
}

/// A form's body, or one of the words `too-large`, `too-slow` and `cut`.
fn body(limit: BodyLimit, answer: &Bound<'_, PyAny>) -> Result<Body, BodyError> {
    if let Ok(bytes) = answer.cast::<PyBytes>() {
        return limit.body(bytes.as_bytes().to_vec());
    }
    Err(match answer.extract::<&str>() {
        Ok("too-large") => BodyError::TooLarge,
        Ok("too-slow") => BodyError::TooSlow,
        _ => BodyError::Cut,
    })
}

/// Whom a backend found. Nothing, or anything that Python takes for false, is nobody.
fn proven(backend: &str, answer: &Bound<'_, PyAny>) -> PyResult<Option<Proven>> {
    if answer.is_none() || !answer.is_truthy()? || is_nobody(answer)? {
        return Ok(None);
    }
    let user = if backend == Function::NAME { to_core_whoever(answer) } else { to_core(answer) };
    user.map(|user| Some(user.into()))
}

fn verdict(answer: &Bound<'_, PyAny>) -> PyResult<Verdict> {
    if answer.is_none() || !answer.is_truthy()? {
        return Ok(Verdict::Rejected);
    }
    Ok(Verdict::Accepted(account(answer)?))
}

/// `None`: nobody can tell. `False`: there is no such user any more.
fn lookup(answer: &Bound<'_, PyAny>) -> PyResult<Lookup> {
    if answer.is_none() {
        return Ok(Lookup::Unknowable);
    }
    if !answer.is_truthy()? {
        return Ok(Lookup::Gone);
    }
    account(answer).map(Lookup::Found)
}

/// A user, or a user and what they prove themselves with. A row of a database may be a user and a tuple, too: it has names.
fn account(answer: &Bound<'_, PyAny>) -> PyResult<Account> {
    let Ok(pair) = answer.cast_exact::<PyTuple>() else { return Ok(to_core_for_good(answer)?.into()) };
    let account = Account::from(to_core_for_good(&pair.get_item(0)?)?);
    let credential = pair.get_item(1)?;
    Ok(match credential.cast::<PyString>() {
        Ok(text) => account.with_credential(text.to_str()?),
        Err(_) => account.with_credential(credential.cast::<PyBytes>()?.as_bytes()),
    })
}

fn record(answer: &Bound<'_, PyAny>) -> PyResult<Option<Session>> {
    if answer.is_none() {
        return Ok(None);
    }
    let bytes = answer.cast::<PyBytes>().map_err(|_| PyTypeError::new_err("a store loads bytes or None"))?;
    // What another version wrote is no session.
    Ok(serde_json::from_slice(bytes.as_bytes()).ok())
}

/// What a store that is shared tells of endings.
pub(crate) fn endings(answer: &Bound<'_, PyAny>) -> PyResult<EndingsNews> {
    match answer.cast::<Endings>() {
        Ok(endings) => endings.get().take(),
        Err(_) => Err(PyTypeError::new_err("a store tells of endings as authgate.Endings")),
    }
}

/// Counts as a store gives them, text or bytes, in the order in which they were asked for. One that cannot be read is
/// none: another version wrote it.
fn counts(answer: &Bound<'_, PyAny>) -> PyResult<Vec<Option<Count>>> {
    let texts: Vec<Option<Bound<'_, PyAny>>> = answer.extract()?;
    let read = |text: Bound<'_, PyAny>| match text.cast::<PyBytes>() {
        Ok(bytes) => Ok(std::str::from_utf8(bytes.as_bytes()).ok().and_then(|text| text.parse().ok())),
        Err(_) => Ok(text.cast::<PyString>()?.to_str()?.parse().ok()),
    };
    texts.into_iter().map(|text| text.map_or(Ok(None), read)).collect()
}

fn texts(keys: &[CountKey]) -> Vec<String> {
    keys.iter().map(ToString::to_string).collect()
}

fn written<'py>(py: Python<'py>, session: &Session) -> PyResult<Bound<'py, PyBytes>> {
    let bytes = serde_json::to_vec(session).map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
    Ok(PyBytes::new(py, &bytes))
}
