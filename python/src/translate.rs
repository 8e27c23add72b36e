//! A user as somebody's Python code gives them, as the core needs them.

use authgate_core::{Claims, User};
use pyo3::exceptions::{PyAttributeError, PyKeyError, PyTypeError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyMapping, PyString};

use crate::user::role_names;

/// A user whom a session may keep: with what it must know for them to be the same afterwards.
///
/// # Errors
/// As [`to_core`]; and what no session can keep, because it is not JSON.
pub(crate) fn to_core_for_good(user: &Bound<'_, PyAny>) -> PyResult<User> {
    let py = user.py();
    let read = |name| Ok::<_, PyErr>(field(user, name)?.filter(|value| !value.is_none()));
    let (id, name) = (read(intern!(py, "id"))?, read(intern!(py, "name"))?);
    let extra = read(intern!(py, "extra"))?.filter(PyAnyMethods::is_instance_of::<PyDict>);
    let extra = note(py, [("id", id), ("name", name)], extra.as_ref())?;
    Ok(User { extra, ..to_core(user)? })
}

/// A user of AsyncMQ's `authenticate=`, which may be anything that is true: what has no id is called by its type.
pub(crate) fn to_core_whoever(user: &Bound<'_, PyAny>) -> PyResult<User> {
    let py = user.py();
    let id = field(user, intern!(py, "id"))?.filter(|id| !id.is_none());
    if id.is_some() {
        return to_core(user);
    }
    // What somebody forgot to await, or a response that was meant as a refusal.
    if user.hasattr(intern!(py, "__await__"))? || user.is_callable() {
        return Err(PyTypeError::new_err(format!("a {} is no user", user.get_type().name()?)));
    }
    rights(user, User::new(user.get_type().name()?.to_str()?))
}

/// Reads `id`, `name`, `is_admin` and `roles`, as attributes or as keys. No other field grants a right.
///
/// # Errors
/// Whatever is no user: a bare `True`, something without an id, an id that identifies nobody.
pub(crate) fn to_core(user: &Bound<'_, PyAny>) -> PyResult<User> {
    let py = user.py();
    let id = field(user, intern!(py, "id"))?.filter(|id| !id.is_none());
    let Some(id) = id else {
        let kind = user.get_type().name()?;
        return Err(PyTypeError::new_err(format!("a user needs an id; this {kind} has none")));
    };
    let name = field(user, intern!(py, "name"))?.filter(|name| !name.is_none());
    let name = match name {
        Some(name) if name.is_truthy()? => name,
        _ => id.clone(),
    };
    let name = name.str()?.to_str()?.into();
    rights(user, User { name, ..User::new(text(&id)?) })
}

fn rights(from: &Bound<'_, PyAny>, user: User) -> PyResult<User> {
    let py = from.py();
    let roles = role_names(py, field(from, intern!(py, "roles"))?.as_ref())?;
    let is_admin = field(from, intern!(py, "is_admin"))?.is_some_and(|value| grants(&value));
    let roles: Vec<String> = roles.extract()?;
    Ok(User { is_admin, roles: roles.into_iter().map(Into::into).collect(), ..user })
}

/// Numbers and names that a JSON object can hold again, of a user whom a session has kept.
pub(crate) fn noted<'py>(py: Python<'py>, user: &User, what: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
    let Some(note) = &user.extra else { return Ok(None) };
    let note = crate::user::json(py, note.json())?;
    note.cast::<PyDict>()?.get_item(what)
}

fn field<'py>(user: &Bound<'py, PyAny>, name: &Bound<'py, PyString>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = user.py();
    let value = if user.cast::<PyMapping>().is_ok() { user.get_item(name) } else { user.getattr(name) };
    match value {
        Ok(value) => Ok(Some(value)),
        Err(error)
            if error.is_instance_of::<PyAttributeError>(py) || error.is_instance_of::<PyKeyError>(py) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Whether somebody says of themselves that they are nobody, as frameworks' anonymous users do.
pub(crate) fn is_nobody(user: &Bound<'_, PyAny>) -> PyResult<bool> {
    let flag = field(user, intern!(user.py(), "is_authenticated"))?;
    Ok(flag.is_some_and(|flag| flag.cast::<PyBool>().is_ok_and(|flag| !flag.is_true())))
}

/// True itself, or a text that says so. Never a number, a list or an object.
fn grants(value: &Bound<'_, PyAny>) -> bool {
    match value.cast::<PyString>() {
        Ok(text) => text.to_str().is_ok_and(User::grants),
        Err(_) => value.cast::<PyBool>().is_ok_and(PyBoolMethods::is_true),
    }
}

/// What identifies somebody: a text, a number, or something that is one value and prints as itself, such as a UUID.
fn text(id: &Bound<'_, PyAny>) -> PyResult<String> {
    let is_rubbish = id.is_instance_of::<PyBool>() || id.is_instance_of::<PyBytes>() || id.try_iter().is_ok();
    if id.is_instance_of::<PyString>() || !is_rubbish {
        return Ok(id.str()?.to_str()?.to_owned());
    }
    Err(PyTypeError::new_err(format!("a {} identifies nobody", id.get_type().name()?)))
}

/// What a session must keep for the user to be the same afterwards: the types of id and name, and `extra`.
fn note<'py>(
    py: Python<'py>,
    values: [(&str, Option<Bound<'py, PyAny>>); 2],
    extra: Option<&Bound<'py, PyAny>>,
) -> PyResult<Option<Claims>> {
    static DUMPS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let note = PyDict::new(py);
    for (key, value) in values {
        let Some(value) = value else { continue };
        if value.is_instance_of::<PyInt>() || value.is_instance_of::<PyFloat>() {
            note.set_item(key, value)?;
        }
    }
    if let Some(extra) = extra
        && extra.is_truthy()?
    {
        note.set_item("extra", extra)?;
    }
    if note.is_empty() {
        return Ok(None);
    }
    let strictly = PyDict::new(py);
    strictly.set_item("allow_nan", false)?;
    let json = DUMPS.import(py, "json", "dumps")?.call((note,), Some(&strictly))?;
    let note = Claims::from_json(json.cast::<PyString>()?.to_str()?);
    note.map(Some)
        .ok_or_else(|| PyTypeError::new_err("extra: no session can keep it, because it is not JSON"))
}
