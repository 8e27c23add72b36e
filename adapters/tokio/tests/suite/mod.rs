//! What must hold on every runtime.

mod hostile;
mod limits;
#[cfg(unix)]
mod readers;
mod requests;
mod shutdown;
mod upgrade;
