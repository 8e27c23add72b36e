//! `authgate._core`: the gate, its backends and its sessions for Python. Every decision is `authgate-core`'s; what stands
//! here translates between its types and Python's.

mod asgi;
mod backend;
mod clock;
mod delegate;
mod endings;
mod error;
mod forward;
mod gate;
mod jwt;
mod log;
mod provider;
mod record;
mod redis;
mod reply;
mod request;
mod settings;
mod step;
mod translate;
mod user;

use pyo3::prelude::*;

#[pymodule(gil_used = false)]
mod _core {
    #[pymodule_export]
    #[allow(non_upper_case_globals, reason = "as Python calls it")]
    const __version__: &str = env!("CARGO_PKG_VERSION");
    #[pymodule_export]
    use crate::asgi::AsgiGate;
    #[pymodule_export]
    use crate::delegate::Delegate;
    #[pymodule_export]
    use crate::endings::Endings;
    #[pymodule_export]
    use crate::forward::{Forward, Lease, Send};
    #[pymodule_export]
    use crate::gate::Gate;
    #[pymodule_export]
    use crate::jwt::JwtBackend;
    #[pymodule_export]
    use crate::redis::RedisLayout;
    #[pymodule_export]
    use crate::reply::{LoginForm, Reply};
    #[pymodule_export]
    use crate::step::Question;
    #[pymodule_export]
    use crate::user::{_restore_user, User};
}
