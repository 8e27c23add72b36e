//! What must hold on every runtime.

mod hostile;
mod limits;
mod requests;
mod shutdown;
mod upgrade;
