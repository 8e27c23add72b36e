//! The layout in Redis, as `authgate-redis` has it, for redis-py: what is sent, and what the replies mean.

use std::time::Duration;

use authgate_core::{Count, CountKey, EndingsSince, Session, Swap};
use authgate_redis::layout::{Known, Layout, Request, news, session};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyTuple};

use crate::endings::{Endings, session_id};

/// The requests and the replies of one store. Each request is a pair: the words of a command and nothing; or what follows
/// the name of a script, and the script.
#[pyclass(frozen, module = "authgate._core")]
pub(crate) struct RedisLayout {
    layout: Layout,
    known: Known,
}

/// A change of a count: which, what it was, what it becomes, and for how many seconds.
type Change = (String, Option<String>, Option<String>, Option<f64>);

#[pymethods]
impl RedisLayout {
    #[new]
    fn new(prefix: &str) -> Self {
        Self { layout: Layout::new(prefix), known: Known::default() }
    }

    fn load<'py>(&self, py: Python<'py>, id: &str) -> PyResult<Bound<'py, PyTuple>> {
        sent(py, self.layout.load(session_id(id)?))
    }

    fn create<'py>(&self, py: Python<'py>, id: &str, data: &[u8]) -> PyResult<Bound<'py, PyTuple>> {
        let request = self.layout.create(session_id(id)?, &record(data)?);
        sent(py, request.map_err(|why| PyValueError::new_err(why.to_string()))?)
    }

    fn renew<'py>(&self, py: Python<'py>, id: &str, data: &[u8]) -> PyResult<Bound<'py, PyTuple>> {
        let request = self.layout.renew(session_id(id)?, &record(data)?);
        sent(py, request.map_err(|why| PyValueError::new_err(why.to_string()))?)
    }

    fn remove<'py>(&self, py: Python<'py>, id: &str) -> PyResult<Bound<'py, PyTuple>> {
        sent(py, self.layout.remove(session_id(id)?, self.known.latest(None).as_deref()))
    }

    fn end_user<'py>(&self, py: Python<'py>, user: &str, ago: f64) -> PyResult<Bound<'py, PyTuple>> {
        sent(py, self.layout.end_user(user, span(ago)?, self.known.latest(None).as_deref()))
    }

    fn endings<'py>(
        &self,
        py: Python<'py>,
        position: Option<String>,
        lifetime: f64,
    ) -> PyResult<Bound<'py, PyTuple>> {
        let since = EndingsSince { position, lifetime: span(lifetime)? };
        sent(py, self.layout.endings_since(&since, self.known.latest(None).as_deref()))
    }

    #[allow(clippy::needless_pass_by_value, reason = "what is extracted from a call is handed over by value")]
    fn counts<'py>(&self, py: Python<'py>, keys: Vec<String>) -> PyResult<Bound<'py, PyTuple>> {
        let keys = keys.iter().map(|key| count_key(key)).collect::<PyResult<Vec<_>>>()?;
        sent(py, self.layout.counts(&keys))
    }

    fn swap_counts<'py>(&self, py: Python<'py>, changes: Vec<Change>) -> PyResult<Bound<'py, PyTuple>> {
        let swaps = changes.into_iter().map(|(key, was, becomes, left)| {
            let (key, lasts) = (count_key(&key)?, span(left.unwrap_or_default())?);
            let [was, becomes] = [was, becomes].map(|text| text.as_deref().map(count).transpose());
            Ok(Swap { key, was: was?, becomes: becomes?, lasts })
        });
        let swaps = swaps.collect::<PyResult<Vec<_>>>()?;
        sent(py, self.layout.swap_counts(&swaps))
    }

    /// Takes the reply to `remove` and `end_user`: a position.
    fn told(&self, reply: &[u8]) {
        if let Ok(text) = std::str::from_utf8(reply) {
            self.known.learn(text);
        }
    }

    /// Reads the reply to `endings`.
    #[allow(clippy::needless_pass_by_value, reason = "what is extracted from a call is handed over by value")]
    fn news(&self, reply: Vec<Vec<u8>>) -> PyResult<Endings> {
        let news = news(&reply).map_err(|why| PyValueError::new_err(why.to_string()))?;
        self.known.learn(&news.position);
        Ok(Endings::of(news))
    }
}

fn sent(py: Python<'_>, request: Request) -> PyResult<Bound<'_, PyTuple>> {
    let bytes = |words: &[Vec<u8>]| PyList::new(py, words.iter().map(|word| PyBytes::new(py, word)));
    match request {
        Request::Command(words) => (bytes(&words)?, py.None()).into_pyobject(py),
        Request::Script { script, keys, args } => {
            let words = [vec![keys.len().to_string().into_bytes()], keys, args].concat();
            (bytes(&words)?, script).into_pyobject(py)
        }
    }
}

fn record(data: &[u8]) -> PyResult<Session> {
    session(data).ok_or_else(|| PyValueError::new_err("this is no record of a session"))
}

fn count_key(text: &str) -> PyResult<CountKey> {
    text.parse().map_err(|why| PyValueError::new_err(format!("{why}")))
}

fn count(text: &str) -> PyResult<Count> {
    text.parse().map_err(|why| PyValueError::new_err(format!("{why}")))
}

fn span(seconds: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(seconds)
        .map_err(|_| PyValueError::new_err(format!("{seconds} is no span of time; give seconds")))
}
