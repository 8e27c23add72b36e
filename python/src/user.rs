use std::sync::Arc;

use authgate_core::{Claims, User as CoreUser};
use pyo3::exceptions::{PyKeyError, PyTypeError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyIterator, PyMapping, PyString, PyTuple};

use crate::translate::noted;

/// Who was admitted.
///
/// Under the names of AsyncMQ's `User`, and also readable as `user["id"]`. It is no `Mapping`, so that code which tells
/// users from dicts sees an object.
#[pyclass(frozen, subclass, weakref, module = "authgate", name = "User")]
pub(crate) struct User {
    id: PyOnceLock<Py<PyAny>>,
    name: PyOnceLock<Py<PyAny>>,
    is_admin: PyOnceLock<Py<PyAny>>,
    roles: PyOnceLock<Py<PyTuple>>,
    extra: PyOnceLock<Py<PyDict>>,
    /// Whom a token or a session names; read into the places above when somebody asks.
    known: Option<Known>,
}

/// A user as the core knows them.
pub(crate) struct Known {
    pub(crate) user: Arc<CoreUser>,
    /// The claims that id and name were taken from, if it was a token.
    pub(crate) named: Option<Arc<Named>>,
}

/// Which claims name a token's user.
pub(crate) struct Named {
    pub(crate) id: String,
    pub(crate) name: String,
}

#[pymethods]
impl User {
    // A subclass may take other arguments; they are for its own `__init__`, which calls ours.
    #[new]
    #[pyo3(signature = (*_arguments, **_keywords), text_signature = "(id, name, is_admin=True, roles=None, **extra)")]
    fn blank(_arguments: &Bound<'_, PyTuple>, _keywords: Option<&Bound<'_, PyDict>>) -> Self {
        Self::known(None)
    }

    #[pyo3(signature = (id, name, is_admin = None, roles = None, **extra))]
    fn __init__(
        &self,
        py: Python<'_>,
        id: Bound<'_, PyAny>,
        name: Bound<'_, PyAny>,
        is_admin: Option<Bound<'_, PyAny>>,
        roles: Option<&Bound<'_, PyAny>>,
        extra: Option<Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        let is_admin = is_admin.unwrap_or_else(|| PyBool::new(py, true).to_owned().into_any());
        let is_new = self.id.set(py, id.unbind()).is_ok()
            && self.name.set(py, name.unbind()).is_ok()
            && self.is_admin.set(py, is_admin.unbind()).is_ok()
            && self.roles.set(py, role_names(py, roles)?.unbind()).is_ok()
            && self.extra.set(py, extra.unwrap_or_else(|| PyDict::new(py)).unbind()).is_ok();
        if is_new { Ok(()) } else { Err(PyTypeError::new_err("a User is made once")) }
    }

    /// What identifies the user for good; of the type that the backend or the token gave it.
    #[getter]
    fn id<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let from = |known: &Known| match (&known.user.claims, &known.named) {
            (Some(claims), Some(named)) if looks_numeric(&known.user.id) => {
                number(&json(py, claims.json())?, named, &known.user.id)
            }
            _ => match noted(py, &known.user, "id")? {
                Some(id) => Ok(id.unbind()),
                None => Ok(PyString::new(py, &known.user.id).into_any().unbind()),
            },
        };
        self.read(py, &self.id, from)
    }

    /// What to call the user on a page.
    #[getter]
    fn name<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let from = |known: &Known| match (&known.user.claims, &known.named) {
            (Some(claims), Some(named)) => token_name(py, &known.user, claims, named),
            _ => match noted(py, &known.user, "name")? {
                Some(name) => Ok(name.unbind()),
                None => Ok(PyString::new(py, &known.user.name).into_any().unbind()),
            },
        };
        self.read(py, &self.name, from)
    }

    /// Whether the user may do everything.
    #[getter]
    fn is_admin<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let from = |known: &Known| Ok(PyBool::new(py, known.user.is_admin).to_owned().into_any().unbind());
        self.read(py, &self.is_admin, from)
    }

    /// Names of the roles that the user has.
    #[getter]
    fn roles<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let made = self.roles.get_or_try_init(py, || {
            let known = self.known.as_ref().ok_or_else(unfinished)?;
            PyTuple::new(py, known.user.roles.iter().map(|role| &**role)).map(Bound::unbind)
        })?;
        Ok(made.bind(py).clone())
    }

    /// Whatever else is known; for a token's user `{"claims": {…}}`.
    #[getter]
    fn extra<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let made = self.extra.get_or_try_init(py, || {
            let known = self.known.as_ref().ok_or_else(unfinished)?;
            let extra = match noted(py, &known.user, "extra")? {
                Some(extra) => extra.cast_into()?,
                None => PyDict::new(py),
            };
            if let Some(claims) = &known.user.claims {
                extra.set_item("claims", json(py, claims.json())?)?;
            }
            Ok::<_, PyErr>(extra.unbind())
        })?;
        Ok(made.bind(py).clone())
    }

    fn __getitem__<'py>(&self, py: Python<'py>, key: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        self.find(py, key)?.ok_or_else(|| PyKeyError::new_err(key.clone().unbind()))
    }

    /// The attribute or extra of this name, else `default`.
    #[pyo3(signature = (key, default = None, /))]
    fn get<'py>(
        &self,
        py: Python<'py>,
        key: &Bound<'py, PyAny>,
        default: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        Ok(self.find(py, key)?.or(default))
    }

    fn __contains__(&self, py: Python<'_>, key: &Bound<'_, PyAny>) -> PyResult<bool> {
        Ok(self.find(py, key)?.is_some())
    }

    fn __eq__(&self, py: Python<'_>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        let Ok(other) = other.cast::<Self>() else { return Ok(py.NotImplemented()) };
        let other = other.get();
        let equal = self.id(py)?.eq(other.id(py)?)?
            && self.name(py)?.eq(other.name(py)?)?
            && self.is_admin(py)?.eq(other.is_admin(py)?)?
            && self.roles(py)?.eq(other.roles(py)?)?
            && self.extra(py)?.eq(other.extra(py)?)?;
        Ok(PyBool::new(py, equal).to_owned().into_any().unbind())
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        self.id(py)?.hash()
    }

    // Without `extra`: it may hold claims, which are personal, or whatever else a host keeps there.
    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let (py, user) = (slf.py(), slf.get());
        Ok(format!(
            "{}(id={}, name={}, is_admin={}, roles={})",
            slf.get_type().name()?,
            user.id(py)?.repr()?,
            user.name(py)?.repr()?,
            user.is_admin(py)?.repr()?,
            user.roles(py)?.repr()?,
        ))
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        let (py, user) = (slf.py(), slf.get());
        let restore = py.import("authgate._core")?.getattr("_restore_user")?;
        let state = (
            slf.get_type(),
            user.id(py)?,
            user.name(py)?,
            user.is_admin(py)?,
            user.roles(py)?,
            user.extra(py)?,
        );
        Ok((restore, state.into_pyobject(py)?))
    }
}

impl User {
    /// The user that the core knows.
    pub(crate) fn known(known: Option<Known>) -> Self {
        Self {
            id: PyOnceLock::new(),
            name: PyOnceLock::new(),
            is_admin: PyOnceLock::new(),
            roles: PyOnceLock::new(),
            extra: PyOnceLock::new(),
            known,
        }
    }

    fn read<'py>(
        &self,
        py: Python<'py>,
        place: &PyOnceLock<Py<PyAny>>,
        from: impl FnOnce(&Known) -> PyResult<Py<PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let made = place.get_or_try_init(py, || self.known.as_ref().ok_or_else(unfinished).and_then(from))?;
        Ok(made.bind(py).clone())
    }

    fn find<'py>(&self, py: Python<'py>, key: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let name = key.cast::<PyString>().ok().and_then(|name| name.to_str().ok());
        Ok(match name {
            Some("id") => Some(self.id(py)?),
            Some("name") => Some(self.name(py)?),
            Some("is_admin") => Some(self.is_admin(py)?),
            Some("roles") => Some(self.roles(py)?.into_any()),
            _ => self.extra(py)?.get_item(key)?,
        })
    }
}

/// What a pickled user becomes again.
#[pyfunction]
pub(crate) fn _restore_user<'py>(
    class: &Bound<'py, PyAny>,
    id: &Bound<'py, PyAny>,
    name: &Bound<'py, PyAny>,
    is_admin: &Bound<'py, PyAny>,
    roles: &Bound<'py, PyAny>,
    extra: &Bound<'py, PyDict>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = class.py();
    let made = class.call_method1("__new__", (class,))?;
    py.get_type::<User>().call_method("__init__", (&made, id, name, is_admin, roles), Some(extra))?;
    Ok(made)
}

fn unfinished() -> PyErr {
    PyTypeError::new_err("this User has no id yet: its class must call `super().__init__(id, name, …)`")
}

/// AsyncMQ's reading of `roles`: one, several or none; a mapping names none.
pub(crate) fn role_names<'py>(
    py: Python<'py>,
    roles: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyTuple>> {
    let Some(roles) = roles.filter(|roles| !roles.is_none() && roles.cast::<PyMapping>().is_err()) else {
        return Ok(PyTuple::empty(py));
    };
    if roles.is_instance_of::<PyString>() {
        return PyTuple::new(py, [roles]);
    }
    let mut names = Vec::new();
    for role in PyIterator::from_object(roles)? {
        let role = role?;
        if role.is_truthy()? {
            names.push(role.str()?);
        }
    }
    PyTuple::new(py, names)
}

/// The name claim's value as it is, if it is anything at all, else the id: so it is in AsyncMQ. The core keeps both as
/// text, and shows the id where the claim is no text and no number.
fn token_name(py: Python<'_>, user: &CoreUser, claims: &Claims, named: &Named) -> PyResult<Py<PyAny>> {
    let text = claims.json();
    let may_hold_name = || text.contains(&named.name) || text.contains('\\');
    if looks_numeric(&user.name) || (user.name == user.id && may_hold_name()) {
        let all = json(py, text)?;
        let name = all.call_method1("get", (&named.name,))?;
        return if name.is_truthy()? { Ok(name.unbind()) } else { number(&all, named, &user.id) };
    }
    Ok(PyString::new(py, &user.name).into_any().unbind())
}

/// The core keeps an id as text; it is a number again if the claim it stood in is one.
fn number(claims: &Bound<'_, PyAny>, named: &Named, id: &str) -> PyResult<Py<PyAny>> {
    let value = claims.call_method1("get", (&named.id,))?;
    if value.is_instance_of::<PyInt>() || value.is_instance_of::<PyFloat>() {
        return Ok(value.unbind());
    }
    Ok(PyString::new(claims.py(), id).into_any().unbind())
}

fn looks_numeric(text: &str) -> bool {
    text.bytes().next().is_some_and(|first| first == b'-' || first.is_ascii_digit())
}

/// Python's own reading of JSON: it is what PyJWT's users know.
pub(crate) fn json<'py>(py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyAny>> {
    static LOADS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    LOADS.import(py, "json", "loads")?.call1((text,))
}
