//! The one door from the core's errors to Python's exceptions.

use authgate_core::ConfigError;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

static CONFIG_ERROR: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// A setting that is refused: `authgate.ConfigError`, which is a `ValueError`. It names the argument, not the core's field,
/// where the two differ.
pub(crate) fn config(py: Python<'_>, error: &ConfigError) -> PyErr {
    let argument = match error.field() {
        "key" => "keys",
        "require" | "strict_aud" => "verify_options",
        "session_idle" | "session_lifetime" | "session_renewal" | "session_secret" | "cookie"
        | "cookie_name" | "cookie_path" | "cookie_domain" | "sharing" => "session",
        "key_set" => "jwks_url",
        "public_path" => "public_paths",
        "public_prefix" => "allowlist",
        "routes" | "challenge" => "backend",
        field => field,
    };
    let text = error.clone().renamed(argument).to_string();
    // The program that the core's remedies name may not be at hand; this is.
    refused(py, argument, &text.replace("`authgate secret`", "`secrets.token_hex(32)`"))
}

/// As [`config`], for what the binding itself finds.
pub(crate) fn refused(py: Python<'_>, argument: &str, text: &str) -> PyErr {
    let class = CONFIG_ERROR
        .get_or_try_init(py, || py.import("authgate.errors")?.getattr("ConfigError").map(Bound::unbind));
    match class.and_then(|class| class.call1(py, (argument, text))) {
        Ok(error) => PyErr::from_value(error.into_bound(py)),
        Err(_) => PyValueError::new_err(format!("{argument}: {text}")),
    }
}

/// Somebody could not be asked: `authgate.Unavailable`.
pub(crate) fn unavailable(py: Python<'_>, why: &str) -> PyErr {
    static UNAVAILABLE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    match UNAVAILABLE.import(py, "authgate.errors", "Unavailable").and_then(|class| class.call1((why,))) {
        Ok(error) => PyErr::from_value(error),
        Err(error) => error,
    }
}
