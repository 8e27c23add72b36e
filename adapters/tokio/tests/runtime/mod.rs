use std::io;
use std::net::TcpListener;
use std::sync::LazyLock;

use authgate_tokio::Limits;
use tokio::runtime::Runtime;

use crate::harness::Example;

// It outlives every server, so nothing ends merely because its runtime did.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

pub(crate) fn run(
    listener: TcpListener,
    service: Example,
    limits: Limits,
    shutdown: impl Future<Output = ()> + Send + 'static,
    abandoned: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        tokio::select! {
            ended = authgate_tokio::serve(listener, service, limits, shutdown) => ended,
            () = abandoned => Ok(()),
        }
    })
}

pub(crate) fn block_on<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> T {
    RUNTIME.block_on(RUNTIME.spawn(future)).unwrap()
}

pub(crate) fn spawn(task: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(task);
}
