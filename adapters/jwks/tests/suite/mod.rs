//! What must hold on every runtime.

mod fetching;
mod gate;
mod hostile;
mod log;
mod tls;
