//! `authgate._core`: the gate, its backends and its sessions for Python. Every decision is `authgate-core`'s; what stands
//! here translates between its types and Python's.

mod error;
mod user;

use pyo3::prelude::*;

#[pymodule(gil_used = false)]
mod _core {
    #[pymodule_export]
    use crate::user::{_restore_user, User};
}
