//! What must hold on every runtime.

mod faults;
mod fields;
mod framing;
mod leaving;
mod reuse;
mod smuggling;
mod streams;
mod websockets;
