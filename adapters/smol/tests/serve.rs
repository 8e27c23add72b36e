//! The suite that every runtime passes, on smol.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

#[path = "../../tokio/tests/suite/mod.rs"]
mod suite;

use std::io;
use std::net::TcpListener;

use authgate_tower::Limits;
use smol::Async;
use suite::Example;

fn run(
    listener: TcpListener,
    service: Example,
    limits: Limits,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    smol::block_on(async {
        let listener = smol::net::TcpListener::from(Async::new(listener)?);
        authgate_smol::serve(listener, service, limits, shutdown).await
    })
}

fn spawn(task: impl Future<Output = ()> + Send + 'static) {
    smol::spawn(task).detach();
}
