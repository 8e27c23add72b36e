//! The suite that every runtime passes, on tokio, and what is tokio's alone: HTTP/2.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod http2;
mod suite;

use std::io;
use std::net::TcpListener;
use std::sync::LazyLock;

use authgate_tower::Limits;
use suite::Example;
use tokio::runtime::Runtime;

// It outlives every server, so nothing ends merely because its runtime did.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

fn run(
    listener: TcpListener,
    service: Example,
    limits: Limits,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    RUNTIME.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        authgate_tokio::serve(listener, service, limits, shutdown).await
    })
}

fn spawn(task: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(task);
}
